//! `POST /webhook/test`: one real, signed request to a subscription's target, from here and now. It is
//! not stored, tried once, and sent also while the subscription is paused.

use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{AdminCall, JsonBody};
use super::noun;
use super::webhook::Subscription;
use crate::api::path_id;
use crate::delivery::check_event;
use crate::error::Failure;
use crate::flows::base::records::WebhookRecord;
use crate::flows::events::send_webhook::{DeliveryAttempt, send_webhook};
use crate::ports::Outside;

/// The event, when the caller does not name one.
const EVENT: &str = "webhook:test";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct WebhookTest {
    environment_id: Option<String>,
    id: String,
    event_type: Option<String>,
}

/// What the receiver answered.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct WebhookTested {
    /// Null: no answer.
    status: Option<u16>,
    duration_ms: u64,
    /// Why there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    error: Option<String>,
}

impl From<DeliveryAttempt> for WebhookTested {
    fn from(tried: DeliveryAttempt) -> Self {
        Self {
            status: tried.status,
            duration_ms: u64::try_from(tried.duration.as_millis()).unwrap_or(u64::MAX),
            error: tried.error,
        }
    }
}

pub(in crate::api) async fn send<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, WebhookTest>,
) -> Result<WebhookTested, Failure> {
    let test = body.read(call).await?;
    let environment = call.environment(test.environment_id.as_deref())?;
    let event = test.event_type.as_deref().unwrap_or(EVENT);
    check_event(event).map_err(|why| Failure::invalid("event_type", why))?;
    let id = path_id::parse(&test.id)?;
    let webhook = noun::find::<Subscription, O>(call, environment, id).await?;
    // Another id each time: receivers pass over one they have seen.
    let id = format!(
        "evt_test_{}",
        HEXLOWER.encode(&call.outside().random::<8>())
    );
    let message = message(call, &webhook, &id, event).to_string();
    let tried = send_webhook(call.outside(), &webhook, &id, message).await?;
    Ok(tried.into())
}

/// As an event is delivered, without an account and marked as a test.
fn message<O: Outside>(
    call: &AdminCall<'_, O>,
    webhook: &WebhookRecord,
    id: &str,
    event: &str,
) -> Value {
    json!({
        "id": id,
        "event": event,
        "payload": {},
        "environment_id": webhook.environment_id,
        "integrated_account_id": null,
        "created_at": call.outside().now(),
        "webhook_id": webhook.id,
        "is_test": true,
    })
}
