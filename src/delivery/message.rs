//! What is delivered: the body of every attempt.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::ids::{AccountId, EnvironmentId, EventId, WebhookId};
use crate::time::Timestamp;

/// An event on its way to one subscription.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The same on every attempt and replay.
    pub id: EventId,
    /// What happened.
    pub event: &'a str,
    /// JSON text; it goes out as it is.
    pub payload: &'a str,
    /// The kind of thing it happened to, where the integration says so.
    pub resource_type: Option<&'a str>,
    /// Which of them.
    pub resource_id: Option<&'a str>,
    /// The environment of the account.
    pub environment_id: EnvironmentId,
    /// The account of the event; nothing for a test.
    pub integrated_account_id: Option<AccountId>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// The subscription.
    pub webhook_id: WebhookId,
}

#[derive(Serialize)]
struct MessageBody<'a> {
    id: EventId,
    event: &'a str,
    payload: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a str>,
    environment_id: EnvironmentId,
    integrated_account_id: Option<AccountId>,
    created_at: Timestamp,
    webhook_id: WebhookId,
}

impl Message<'_> {
    /// The JSON that is signed and sent. A payload that is no JSON, which nothing stores, goes as null.
    pub fn body(&self) -> String {
        let body = MessageBody {
            id: self.id,
            event: self.event,
            payload: serde_json::from_str(self.payload).unwrap_or(RawValue::NULL),
            resource_type: self.resource_type,
            resource_id: self.resource_id,
            environment_id: self.environment_id,
            integrated_account_id: self.integrated_account_id,
            created_at: self.created_at,
            webhook_id: self.webhook_id,
        };
        serde_json::to_string(&body).unwrap_or_default()
    }
}
