//! The pages a customer connects on. Everything is a page or leads to one.

use serde_json::json;

use super::operation::{Group, Operation};
use super::shapes::text;

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

pub(super) fn group() -> Group {
    let (form, back) = ("/connect/{integration}", "/connect/{integration}/callback");
    let returns = "Takes a customer who comes back from the provider";
    Group {
        tag: "connect",
        about: "The hosted pages. A link token opens them; no other token does.",
        operations: vec![
            page(
                "GET",
                "/connect",
                "chooseIntegration",
                "Shows what can be connected",
            )
            .query("link_token", LINK, &text())
            .query("display", DISPLAY, &text())
            .query("confirmed", CONFIRMED, &text()),
            page(
                "GET",
                form,
                "showConnectForm",
                "Shows the form of an integration",
            )
            .query("link_token", LINK, &text())
            .query("display", DISPLAY, &text())
            .query("confirmed", CONFIRMED, &text())
            .query("credential", "Which of several credentials.", &text()),
            page("POST", form, "submitConnectForm", "Takes the form")
                .query("link_token", LINK, &text())
                .takes_body(json!({ "content": { FORM: { "schema": { "type": "object" } } } })),
            page("GET", back, "comeBack", returns)
                .query("code", "Of the provider.", &text())
                .query("state", "Of the authorization request.", &text()),
            page("POST", back, "comeBackByPost", returns)
                .takes_body(json!({ "content": { FORM: { "schema": { "type": "object" } } } })),
        ],
    }
}

const LINK: &str = "The link token.";
const DISPLAY: &str = "`popup` where the application has opened a window for it.";
const CONFIRMED: &str = "The page's own: that this browser has answered \"Is this you?\".";
const FORM: &str = "application/x-www-form-urlencoded";

fn page(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    let html = json!({ "text/html": { "schema": text() } });
    let word = json!({ "type": "string", "minLength": 1, "description": "Its name." });
    let mut operation = Operation::new(method, path, id, summary).word("integration", word);
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
        .answers_no_more()
}
