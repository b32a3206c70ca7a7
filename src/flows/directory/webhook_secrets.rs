//! The secrets that sign the deliveries of a subscription. They are stored sealed, and opened only to send.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::seal::{SealKind, SealPlace};
use crate::error::{Code, Failure};
use crate::flows::base::records::WebhookRecord;
use crate::flows::base::sealed;
use crate::ids::WebhookId;
use crate::json::typed;
use crate::ports::System;
use crate::secret::Secret;

/// How long the previous secret also signs after a rotation.
const ROTATION_PERIOD: Duration = Duration::from_hours(24);

#[derive(Serialize, Deserialize)]
struct Secrets {
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_secret: Option<String>,
}

/// The secrets of a new subscription, before they are sealed.
pub fn of_new(secret: &Secret) -> Value {
    json!({ "secret": secret.expose() })
}

pub(in crate::flows) fn seal(
    system: &impl System,
    id: WebhookId,
    secrets: &Value,
) -> Result<Option<String>, Failure> {
    sealed::seal(system, place(&id.to_string()), secrets)
}

/// The secrets that sign now: the current one, and for a day after a rotation the previous one.
pub fn signing(system: &impl System, record: &WebhookRecord) -> Result<Vec<Secret>, Failure> {
    let secrets = open(system, record)?;
    let until = record.previous_secret_expires_at;
    let is_expired = until.is_none_or(|until| until <= system.now());
    let previous = secrets.previous_secret.filter(|_| !is_expired);
    let signing = [Some(secrets.secret), previous];
    Ok(signing.into_iter().flatten().map(Secret::new).collect())
}

/// Replaces the secret. The previous one also signs for a day.
pub(in crate::flows) fn rotated(
    system: &impl System,
    record: WebhookRecord,
    secret: String,
) -> Result<WebhookRecord, Failure> {
    let secrets = Secrets {
        secret,
        previous_secret: Some(open(system, &record)?.secret),
    };
    let now = system.now();
    Ok(WebhookRecord {
        sealed: seal(system, record.id, &json!(secrets))?,
        previous_secret_expires_at: Some(now.plus(ROTATION_PERIOD)),
        updated_at: now,
        ..record
    })
}

/// Re-seals the secrets with the first key. `None` when they are sealed with it already.
pub(in crate::flows) fn resealed(
    system: &impl System,
    record: &WebhookRecord,
) -> Result<Option<String>, Failure> {
    let id = record.id.to_string();
    sealed::resealed(system, place(&id), record.sealed.as_deref())
}

fn open(system: &impl System, record: &WebhookRecord) -> Result<Secrets, Failure> {
    let missing = || Failure::new(Code::Internal, "A subscription has no secret.");
    let text = record.sealed.as_deref().ok_or_else(missing)?;
    let opened = sealed::open(system, place(&record.id.to_string()), text)?;
    typed::read(&opened).map_err(|_| missing())
}

fn place(id: &str) -> SealPlace<'_> {
    SealPlace {
        kind: SealKind::Webhook,
        id,
        field: "secrets",
    }
}
