//! `POST /webhook/test`: one real, signed request to a subscription's target, from here and now. It is
//! stored nowhere, tried once, and sent also while the subscription is paused.

use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, environment, ok, webhook};
use crate::api::Desk;
use crate::api::caller::Caller;
use crate::api::shape;
use crate::delivery::check_event;
use crate::error::Failure;
use crate::flows::base::records::WebhookRecord;
use crate::flows::events::send_webhook::{DeliveryAttempt, send_webhook};
use crate::ports::{Incoming, Outside};

/// What happened, when the caller does not say.
const EVENT: &str = "webhook:test";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WebhookTest")]
pub(in crate::api) struct Test {
    environment_id: Option<String>,
    id: String,
    event_type: Option<String>,
}

pub(super) async fn send<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let test: Test = shape::read(desk, request.body).await?;
    let environment = environment(caller, &request.url, test.environment_id.as_deref())?;
    let event = test.event_type.as_deref().unwrap_or(EVENT);
    check_event(event).map_err(|why| Failure::invalid("event_type", why))?;
    let webhook = webhook::find(desk, environment, &test.id).await?;
    // Another id each time: receivers pass over one they have seen.
    let id = format!("evt_test_{}", HEXLOWER.encode(&desk.outside.random::<8>()));
    let body = message(desk, &webhook, &id, event);
    let tried = send_webhook(desk.outside, &webhook, &id, body.to_string()).await?;
    Ok(ok(&shown(&tried)))
}

/// As an event is delivered, without an account and with a word that it is none.
fn message<O: Outside>(
    desk: &Desk<'_, O>,
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
        "created_at": desk.outside.now(),
        "webhook_id": webhook.id,
        "is_test": true,
    })
}

fn shown(tried: &DeliveryAttempt) -> Value {
    let duration = u64::try_from(tried.duration.as_millis()).unwrap_or(u64::MAX);
    match &tried.error {
        None => json!({ "status": tried.status, "duration_ms": duration }),
        Some(error) => {
            json!({ "status": tried.status, "duration_ms": duration, "error": error })
        }
    }
}
