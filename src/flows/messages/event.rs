//! What is asked and shown of events and of subscriptions to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{AccountId, EnvironmentId, EventId, WebhookId};
use crate::time::Timestamp;

/// A change of a subscription; what is absent stays.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct WebhookChange {
    /// Where events are delivered.
    pub target_url: Option<String>,
    /// Which events; an inner nothing: all.
    pub event_types: Option<EventTypes>,
    /// Whether they go out; else they wait.
    pub is_active: Option<bool>,
}

/// The events of a subscription. A struct, so that "all of them" is not nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct EventTypes {
    /// Exact names, or with a trailing `*`; nothing: all.
    pub names: Option<Vec<String>>,
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventStatus {
    /// Not everybody who subscribed has it.
    Pending,
    /// Everybody has it.
    Delivered,
    /// A delivery failed for good, or it could not be transformed.
    Failed,
}

impl EventStatus {
    /// The word of the API and of the storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// An event as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventView {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub event: String,
    /// Where it stands.
    pub status: EventStatus,
    /// The kind of thing it happened to, where a webhook says so.
    pub resource_type: Option<String>,
    /// Which of them.
    pub resource_id: Option<String>,
    /// The environment of its account.
    pub environment_id: EnvironmentId,
    /// Whose it is.
    pub integrated_account_id: AccountId,
    /// Why it could not be transformed: `{code, message}`.
    pub last_error: Option<Value>,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// An event with everything there is of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventDetail {
    /// As lists show it.
    pub event: EventView,
    /// What is delivered, as JSON text; numbers stand as they came.
    pub payload: String,
    /// Where each delivery stands.
    pub deliveries: Vec<DeliveryView>,
    /// Every try, oldest first.
    pub attempts: Vec<AttemptView>,
}

/// The delivery of an event to one subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryView {
    /// The subscription.
    pub webhook_id: WebhookId,
    /// Where it stands.
    pub status: EventStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried (again).
    pub next_attempt_at: Option<Timestamp>,
}

/// One try of a delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptView {
    /// The subscription.
    pub webhook_id: WebhookId,
    /// 1, then one more with each try.
    pub number: u32,
    /// What was answered; nothing: no answer.
    pub status: Option<u16>,
    /// How long it took.
    pub duration_ms: u64,
    /// The first 4 KB of the answer.
    pub body: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// When it was sent.
    pub created_at: Timestamp,
}

/// Which events are delivered again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplayRange {
    /// Only to this subscription.
    pub webhook_id: Option<WebhookId>,
    /// Those that stand so.
    pub status: EventStatus,
    /// Stored then or later.
    pub from: Timestamp,
    /// Stored then or earlier.
    pub to: Timestamp,
}
