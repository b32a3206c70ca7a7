//! Converts the errors of the other modules, sorted by who must act. The messages name places, never values.

use serde_json::json;

use super::{Code, Failure};
use crate::account::seal::SealError;
use crate::account::status::{NotCallable, Status};
use crate::authorization::AuthorizationError;
use crate::expression::{ExpressionError, RenderError, UrlError};
use crate::files::FilesError;
use crate::oauth::OAuthError;
use crate::pagination::PageError;
use crate::ports::{SendError, StorageFault};
use crate::proxy::body::BodyError;
use crate::proxy::guard::RefusedAddress;
use crate::proxy::reply::ReplyError;
use crate::proxy::request::RequestError;
use crate::proxy::wanted::WantedError;
use crate::proxy::xml::XmlError;

impl From<StorageFault> for Failure {
    fn from(_: StorageFault) -> Self {
        Self::storage()
    }
}

impl From<SealError> for Failure {
    fn from(_: SealError) -> Self {
        Self::new(
            Code::SealingKey,
            "A stored secret could not be opened or sealed. The log has the reason.",
        )
    }
}

/// After how long a caller tries an account again that is being set up.
const CONNECTING_SECONDS: u64 = 2;

impl From<NotCallable> for Failure {
    fn from(reason: NotCallable) -> Self {
        match reason {
            NotCallable::NeedsReauth => Self::new(
                Code::NeedsReauth,
                "The provider no longer accepts this account's credential: the customer must connect it again.",
            ),
            NotCallable::Connecting => {
                Self::new(Code::Connecting, "The account is still being connected.")
                    .with_retry_after(CONNECTING_SECONDS)
            }
            NotCallable::NotReady(status) => Self::new(Code::NotReady, not_ready(status))
                .with_details(json!({ "status": status })),
        }
    }
}

fn not_ready(status: Status) -> &'static str {
    match status {
        Status::PostInstallError => {
            "The account's post_install action failed; its last_error says why."
        }
        _ => "The account's validation action failed; its last_error says why.",
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        if let Some(secret) = error.withheld() {
            return Self::secret_unbound(secret);
        }
        let code = if is_too_large(&error) {
            Code::BadIntegration
        } else if is_callers(&error) {
            Code::MissingValue
        } else {
            Code::ContextValue
        };
        Self::new(code, format!("{error}."))
    }
}

/// Whether the value is the caller's: `query`, `body` and `id` are; everything else is the account's.
fn is_callers(error: &RenderError) -> bool {
    match error {
        RenderError::Missing { path, .. } | RenderError::Cast { path, .. } => {
            let root = path.split(['.', '|', ' ']).next().unwrap_or_default();
            matches!(root, "query" | "body" | "id")
        }
        RenderError::Within { cause, .. } => is_callers(cause),
        RenderError::Withheld { .. }
        | RenderError::NotAHeaderValue { .. }
        | RenderError::TooLarge { .. } => false,
    }
}

/// Whether the file builds more from its values than can be sent.
fn is_too_large(error: &RenderError) -> bool {
    match error {
        RenderError::TooLarge { .. } => true,
        RenderError::Within { cause, .. } => is_too_large(cause),
        _ => false,
    }
}

impl From<UrlError> for Failure {
    fn from(error: UrlError) -> Self {
        match error {
            UrlError::Render(error) => error.into(),
            UrlError::PlainHttp(_) => RefusedAddress::NotHttps.into(),
            UrlError::Segment(_) => Self::new(Code::Invalid, format!("{error}.")),
            other => Self::new(Code::ContextValue, format!("{other}.")),
        }
    }
}

impl From<OAuthError> for Failure {
    fn from(error: OAuthError) -> Self {
        match error {
            OAuthError::Render(error) => error.into(),
            OAuthError::Url(error) => error.into(),
            OAuthError::AccountKey => Self::new(Code::ContextValue, format!("{error}.")),
            other => Self::new(Code::BadIntegration, format!("{other}.")),
        }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        let code = match error {
            RequestError::Render(error) => return error.into(),
            RequestError::Url(error) => return error.into(),
            RequestError::DotSegment => Code::Invalid,
            RequestError::Body(error) => return error.into(),
            RequestError::CallersBody
            | RequestError::FileBody
            | RequestError::PagesInBody
            | RequestError::PartOfBody => Code::Malformed,
            RequestError::NoBaseUrl | RequestError::Header(_) => Code::BadIntegration,
            RequestError::NoBodyAllowed(_) => Code::Unsupported,
        };
        Self::new(code, format!("{error}."))
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        let code = match error {
            BodyError::Render(error) => return error.into(),
            BodyError::Shape(_) => Code::BadIntegration,
            // The copied values are the caller's; the names of the file were checked when it was stored.
            BodyError::File(_) | BodyError::XmlName(_) | BodyError::XmlValue(_) => Code::Invalid,
        };
        Self::new(code, format!("{error}."))
    }
}

impl From<AuthorizationError> for Failure {
    fn from(error: AuthorizationError) -> Self {
        let code = match error {
            AuthorizationError::Render(error) => return error.into(),
            // The messages of the engine can quote data, so they are not passed on.
            AuthorizationError::Expression(error) => return error.into(),
            AuthorizationError::Colon | AuthorizationError::NotAHeader(_) => Code::ContextValue,
            AuthorizationError::NotHeaders => Code::ExpressionFailed,
            AuthorizationError::NoConsumer | AuthorizationError::Twice(_) => Code::BadIntegration,
            AuthorizationError::BodyNotHeld => Code::Internal,
        };
        Self::new(code, format!("{error}."))
    }
}

impl From<ExpressionError> for Failure {
    fn from(_: ExpressionError) -> Self {
        Self::new(
            Code::ExpressionFailed,
            "An expression of the integration failed on this call. The log has the reason.",
        )
    }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        let code = match &error {
            PageError::Render(error) => return error.clone().into(),
            PageError::Expression(error) => return error.clone().into(),
            PageError::Foreign => Code::BadCursor,
            PageError::Body => Code::Malformed,
            PageError::Header(_) => Code::ContextValue,
            PageError::Values => Code::ExpressionFailed,
            PageError::DeadEnd(end) if end.is_files_fault => Code::ExpressionFailed,
            PageError::LeavesHost
            | PageError::NotALink
            | PageError::NotUtf8(_)
            | PageError::NotJson
            | PageError::NotACursor(_)
            | PageError::TooLong(_)
            | PageError::DeadEnd(_)
            | PageError::Repeats
            | PageError::Endless(_) => Code::UnexpectedAnswer,
        };
        Self::new(code, format!("{error}."))
    }
}

impl From<RefusedAddress> for Failure {
    fn from(reason: RefusedAddress) -> Self {
        let hint = "In development, ALLOW_PRIVATE_UPSTREAMS=true in .dev.vars allows private addresses and http.";
        Self::new(
            Code::UpstreamRefused,
            format!("This request was not sent: {reason}. {hint}"),
        )
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Unreachable => {
                Self::new(Code::Unreachable, "The provider could not be reached.")
            }
            SendError::Timeout => Self::new(
                Code::Timeout,
                "The provider did not answer in time. x-timeout-ms sets how long to wait.",
            ),
        }
    }
}

impl From<FilesError> for Failure {
    fn from(error: FilesError) -> Self {
        let code = match error {
            FilesError::Render(error) => return error.into(),
            FilesError::Url(error) => return error.into(),
            FilesError::Path { place, why } => return Self::invalid(place, why.to_string()),
            FilesError::Unknown { .. }
            | FilesError::Body(_)
            | FilesError::Condition(_)
            | FilesError::Part => Code::Malformed,
            FilesError::NoLength => Code::LengthRequired,
            FilesError::OtherCredential => Code::MethodNotAllowed,
            FilesError::NoAddress => Code::BadIntegration,
            FilesError::NoSecret | FilesError::HostKey | FilesError::Root(_) => Code::ContextValue,
            FilesError::NotPinned => return Self::new(Code::ServerKeyMissing, NOT_PINNED),
        };
        Self::new(code, format!("{error}."))
    }
}

/// What to do about a server without a pinned key.
const NOT_PINNED: &str = "No host key is pinned for this server, so nothing was sent to it. POST /integrated-account/{id}/host-key shows the key that it presents: compare it with the one that the server's operator names, then set it in the account's context.";

impl From<WantedError> for Failure {
    fn from(error: WantedError) -> Self {
        Self::new(Code::Malformed, format!("{error}."))
    }
}

impl From<ReplyError> for Failure {
    fn from(error: ReplyError) -> Self {
        let code = match error {
            ReplyError::Xml(XmlError::TooMany | XmlError::TooLarge) => Code::AnswerTooLarge,
            _ => Code::UnexpectedAnswer,
        };
        Self::new(code, format!("{error}."))
    }
}
