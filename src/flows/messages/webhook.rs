//! A verified webhook, on its way to the account's object.

use serde::{Deserialize, Serialize};

use crate::flows::messages::dead_letter::DeadLetter;
use crate::flows::messages::environment::LookupMatch;

/// What is stored of a webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VerifiedWebhook {
    /// By which a repeated one is known.
    pub key: Option<String>,
    /// What it brings.
    pub brings: WebhookContent,
    /// By which value of its context the account was looked up; nothing: its own URL, or it is named outright.
    #[serde(default)]
    pub found_by: Option<LookupMatch>,
}

impl VerifiedWebhook {
    /// What came to the account's own URL.
    pub fn own(key: Option<String>, brings: WebhookContent) -> Self {
        Self {
            key,
            brings,
            found_by: None,
        }
    }
}

/// What a webhook brings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookContent {
    /// Events.
    Events(Vec<NewEvent>),
    /// A request that the file cannot read: kept until it can, with the reason.
    Unread(Box<DeadLetter>, String),
}

/// An event of a webhook that is not stored yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewEvent {
    /// What happened.
    pub event: String,
    /// The kind of thing it happened to.
    pub resource_type: Option<String>,
    /// Which of them.
    pub resource_id: Option<String>,
    /// JSON text.
    pub payload: String,
}
