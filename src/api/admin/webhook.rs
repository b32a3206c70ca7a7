//! `/webhook`: subscriptions to events. A secret is shown where it is made, and not again.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use url::Url;

use super::answer::Deleted;
use super::call::{AdminCall, JsonBody};
use super::noun::{Findable, Noun};
use crate::api::path_id::PathId;
use crate::api::query::{FilterField, Filtered};
use crate::delivery::{check_event_types, check_target, new_secret};
use crate::error::{Complaint, Failure};
use crate::flows::base::records::{PageRequest, WebhookRecord};
use crate::flows::base::view::view;
use crate::flows::directory::webhook_secrets;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::event::{EventTypes, WebhookChange};
use crate::flows::messages::send_to_environment;
use crate::ids::{EnvironmentId, WebhookId};
use crate::ports::Outside;
use crate::proxy::guard;
use crate::settings::{HostKind, Settings};
use crate::time::Timestamp;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewWebhook {
    environment_id: Option<String>,
    target_url: String,
    event_types: Option<Vec<String>>,
    is_active: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WebhookChange")]
pub(in crate::api) struct SubscriptionPatch {
    environment_id: Option<String>,
    target_url: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Vec<String>>")]
    event_types: Option<EventTypes>,
    is_active: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NamedEnvironment {
    environment_id: Option<String>,
}

/// Null means all events; an absent key changes nothing.
fn present<'de, D: Deserializer<'de>>(input: D) -> Result<Option<EventTypes>, D::Error> {
    let names = Option::deserialize(input)?;
    Ok(Some(EventTypes { names }))
}

view! {
    /// The public fields of a subscription.
    SubscriptionFields of WebhookRecord {
        id: WebhookId,
        environment_id: EnvironmentId,
        /// Where events are delivered.
        target_url: String,
        /// Names of events, exact or with a trailing `*`; null: all.
        event_types: Option<Vec<String>>,
        /// Since when it is paused; null: it is active.
        paused_at: Option<Timestamp>,
        /// Since when every delivery fails.
        failing_since: Option<Timestamp>,
        created_at: Timestamp,
        updated_at: Timestamp,
    } hides { previous_secret_expires_at: _, sealed: _ }
}

/// A subscription, without its secrets.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Webhook")]
pub(in crate::api) struct Subscription {
    #[serde(flatten)]
    record: SubscriptionFields,
    is_active: bool,
}

impl From<WebhookRecord> for Subscription {
    fn from(record: WebhookRecord) -> Self {
        Self {
            is_active: record.paused_at.is_none(),
            record: record.into(),
        }
    }
}

/// The subscription, with its secret.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MadeWebhook")]
pub(in crate::api) struct SubscriptionCreated {
    #[serde(flatten)]
    record: Subscription,
    secret: String,
}

/// The new secret. The old one signs, too, for a day.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct WebhookSecret {
    id: WebhookId,
    secret: String,
    previous_secret_expires_at: Option<Timestamp>,
}

impl Filtered for Subscription {
    const FILTERS: &'static [FilterField] = &[
        FilterField::text("target_url"),
        FilterField::time("created_at"),
    ];
}

impl Noun for Subscription {
    type Record = WebhookRecord;
    type Message = EnvironmentMessage;

    fn list(page: PageRequest) -> EnvironmentMessage {
        EnvironmentMessage::ListWebhooks(page)
    }

    fn show<O: Outside>(_: &AdminCall<'_, O>, record: WebhookRecord) -> Self {
        record.into()
    }
}

impl Findable for Subscription {
    type Id = WebhookId;

    fn find(id: WebhookId) -> EnvironmentMessage {
        EnvironmentMessage::FindWebhook(id)
    }
}

pub(in crate::api) async fn create<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, NewWebhook>,
) -> Result<SubscriptionCreated, Failure> {
    let new = body.read(call).await?;
    let environment = call.environment(new.environment_id.as_deref())?;
    let outside = call.outside();
    let settings = outside.settings();
    let own = [settings.public_url.as_ref(), Some(&call.url)];
    let target = Some(new.target_url.as_str());
    check(settings, &own, target, new.event_types.as_deref())?;
    let secret = new_secret(outside.random());
    let now = outside.now();
    let record = WebhookRecord {
        id: WebhookId::new(now, outside.random()),
        environment_id: environment,
        target_url: new.target_url,
        event_types: new.event_types,
        paused_at: (new.is_active == Some(false)).then_some(now),
        failing_since: None,
        previous_secret_expires_at: None,
        created_at: now,
        updated_at: now,
        sealed: None,
    };
    let ask = EnvironmentMessage::CreateWebhook(record, webhook_secrets::of_new(&secret));
    let record: WebhookRecord = write(call, environment, &ask).await?;
    Ok(SubscriptionCreated {
        record: record.into(),
        secret: secret.expose().to_owned(),
    })
}

pub(in crate::api) async fn change<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<WebhookId>,
    body: JsonBody<O, SubscriptionPatch>,
) -> Result<Subscription, Failure> {
    let patch = body.read(call).await?;
    let environment = call.environment(patch.environment_id.as_deref())?;
    let names = patch.event_types.as_ref();
    let names = names.and_then(|events| events.names.as_deref());
    let settings = call.outside().settings();
    let own = [settings.public_url.as_ref(), Some(&call.url)];
    check(settings, &own, patch.target_url.as_deref(), names)?;
    let change = WebhookChange {
        target_url: patch.target_url,
        event_types: patch.event_types,
        is_active: patch.is_active,
    };
    let ask = EnvironmentMessage::ChangeWebhook(id.parse()?, change);
    let record: WebhookRecord = write(call, environment, &ask).await?;
    Ok(record.into())
}

pub(in crate::api) async fn rotate<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<WebhookId>,
    body: JsonBody<O, Option<NamedEnvironment>>,
) -> Result<WebhookSecret, Failure> {
    let named = body.read_if_any(call).await?;
    let named = named.and_then(|named| named.environment_id);
    let environment = call.environment(named.as_deref())?;
    let secret = new_secret(call.outside().random());
    let ask = EnvironmentMessage::RotateWebhookSecret(id.parse()?, secret.expose().to_owned());
    let record: WebhookRecord = write(call, environment, &ask).await?;
    Ok(WebhookSecret {
        id: record.id,
        secret: secret.expose().to_owned(),
        previous_secret_expires_at: record.previous_secret_expires_at,
    })
}

pub(in crate::api) async fn delete<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<WebhookId>,
) -> Result<Deleted<WebhookId>, Failure> {
    let environment = call.environment(None)?;
    let ask = EnvironmentMessage::DeleteWebhook(id.parse()?);
    let id = write(call, environment, &ask).await?;
    Ok(Deleted { id })
}

/// The isolate that writes drops its copy at once, also where the answer of the write was lost.
async fn write<O: Outside, T: DeserializeOwned>(
    call: &AdminCall<'_, O>,
    environment: EnvironmentId,
    ask: &EnvironmentMessage,
) -> Result<T, Failure> {
    let written = send_to_environment(call.outside(), environment, ask).await;
    call.context.isolate.drop_subscriptions(environment);
    written
}

/// Refuses with everything that is wrong.
fn check(
    settings: &Settings,
    own: &[Option<&Url>],
    target: Option<&str>,
    event_types: Option<&[String]>,
) -> Result<(), Failure> {
    let target = target.map(|text| check_address(settings, own, text));
    let event_types = event_types.map(check_event_types);
    let found = [("target_url", target), ("event_types", event_types)];
    let complaints: Vec<Complaint> = found
        .into_iter()
        .filter_map(|(path, checked)| {
            let message = checked?.err()?;
            Some(Complaint {
                path: path.to_owned(),
                message,
            })
        })
        .collect();
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid_in(&complaints))
    }
}

/// Sending checks it again: what may be called can change. `own` are the names this gateway is known to go by.
fn check_address(settings: &Settings, own: &[Option<&Url>], text: &str) -> Result<(), String> {
    let url = check_target(text).map_err(|bad| bad.to_string())?;
    if own.iter().flatten().any(|own| HostKind::is_same(own, &url)) {
        return Err("is this gateway's own address: events would make events".to_owned());
    }
    let refused = guard::check(&url, settings.private_upstreams).err();
    refused.map_or(Ok(()), |refused| {
        Err(format!("cannot be called: {refused}"))
    })
}
