//! API tokens and link tokens.

use serde_json::json;

use super::operation::{Group, Operation};
use super::shapes::{Shapes, flag, text, uuid, with};
use crate::api::admin::{api_token, link_token};
use crate::flows::base::records::{LinkRecord, TokenRecord};

pub(super) fn group(shapes: &mut Shapes) -> Group {
    let shown = shapes.picked::<TokenRecord>(&api_token::SHOWN);
    let made = with(&shown, &json!({ "token": text() }));
    let (shown, made) = (
        shapes.name("ApiToken", shown),
        shapes.name("MadeApiToken", made),
    );
    let new = shapes.asked::<api_token::New>();
    let (all, one) = ("/api-token", "/api-token/{id}");
    Group {
        tag: "api-token",
        about: "Tokens of an environment. Only their hashes are kept.",
        operations: vec![
            Operation::new("GET", all, "listApiTokens", "Lists API tokens")
                .in_environment()
                .lists(&api_token::FIELDS, &shown),
            Operation::new("POST", all, "createApiToken", "Makes an API token")
                .in_environment()
                .takes(&new)
                .answers("201", "The only answer that shows the token.", &made),
            Operation::new("DELETE", one, "deleteApiToken", "Revokes an API token")
                .in_environment()
                .deletes(&uuid()),
        ],
    }
}

pub(super) fn links(shapes: &mut Shapes) -> Group {
    let shown = shapes.picked::<LinkRecord>(&link_token::SHOWN);
    let shown = with(&shown, &json!({ "is_spent": flag() }));
    let made = with(&shown, &json!({ "link_token": text(), "url": text() }));
    let (shown, made) = (
        shapes.name("LinkToken", shown),
        shapes.name("MadeLinkToken", made),
    );
    let new = shapes.asked::<link_token::New>();
    let (all, one) = ("/link-token", "/link-token/{id}");
    let create = "Makes a link that a customer connects an account by";
    Group {
        tag: "link-token",
        about: "What a customer's browser may connect; once, within a day unless it says otherwise.",
        operations: vec![
            Operation::new("GET", all, "listLinkTokens", "Lists link tokens")
                .in_environment()
                .lists(&link_token::FIELDS, &shown),
            Operation::new("POST", all, "createLinkToken", create)
                .in_environment()
                .takes(&new)
                .answers("201", "The only answer that shows the token.", &made)
                .refuses(&[409]),
            Operation::new("DELETE", one, "deleteLinkToken", "Revokes a link token")
                .in_environment()
                .deletes(&uuid()),
        ],
    }
}
