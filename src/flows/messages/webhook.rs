//! A verified webhook on its way to the account's object.

use serde::{Deserialize, Serialize};

use crate::flows::messages::dead_letter::DeadLetter;
use crate::flows::messages::environment::LookupMatch;

/// A verified webhook for one account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VerifiedWebhook {
    /// The deduplication key: a webhook with a known key is not stored again.
    pub key: Option<String>,
    #[serde(rename = "brings")]
    pub content: WebhookContent,
    /// The lookup value that matched the account. `None`: its own URL was called, or the event names it.
    #[serde(default)]
    pub found_by: Option<LookupMatch>,
}

impl VerifiedWebhook {
    /// A webhook that was sent to the account's own URL.
    pub fn own(key: Option<String>, content: WebhookContent) -> Self {
        Self {
            key,
            content,
            found_by: None,
        }
    }
}

/// The content of a webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookContent {
    Events(Vec<NewEvent>),
    /// A dead letter with the reason: a request that the file cannot read, stored until it can.
    #[serde(rename = "unread")]
    DeadLetter(Box<DeadLetter>, String),
}

/// An event of a webhook before it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewEvent {
    pub event: String,
    /// The type of the changed resource.
    pub resource_type: Option<String>,
    /// The id of the changed resource.
    pub resource_id: Option<String>,
    /// The payload as JSON text.
    pub payload: String,
}
