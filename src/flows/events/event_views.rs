//! Events as the API shows them.

use serde_json::Value;

use crate::error::Failure;
use crate::flows::base::recent_rows::{MOST, foreign_cursor, newest_before};
use crate::flows::base::records::{Comparison, Filter, FilterValue, ListPage, PageRequest};
use crate::flows::base::sql;
use crate::flows::base::sql::FromRow;
use crate::flows::events::account_events::AccountEvents;
use crate::flows::messages::event::{
    AttemptView, DeliveryView, EventDetail, EventStatus, EventView,
};
use crate::ids::{EnvironmentId, EventId};
use crate::json::typed;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

const COLUMNS: &str = "number, event, status, resource_type, resource_id, last_error, created_at";
/// The columns with text from outside the gateway.
const TEXTS: &[&str] = &["event", "resource_type", "resource_id", "last_error"];

/// A row of [`COLUMNS`].
type EventRow = (
    i64,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Timestamp,
);

type AttemptRow = (
    String,
    u32,
    Option<u16>,
    u64,
    Option<String>,
    Option<String>,
    Timestamp,
);

impl<O: Outside, S: Storage> AccountEvents<O, S> {
    pub(super) fn list(
        &self,
        environment: EnvironmentId,
        page: &PageRequest,
    ) -> Result<ListPage<EventView>, Failure> {
        if !self.outbox.is_there()? {
            return Ok(ListPage {
                result: Vec::new(),
                next_cursor: None,
            });
        }
        let before = match &page.after {
            None => MOST,
            Some(cursor) => self.number_in(cursor).ok_or_else(foreign_cursor)?,
        };
        let event = ("event", COLUMNS, TEXTS);
        let (rows, has_more) = newest_before(self.base.storage(), event, before, page, condition)?;
        let rows = rows.into_iter().filter_map(FromRow::from_row);
        let result: Vec<_> = rows
            .filter_map(|row| self.view_of(environment, row))
            .collect();
        let last = result.last().map(|event| event.id.to_string());
        Ok(ListPage {
            next_cursor: last.filter(|_| has_more),
            result,
        })
    }

    pub(super) fn get(
        &self,
        environment: EnvironmentId,
        id: EventId,
    ) -> Result<EventDetail, Failure> {
        let number = self.number_of(id)?;
        let (storage, values) = (self.base.storage(), [number.into()]);
        let statement = format!("SELECT {COLUMNS} FROM event WHERE number = ?");
        let row = sql::first(storage, &statement, &values)?;
        let event = row.and_then(|row| self.view_of(environment, row));
        let statement = "SELECT payload FROM event WHERE number = ?";
        let payload: Option<String> = sql::one(storage, statement, &values)?;
        Ok(EventDetail {
            event: event.ok_or_else(no_event)?,
            payload: payload.unwrap_or_else(|| "null".to_owned()),
            deliveries: self.deliveries_of(number)?,
            attempts: self.attempts_of(number)?,
        })
    }

    /// The number in an event id, if the id is of this account.
    fn number_in(&self, text: &str) -> Option<i64> {
        let id: EventId = text.parse().ok()?;
        let is_own = id.account() == self.base.id() && (0..=MOST).contains(&id.number());
        is_own.then(|| id.number())
    }

    /// The number of a stored event.
    pub(in crate::flows) fn number_of(&self, id: EventId) -> Result<i64, Failure> {
        let number = self.number_in(&id.to_string()).ok_or_else(no_event)?;
        let statement = "SELECT number FROM event WHERE number = ?";
        let is_here = self.outbox.is_there()?
            && sql::exists(self.base.storage(), statement, &[number.into()])?;
        is_here.then_some(number).ok_or_else(no_event)
    }

    fn view_of(&self, environment_id: EnvironmentId, row: EventRow) -> Option<EventView> {
        let (number, event, status, resource_type, resource_id, last_error, created_at) = row;
        Some(EventView {
            id: self.outbox.event_id(number),
            event,
            status: status_of(status)?,
            resource_type,
            resource_id,
            environment_id,
            integrated_account_id: self.base.id(),
            last_error: last_error.and_then(|text| serde_json::from_str::<Value>(&text).ok()),
            created_at,
        })
    }

    fn deliveries_of(&self, number: i64) -> Result<Vec<DeliveryView>, StorageFault> {
        let statement =
            "SELECT webhook_id, status, attempts, next_at FROM delivery WHERE event = ?";
        let rows = sql::rows_as(self.base.storage(), statement, &[number.into()])?;
        let view = |(webhook, status, attempts, next_attempt_at): (String, String, u32, _)| {
            Some(DeliveryView {
                webhook_id: webhook.parse().ok()?,
                status: status_of(status)?,
                attempts,
                next_attempt_at,
            })
        };
        Ok(rows.into_iter().filter_map(view).collect())
    }

    fn attempts_of(&self, number: i64) -> Result<Vec<AttemptView>, StorageFault> {
        let statement = "SELECT webhook_id, number, status, duration_ms, body, error, created_at FROM attempt \
                         WHERE event = ? ORDER BY created_at, webhook_id, number";
        let rows: Vec<AttemptRow> = sql::rows_as(self.base.storage(), statement, &[number.into()])?;
        Ok(rows.into_iter().filter_map(attempt_view).collect())
    }
}

pub(super) fn no_event() -> Failure {
    Failure::not_found("event")
}

fn status_of(text: String) -> Option<EventStatus> {
    typed::read(&Value::String(text)).ok()
}

fn attempt_view(row: AttemptRow) -> Option<AttemptView> {
    let (webhook, number, status, duration_ms, body, error, created_at) = row;
    Some(AttemptView {
        webhook_id: webhook.parse().ok()?,
        number,
        status,
        duration_ms,
        body,
        error,
        created_at,
    })
}

/// A filter of the API as an SQL condition. The API has checked the field.
fn condition(filter: &Filter) -> (String, SqlValue) {
    let sign = match filter.comparison {
        Comparison::Is => "=",
        Comparison::Above => ">",
        Comparison::From => ">=",
        Comparison::Below => "<",
        Comparison::To => "<=",
    };
    let text = match &filter.value {
        FilterValue::Text(text) => text.as_str(),
        FilterValue::Flag(_) => "",
    };
    match filter.field.as_str() {
        "status" => (format!("status {sign} ?"), text.into()),
        "event" => (format!("event {sign} ?"), text.into()),
        _ => {
            let millis = Timestamp::parse(text).map_or(0, Timestamp::as_millis);
            (format!("created_at {sign} ?"), millis.into())
        }
    }
}
