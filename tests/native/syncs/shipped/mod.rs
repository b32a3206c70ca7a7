//! The syncs of the shipped files, each with a provider that speaks its protocol.

mod customers;
mod delta;
mod story;
mod tickets;
mod twin;
mod workspaces;

use serde_json::{Value, json};

/// The context of an account that signed in by OAuth, whose token can be renewed.
fn oauth() -> Value {
    json!({ "client_id": "id", "client_secret": "secret", "oauth": { "token": {
        "access_token": "access-token-0", "refresh_token": "refresh-token", "token_type": "bearer" } } })
}
