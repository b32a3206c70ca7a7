//! Changes and views of events and of subscriptions to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{AccountId, EnvironmentId, EventId, WebhookId};
use crate::time::Timestamp;

/// A change of a subscription. What is absent stays.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct WebhookChange {
    pub target_url: Option<String>,
    pub event_types: Option<EventTypes>,
    /// Whether events are delivered; otherwise they wait.
    pub is_active: Option<bool>,
}

/// The events of a subscription. It is a struct, so that "all" differs from absent.
#[derive(Debug, Serialize, Deserialize)]
pub struct EventTypes {
    /// Exact names, or with a trailing `*`. `None`: all events.
    pub names: Option<Vec<String>>,
}

/// The status of an event or a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventStatus {
    /// A delivery is still due.
    Pending,
    /// Every subscription received it.
    Delivered,
    /// A delivery failed for good, or the event could not be transformed.
    Failed,
}

impl EventStatus {
    /// The name in the API and in storage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Event")]
pub struct EventView {
    pub id: EventId,
    /// The name of the event.
    pub event: String,
    /// The status.
    pub status: EventStatus,
    /// The type of the changed resource, where the webhook names it.
    pub resource_type: Option<String>,
    /// The id of the changed resource.
    pub resource_id: Option<String>,
    pub environment_id: EnvironmentId,
    /// The account of the event.
    pub integrated_account_id: AccountId,
    /// Why the event could not be transformed: `{code, message}`.
    pub last_error: Option<Value>,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// An event with its payload, deliveries and attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventDetail {
    pub event: EventView,
    /// The payload as JSON text. Numbers keep their spelling.
    pub payload: String,
    pub deliveries: Vec<DeliveryView>,
    /// Every attempt, oldest first.
    pub attempts: Vec<AttemptView>,
}

/// The delivery of an event to one subscription.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryView {
    /// The subscription.
    pub webhook_id: WebhookId,
    /// The status.
    pub status: EventStatus,
    /// How many attempts were made.
    pub attempts: u32,
    /// When the next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
}

/// One attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptView {
    /// The subscription.
    pub webhook_id: WebhookId,
    /// The number of the attempt, from 1 on.
    pub number: u32,
    /// The status of the response. Null: there was no response.
    pub status: Option<u16>,
    /// How long the attempt took.
    pub duration_ms: u64,
    /// The first 4 KB of the response.
    pub body: Option<String>,
    /// Why there was no response.
    pub error: Option<String>,
    /// When it was sent.
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReplayRange {
    pub webhook_id: Option<WebhookId>,
    /// Events with this status.
    pub status: EventStatus,
    /// Events stored at or after this time.
    pub from: Timestamp,
    /// Events stored at or before this time.
    pub to: Timestamp,
}
