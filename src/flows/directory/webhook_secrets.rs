//! The secrets that sign what goes to a subscription. They rest sealed, and are opened where something is sent.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::seal::{SealKind, SealPlace};
use crate::error::{Code, Failure};
use crate::flows::base::records::WebhookRecord;
use crate::flows::base::sealed;
use crate::ids::WebhookId;
use crate::ports::System;
use crate::secret::Secret;

/// How long a secret signs, too, after there is a newer one.
const KEPT: Duration = Duration::from_hours(24);

#[derive(Serialize, Deserialize)]
struct Secrets {
    secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous_secret: Option<String>,
}

/// The secrets of a new subscription, to be sealed.
pub fn of_new(secret: &Secret) -> Value {
    json!({ "secret": secret.expose() })
}

/// Seals the secrets of a subscription.
pub(in crate::flows) fn seal(
    system: &impl System,
    id: WebhookId,
    secrets: &Value,
) -> Result<Option<String>, Failure> {
    sealed::seal(system, place(&id.to_string()), secrets)
}

/// The secrets that sign now: the present one, and for a day after a rotation the one before it.
pub fn signing(system: &impl System, record: &WebhookRecord) -> Result<Vec<Secret>, Failure> {
    let secrets = open(system, record)?;
    let until = record.previous_secret_expires_at;
    let is_over = until.is_none_or(|until| until <= system.now());
    let previous = secrets.previous_secret.filter(|_| !is_over);
    let signing = [Some(secrets.secret), previous];
    Ok(signing.into_iter().flatten().map(Secret::new).collect())
}

/// The record with a newer secret; the one it had signs, too, for a day.
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
        previous_secret_expires_at: Some(now.plus(KEPT)),
        updated_at: now,
        ..record
    })
}

/// The same secrets under the first key; `None` when they are already.
pub(in crate::flows) fn resealed(
    system: &impl System,
    record: &WebhookRecord,
) -> Result<Option<String>, Failure> {
    let id = record.id.to_string();
    sealed::resealed(system, place(&id), record.sealed.as_deref())
}

fn open(system: &impl System, record: &WebhookRecord) -> Result<Secrets, Failure> {
    let lost = || Failure::new(Code::Internal, "A subscription has no secret.");
    let text = record.sealed.as_deref().ok_or_else(lost)?;
    let opened = sealed::open(system, place(&record.id.to_string()), text)?;
    serde_json::from_value(opened).map_err(|_| lost())
}

fn place(id: &str) -> SealPlace<'_> {
    SealPlace {
        kind: SealKind::Webhook,
        id,
        field: "secrets",
    }
}
