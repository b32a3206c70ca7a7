//! What a customer is shown when nothing was connected.

use crate::connect::outcome::ConnectFailure;

/// A failure for people.
pub(super) struct PageTexts {
    pub heading: String,
    pub happened: String,
    /// What to do now.
    pub now: &'static str,
    /// The words of the link that goes on, where going on makes sense.
    pub again: Option<&'static str>,
}

/// What happened, in a sentence: the `error` of an outcome for which the
/// provider gave no text.
pub fn explanation(failure: ConnectFailure, label: Option<&str>) -> String {
    texts(failure, label).happened
}

pub(super) fn texts(failure: ConnectFailure, label: Option<&str>) -> PageTexts {
    let who = label.unwrap_or("The provider");
    let account = label.map_or_else(
        || "the account".to_owned(),
        |label| format!("your {label} account"),
    );
    match failure {
        ConnectFailure::InvalidToken => PageTexts {
            heading: "This link does not work".to_owned(),
            happened: "The link has expired, or it was not copied completely.".to_owned(),
            now: "Go back to the application you came from and start again there, or ask for a new link.",
            again: None,
        },
        ConnectFailure::AlreadyUsed => PageTexts {
            heading: "This link was already used".to_owned(),
            happened: "An account was connected with it, and each link works only once.".to_owned(),
            now: "Nothing more has to be done. To connect another account, start again in the application you came from.",
            again: None,
        },
        ConnectFailure::OtherBrowser => PageTexts {
            heading: "This link was opened in another browser".to_owned(),
            happened: "Somebody began to connect with this link in another browser or on another device, and it has to be finished there.".to_owned(),
            now: "Go on where you began. If that was not you, ask for a new link in the application you came from.",
            again: None,
        },
        ConnectFailure::InvalidIntegration => PageTexts {
            heading: "This cannot be connected here".to_owned(),
            happened: "What you wanted to connect does not exist here, or is switched off at the moment.".to_owned(),
            now: "Go back to the application you came from, or ask its support.",
            again: Some("See what can be connected"),
        },
        ConnectFailure::AccessDenied => PageTexts {
            heading: "Access was not allowed".to_owned(),
            happened: format!("{who} was asked for access to {account}, and the answer was no. Nothing was changed."),
            now: "If that was not what you wanted, try again and allow access when you are asked. Some accounts need an administrator to do this.",
            again: Some("Try again"),
        },
        ConnectFailure::ConnectionError => PageTexts {
            heading: label.map_or_else(|| "It could not be connected".to_owned(), |label| format!("{label} could not be connected")),
            happened: format!("{who} could not be reached, or did not accept the sign-in."),
            now: "Wait a moment and try again. If it happens once more, tell the support of the application you came from.",
            again: Some("Try again"),
        },
        ConnectFailure::UnknownSignIn => PageTexts {
            heading: "The server does not say how to sign in".to_owned(),
            happened: "There is a server at the address, but it does not say where its users sign in.".to_owned(),
            now: "Check the address, with everything behind the name of the server. If it is right, ask who runs the server whether it supports signing in by OAuth.",
            again: Some("Try again"),
        },
        ConnectFailure::UnsafeSignIn => PageTexts {
            heading: "The server's sign-in cannot be used".to_owned(),
            happened: "What the server says about its sign-in is incomplete, contradicts itself, or is not safe. Nothing was sent to it.".to_owned(),
            now: "Check the address. If it is right, tell who runs the server, or the support of the application you came from.",
            again: Some("Try again"),
        },
        ConnectFailure::NoNewClients => PageTexts {
            heading: "The server does not allow new applications".to_owned(),
            happened: format!("{who} only lets applications in that its owner has registered, and this one is not registered there."),
            now: "Ask who runs the server to allow this application, or tell the support of the application you came from.",
            again: Some("Try again"),
        },
        ConnectFailure::PostInstallError => PageTexts {
            heading: label.map_or_else(|| "It could not be set up".to_owned(), |label| format!("{label} could not be set up")),
            happened: format!("Signing in to {account} worked, but preparing it for use did not."),
            now: "Try again. If it happens once more, tell the support of the application you came from.",
            again: Some("Try again"),
        },
        ConnectFailure::ValidationError => PageTexts {
            heading: label.map_or_else(|| "It did not pass the check".to_owned(), |label| format!("{label} did not pass the check")),
            happened: format!("Signing in to {account} worked, but a first test of it did not: it may lack a permission, or a detail may be wrong."),
            now: "Check the details and what your account may do there, then try again.",
            again: Some("Try again"),
        },
    }
}
