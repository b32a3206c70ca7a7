//! `/event`: what happened to accounts, and delivering it again. An account's events are in its own object;
//! of a whole environment, its directory knows those that failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::Url;

use super::{Answer, listed, ok};
use crate::api::caller::Caller;
use crate::api::query::{Field, Query};
use crate::api::{Desk, reply, shape};
use crate::error::{Code, Failure};
use crate::flows::base::records::{FailedEvent, FilterValue, ListPage, PageRequest};
use crate::flows::events::replay_all::replay_events;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::event::{
    AttemptView, DeliveryView, EventDetail, EventStatus, EventView, ReplayRange,
};
use crate::flows::messages::{send_to_account, send_to_environment};
use crate::ids::{AccountId, EnvironmentId, EventId};
use crate::ports::{Incoming, Outside, Sees};
use crate::time::Timestamp;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EventReplay")]
pub(in crate::api) struct Replays {
    environment_id: Option<String>,
    integrated_account_id: Option<String>,
    webhook_id: Option<String>,
    status: Option<EventStatus>,
    from: Timestamp,
    to: Timestamp,
}

/// An event with everything there is of it. Its payload goes out as it stands in storage.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    event: &'a EventView,
    payload: Box<RawValue>,
    deliveries: &'a [DeliveryView],
    attempts: &'a [AttemptView],
}

/// What a list is narrowed by.
pub(in crate::api) const FIELDS: [Field; 4] = [
    Field::text("status"),
    Field::text("event"),
    Field::text("webhook_id"),
    Field::time("created_at"),
];

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, caller: &Caller, url: &Url) -> Answer<O> {
    let others = ["environment_id", "integrated_account_id"];
    let (query, page) = Query::of_events(url, &others, &FIELDS)?;
    check_status(&query)?;
    let named = query.get("environment_id");
    if let Some(id) = query.get("integrated_account_id") {
        let sees = sees(caller, named)?;
        return list_of_account(desk, sees, parse_account(id)?, page).await;
    }
    list_failed(desk, caller.environment(named)?, page).await
}

async fn list_of_account<O: Outside>(
    desk: &Desk<'_, O>,
    sees: Sees,
    account: AccountId,
    page: PageRequest,
) -> Answer<O> {
    if page.filters.iter().any(|one| one.field == "webhook_id") {
        let words = "narrows the failed events of an environment: leave integrated_account_id out";
        return Err(Failure::invalid("webhook_id", words));
    }
    let ask = AccountMessage::ListEvents(sees, page.clone());
    let found: ListPage<EventView> = send_to_account(desk.outside, account, &ask).await?;
    Ok(listed(&found, &page, |event| json!(event)))
}

async fn list_failed<O: Outside>(
    desk: &Desk<'_, O>,
    environment: EnvironmentId,
    mut page: PageRequest,
) -> Answer<O> {
    let failed = FilterValue::Text(EventStatus::Failed.as_str().to_owned());
    let mut statuses = page.filters.iter().filter(|one| one.field == "status");
    if statuses.any(|one| one.value != failed) {
        let words = "of a whole environment only failed events are listed: name an account by integrated_account_id";
        return Err(Failure::invalid("status", words));
    }
    page.filters.retain(|one| one.field != "status");
    let ask = EnvironmentMessage::ListFailed(page.clone());
    let found: ListPage<FailedEvent> = send_to_environment(desk.outside, environment, &ask).await?;
    Ok(listed(&found, &page, |event| {
        failed_event(environment, event)
    }))
}

pub(super) async fn get<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let (sees, id) = (sees_by(caller, url)?, parse(id)?);
    let ask = AccountMessage::GetEvent(sees, id);
    let found: Result<EventDetail, _> = send_to_account(desk.outside, id.account(), &ask).await;
    let found = found.map_err(hidden)?;
    Ok(ok(&Whole {
        event: &found.event,
        payload: reply::raw(&found.payload),
        deliveries: &found.deliveries,
        attempts: &found.attempts,
    }))
}

pub(super) async fn replay<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let (sees, id) = (sees_by(caller, url)?, parse(id)?);
    let ask = AccountMessage::Replay(sees, id);
    let done: Result<(), Failure> = send_to_account(desk.outside, id.account(), &ask).await;
    done.map_err(hidden)?;
    Ok(ok(&json!({ "id": id })))
}

pub(super) async fn replay_all<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let replays: Replays = shape::read(desk, request.body).await?;
    let query = Query::read(&request.url, &["environment_id"])?;
    let named = replays.environment_id.as_deref();
    let named = named.or(query.get("environment_id"));
    let range = range(&replays)?;
    let replayed = match &replays.integrated_account_id {
        Some(id) => {
            let ask = AccountMessage::ReplayAll(sees(caller, named)?, range);
            send_to_account(desk.outside, parse_account(id)?, &ask).await?
        }
        None if range.status == EventStatus::Failed => {
            replay_events(desk.outside, caller.environment(named)?, &range).await?
        }
        None => {
            let words = "of a whole environment only failed events are replayed: name an account by integrated_account_id";
            return Err(Failure::invalid("status", words));
        }
    };
    let replayed: u64 = replayed;
    Ok(ok(&json!({ "replayed": replayed })))
}

fn range(replays: &Replays) -> Result<ReplayRange, Failure> {
    if replays.to < replays.from {
        return Err(Failure::invalid("to", "is before `from`"));
    }
    let webhook = replays.webhook_id.as_deref().map(str::parse).transpose();
    Ok(ReplayRange {
        webhook_id: webhook.map_err(|_| Failure::not_found("webhook"))?,
        status: replays.status.unwrap_or(EventStatus::Failed),
        from: replays.from,
        to: replays.to,
    })
}

/// A misspelt status must not list nothing.
fn check_status(query: &Query) -> Result<(), Failure> {
    let known = [
        EventStatus::Pending,
        EventStatus::Delivered,
        EventStatus::Failed,
    ];
    match query.get("status") {
        Some(text) if known.iter().all(|one| one.as_str() != text) => {
            let words = "is not `pending`, `delivered` or `failed`";
            Err(Failure::invalid("status", words))
        }
        _ => Ok(()),
    }
}

fn sees_by(caller: &Caller, url: &Url) -> Result<Sees, Failure> {
    let query = Query::read(url, &["environment_id"])?;
    sees(caller, query.get("environment_id"))
}

/// What of the accounts a caller may see; the admin token may name an environment, or leave it open.
fn sees(caller: &Caller, named: Option<&str>) -> Result<Sees, Failure> {
    match named {
        None => Ok(caller.sees()),
        Some(_) => caller.environment(named).map(Sees::Environment),
    }
}

fn parse(id: &str) -> Result<EventId, Failure> {
    id.parse().map_err(|_| Failure::not_found("event"))
}

fn parse_account(id: &str) -> Result<AccountId, Failure> {
    id.parse()
        .map_err(|_| Failure::not_found("integrated account"))
}

/// Whether it is the event or its account that this caller cannot see is not told.
fn hidden(failure: Failure) -> Failure {
    match failure.code {
        Code::NotFound => Failure::not_found("event"),
        _ => failure,
    }
}

/// What a directory knows of a failed event; its account knows the rest.
fn failed_event(environment: EnvironmentId, event: &FailedEvent) -> Value {
    json!({
        "id": event.id,
        "event": event.event,
        "status": EventStatus::Failed,
        "environment_id": environment,
        "integrated_account_id": event.id.account(),
        "webhook_ids": event.webhook_ids,
        "created_at": event.created_at,
    })
}
