//! `/webhook`: subscriptions to events. A secret is shown where it is made, and nowhere else.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use url::Url;

use super::{Answer, created, deleted, environment, listed, ok};
use crate::api::Desk;
use crate::api::caller::Caller;
use crate::api::query::{Field, Query};
use crate::api::shape;
use crate::delivery::{check_event_types, check_target, new_secret};
use crate::error::{Complaint, Failure};
use crate::flows::base::records::{ListPage, WebhookRecord};
use crate::flows::directory::webhook_secrets;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::event::{EventTypes, WebhookChange};
use crate::flows::messages::send_to_environment;
use crate::ids::{EnvironmentId, WebhookId};
use crate::json as words;
use crate::ports::{Incoming, Outside};
use crate::proxy::guard;
use crate::settings::{Place, Settings};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewWebhook")]
pub(in crate::api) struct New {
    environment_id: Option<String>,
    target_url: String,
    event_types: Option<Vec<String>>,
    is_active: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WebhookChange")]
pub(in crate::api) struct Change {
    environment_id: Option<String>,
    target_url: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<Vec<String>>")]
    event_types: Option<EventTypes>,
    is_active: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NamedEnvironment")]
pub(in crate::api) struct Named {
    environment_id: Option<String>,
}

/// A null that is there stands for all events.
fn present<'de, D: Deserializer<'de>>(input: D) -> Result<Option<EventTypes>, D::Error> {
    let names = Option::deserialize(input)?;
    Ok(Some(EventTypes { names }))
}

/// What a list is narrowed by.
pub(in crate::api) const FIELDS: [Field; 2] =
    [Field::text("target_url"), Field::time("created_at")];

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, caller: &Caller, url: &Url) -> Answer<O> {
    let (query, page) = Query::of_list(url, &["environment_id"], &FIELDS)?;
    let environment = caller.environment(query.get("environment_id"))?;
    let ask = EnvironmentMessage::ListWebhooks(page.clone());
    let found: ListPage<WebhookRecord> =
        send_to_environment(desk.outside, environment, &ask).await?;
    Ok(listed(&found, &page, shown))
}

pub(super) async fn create<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let new: New = shape::read(desk, request.body).await?;
    let environment = environment(caller, &request.url, new.environment_id.as_deref())?;
    let settings = desk.outside.settings();
    let own = [settings.public_url.as_ref(), Some(&request.url)];
    let target = Some(new.target_url.as_str());
    check(settings, &own, target, new.event_types.as_deref())?;
    let secret = new_secret(desk.outside.random());
    let now = desk.outside.now();
    let record = WebhookRecord {
        id: WebhookId::new(now, desk.outside.random()),
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
    let record: WebhookRecord = write(desk, environment, &ask).await?;
    let mut shown = shown(&record);
    words::merge(&mut shown, &json!({ "secret": secret.expose() }));
    Ok(created(&shown))
}

pub(super) async fn get<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let environment = environment(caller, url, None)?;
    Ok(ok(&shown(&find(desk, environment, id).await?)))
}

pub(super) async fn change<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let change: Change = shape::read(desk, request.body).await?;
    let environment = environment(caller, &request.url, change.environment_id.as_deref())?;
    let names = change.event_types.as_ref();
    let names = names.and_then(|events| events.names.as_deref());
    let settings = desk.outside.settings();
    let own = [settings.public_url.as_ref(), Some(&request.url)];
    check(settings, &own, change.target_url.as_deref(), names)?;
    let change = WebhookChange {
        target_url: change.target_url,
        event_types: change.event_types,
        is_active: change.is_active,
    };
    let ask = EnvironmentMessage::ChangeWebhook(parse(id)?, change);
    let record: WebhookRecord = write(desk, environment, &ask).await?;
    Ok(ok(&shown(&record)))
}

pub(super) async fn rotate<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let named: Option<Named> = shape::read_shape(
        shape::read_json_if_any(desk.outside, request.body, &desk.room, None).await?,
    )?;
    let named = named.and_then(|named| named.environment_id);
    let environment = environment(caller, &request.url, named.as_deref())?;
    let secret = new_secret(desk.outside.random());
    let ask = EnvironmentMessage::RotateWebhookSecret(parse(id)?, secret.expose().to_owned());
    let record: WebhookRecord = write(desk, environment, &ask).await?;
    let until = record.previous_secret_expires_at;
    Ok(ok(
        &json!({ "id": record.id, "secret": secret.expose(), "previous_secret_expires_at": until }),
    ))
}

pub(super) async fn delete<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let environment = environment(caller, url, None)?;
    let ask = EnvironmentMessage::DeleteWebhook(parse(id)?);
    let id: WebhookId = write(desk, environment, &ask).await?;
    Ok(deleted(&id))
}

/// The isolate that writes replaces its copy at once.
async fn write<O: Outside, T: DeserializeOwned>(
    desk: &Desk<'_, O>,
    environment: EnvironmentId,
    ask: &EnvironmentMessage,
) -> Result<T, Failure> {
    let written = send_to_environment(desk.outside, environment, ask).await;
    desk.isolate.drop_subscriptions(environment);
    written
}

/// The subscription of that id in this environment.
pub(super) async fn find<O: Outside>(
    desk: &Desk<'_, O>,
    environment: EnvironmentId,
    id: &str,
) -> Result<WebhookRecord, Failure> {
    let ask = EnvironmentMessage::FindWebhook(parse(id)?);
    let found: Option<WebhookRecord> = send_to_environment(desk.outside, environment, &ask).await?;
    found.ok_or_else(hidden)
}

/// Says everything that is wrong at once.
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
    if own.iter().flatten().any(|own| Place::is_same(own, &url)) {
        return Err("is this gateway's own address: events would make events".to_owned());
    }
    let refused = guard::check(&url, settings.private_upstreams).err();
    refused.map_or(Ok(()), |refused| {
        Err(format!("cannot be called: {refused}"))
    })
}

fn parse(id: &str) -> Result<WebhookId, Failure> {
    id.parse().map_err(|_| hidden())
}

fn hidden() -> Failure {
    Failure::not_found("webhook")
}

/// Without its secrets; `secret` stands only in the answers that made one.
fn shown(record: &WebhookRecord) -> Value {
    json!({
        "id": record.id,
        "environment_id": record.environment_id,
        "target_url": record.target_url,
        "event_types": record.event_types,
        "is_active": record.paused_at.is_none(),
        "paused_at": record.paused_at,
        "failing_since": record.failing_since,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    })
}
