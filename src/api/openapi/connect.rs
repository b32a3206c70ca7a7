//! The pages a customer connects on. Every answer is a page or a redirect to one.

use serde_json::json;

use super::operation::{Operation, RefusedBy};
use super::shapes::{Shapes, text};

/// What pages are answered with, and what that means.
const PAGES: [(&str, &str); 6] = [
    ("200", "The page."),
    (
        "401",
        "The link has ended, was used, or is another browser's.",
    ),
    ("404", "There is no such integration here."),
    (
        "422",
        "Something has to be corrected, or the account could not be set up.",
    ),
    ("4XX", "The request cannot be taken so."),
    (
        "5XX",
        "It did not work, here or at the provider: try again.",
    ),
];

pub(in crate::api) fn choice(operation: Operation, _: &mut Shapes) -> Operation {
    opened(page(operation))
}

pub(in crate::api) fn form(operation: Operation, _: &mut Shapes) -> Operation {
    let about = "The name of one of several credentials.";
    opened(page(operation)).query("credential", about, &text())
}

pub(in crate::api) fn submission(operation: Operation, _: &mut Shapes) -> Operation {
    page(operation)
        .query("link_token", LINK, &text())
        .takes_body(json!({ "content": { FORM: { "schema": { "type": "object" } } } }))
}

pub(in crate::api) fn callback(operation: Operation, _: &mut Shapes) -> Operation {
    page(operation)
        .query("code", "The provider's authorization code.", &text())
        .query(
            "state",
            "The `state` of the authorization request.",
            &text(),
        )
}

pub(in crate::api) fn callback_by_post(operation: Operation, _: &mut Shapes) -> Operation {
    page(operation).takes_body(json!({ "content": { FORM: { "schema": { "type": "object" } } } }))
}

/// The parameters of a page that a link leads to.
fn opened(operation: Operation) -> Operation {
    operation
        .query("link_token", LINK, &text())
        .query("display", DISPLAY, &text())
        .query("confirmed", CONFIRMED, &text())
}

const LINK: &str = "The link token.";
const DISPLAY: &str = "`popup` where the application has opened a window for it.";
const CONFIRMED: &str = "The page's own: that this browser has answered \"Is this you?\".";
const FORM: &str = "application/x-www-form-urlencoded";

fn page(operation: Operation) -> Operation {
    let html = json!({ "text/html": { "schema": text() } });
    let name = json!({ "type": "string", "minLength": 1, "description": "Its name." });
    let mut operation = operation.parameter_of_path("integration", name);
    for (status, about) in PAGES {
        operation = operation.answers_with(status, about, &html);
    }
    // What cannot even be read has the envelope of all errors.
    let unread = json!({
        "application/json": { "schema": { "$ref": "#/components/schemas/Error" } },
        "text/html": { "schema": text() },
    });
    operation
        .answers_with("400", "The request cannot be read.", &unread)
        .answers_with(
            "403",
            "The customer did not allow access, another site sent the form, or the gateway does not answer at this address.",
            &unread,
        )
        .answers_with("303", "To the provider, or to the application.", &json!({}))
        .refused(RefusedBy::AsAnswered)
}
