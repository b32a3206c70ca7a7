//! `/event`: what happened to accounts, and delivering it again. An account's events are in its own object;
//! of a whole environment, its directory knows those that failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::answer::List;
use super::call::{AdminCall, JsonBody};
use crate::api::path_id::{self, PathId};
use crate::api::query::{FilterField, Filtered, QueryParameters};
use crate::api::reply;
use crate::error::{Code, Failure};
use crate::flows::base::records::{FailedEvent, FilterValue, ListPage, PageRequest};
use crate::flows::base::view::view;
use crate::flows::events::replay_all::replay_events;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::event::{
    AttemptView, DeliveryView, EventDetail, EventStatus, EventView, ReplayRange,
};
use crate::flows::messages::{send_to_account, send_to_environment};
use crate::ids::{AccountId, EnvironmentId, EventId, WebhookId};
use crate::ports::{Outside, Visibility};
use crate::time::Timestamp;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct EventReplay {
    environment_id: Option<String>,
    integrated_account_id: Option<String>,
    webhook_id: Option<String>,
    status: Option<EventStatus>,
    from: Timestamp,
    to: Timestamp,
}

/// The event with its payload and deliveries.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "WholeEvent")]
pub(in crate::api) struct EventWithDeliveries {
    #[serde(flatten)]
    event: EventView,
    /// What is delivered. Numbers are as they came.
    #[schemars(with = "serde_json::Value")]
    payload: Box<RawValue>,
    deliveries: Vec<DeliveryView>,
    attempts: Vec<AttemptView>,
}

view! {
    /// What a directory knows of a failed event.
    FailedEventFields of FailedEvent {
        id: EventId,
        /// The name of the event.
        event: String,
        /// The subscriptions it did not reach.
        webhook_ids: Vec<WebhookId>,
        created_at: Timestamp,
    } hides {}
}

/// A failed event, as the directory of its environment knows it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FailedEvent")]
pub(in crate::api) struct ListedFailure {
    #[serde(flatten)]
    record: FailedEventFields,
    status: EventStatus,
    environment_id: EnvironmentId,
    integrated_account_id: AccountId,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(in crate::api) enum EventInList {
    OfAccount(EventView),
    Failed(ListedFailure),
}

/// The event is delivered again.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct ReplayedEvent {
    id: EventId,
}

/// How many events are delivered again.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct EventsReplayed {
    replayed: u64,
}

impl Filtered for EventInList {
    const FILTERS: &'static [FilterField] = &[
        FilterField::text("status"),
        FilterField::text("event"),
        FilterField::text("webhook_id"),
        FilterField::time("created_at"),
    ];
}

pub(in crate::api) async fn list<O: Outside>(
    call: &AdminCall<'_, O>,
) -> Result<List<EventInList>, Failure> {
    let others = ["environment_id", "integrated_account_id"];
    let (query, page) = QueryParameters::of_events(&call.url, &others, EventInList::FILTERS)?;
    check_status(&query)?;
    let named = query.get("environment_id");
    if let Some(id) = query.get("integrated_account_id") {
        let visibility = call.visibility_in(named)?;
        return list_of_account(call, visibility, path_id::parse(id)?, page).await;
    }
    list_failed(call, call.caller.environment(named)?, page).await
}

async fn list_of_account<O: Outside>(
    call: &AdminCall<'_, O>,
    visibility: Visibility,
    account: AccountId,
    page: PageRequest,
) -> Result<List<EventInList>, Failure> {
    if page.filters.iter().any(|one| one.field == "webhook_id") {
        let message =
            "narrows the failed events of an environment: leave integrated_account_id out";
        return Err(Failure::invalid("webhook_id", message));
    }
    let ask = AccountMessage::ListEvents(visibility, page.clone());
    let found: ListPage<EventView> = send_to_account(call.outside(), account, &ask).await?;
    Ok(List::of(found, &page, EventInList::OfAccount))
}

async fn list_failed<O: Outside>(
    call: &AdminCall<'_, O>,
    environment: EnvironmentId,
    mut page: PageRequest,
) -> Result<List<EventInList>, Failure> {
    let failed = FilterValue::Text(EventStatus::Failed.as_str().to_owned());
    let mut statuses = page.filters.iter().filter(|one| one.field == "status");
    if statuses.any(|one| one.value != failed) {
        let message = "of a whole environment only failed events are listed: name an account by integrated_account_id";
        return Err(Failure::invalid("status", message));
    }
    page.filters.retain(|one| one.field != "status");
    let ask = EnvironmentMessage::ListFailed(page.clone());
    let found: ListPage<FailedEvent> =
        send_to_environment(call.outside(), environment, &ask).await?;
    Ok(List::of(found, &page, |event| {
        failed_in(environment, event)
    }))
}

pub(in crate::api) async fn get<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<EventId>,
) -> Result<EventWithDeliveries, Failure> {
    let visibility = call.visibility()?;
    let id = id.parse()?;
    let ask = AccountMessage::GetEvent(visibility, id);
    let found: Result<EventDetail, _> = send_to_account(call.outside(), id.account(), &ask).await;
    let found = found.map_err(hidden)?;
    Ok(EventWithDeliveries {
        event: found.event,
        payload: reply::raw(&found.payload),
        deliveries: found.deliveries,
        attempts: found.attempts,
    })
}

pub(in crate::api) async fn replay<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<EventId>,
) -> Result<ReplayedEvent, Failure> {
    let visibility = call.visibility()?;
    let id = id.parse()?;
    let ask = AccountMessage::Replay(visibility, id);
    let done: Result<(), Failure> = send_to_account(call.outside(), id.account(), &ask).await;
    done.map_err(hidden)?;
    Ok(ReplayedEvent { id })
}

pub(in crate::api) async fn replay_all<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, EventReplay>,
) -> Result<EventsReplayed, Failure> {
    let replay = body.read(call).await?;
    let query = QueryParameters::read(&call.url, &["environment_id"])?;
    let named = replay.environment_id.as_deref();
    let named = named.or(query.get("environment_id"));
    let range = range(&replay)?;
    let replayed = match &replay.integrated_account_id {
        Some(id) => {
            let ask = AccountMessage::ReplayAll(call.visibility_in(named)?, range);
            send_to_account(call.outside(), path_id::parse(id)?, &ask).await?
        }
        None if range.status == EventStatus::Failed => {
            replay_events(call.outside(), call.caller.environment(named)?, &range).await?
        }
        None => {
            let message = "of a whole environment only failed events are replayed: name an account by integrated_account_id";
            return Err(Failure::invalid("status", message));
        }
    };
    Ok(EventsReplayed { replayed })
}

fn range(replay: &EventReplay) -> Result<ReplayRange, Failure> {
    if replay.to < replay.from {
        return Err(Failure::invalid("to", "is before `from`"));
    }
    let webhook = replay.webhook_id.as_deref().map(path_id::parse);
    Ok(ReplayRange {
        webhook_id: webhook.transpose()?,
        status: replay.status.unwrap_or(EventStatus::Failed),
        from: replay.from,
        to: replay.to,
    })
}

/// A misspelt status must not list nothing.
fn check_status(query: &QueryParameters) -> Result<(), Failure> {
    let known = [
        EventStatus::Pending,
        EventStatus::Delivered,
        EventStatus::Failed,
    ];
    match query.get("status") {
        Some(text) if known.iter().all(|one| one.as_str() != text) => {
            let message = "is not `pending`, `delivered` or `failed`";
            Err(Failure::invalid("status", message))
        }
        _ => Ok(()),
    }
}

/// Whether the event or its account is what the caller may not see stays hidden.
fn hidden(failure: Failure) -> Failure {
    match failure.code {
        Code::NotFound => path_id::not_found::<EventId>(),
        _ => failure,
    }
}

fn failed_in(environment: EnvironmentId, event: FailedEvent) -> EventInList {
    EventInList::Failed(ListedFailure {
        status: EventStatus::Failed,
        environment_id: environment,
        integrated_account_id: event.id.account(),
        record: event.into(),
    })
}
