//! Events as they are shown.

use serde_json::Value;

use crate::error::{Code, Failure};
use crate::flows::account_object::AccountObject;
use crate::flows::account_object::newest::MOST;
use crate::flows::base::records::{Comparison, Filter, FilterValue, ListPage, PageRequest};
use crate::flows::messages::event::{
    AttemptView, DeliveryView, EventDetail, EventStatus, EventView,
};
use crate::ids::{EnvironmentId, EventId};
use crate::ports::{Outside, Row, Sees, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

const COLUMNS: &str = "number, event, status, resource_type, resource_id, last_error, created_at";
/// Those of them that come from outside.
const TEXTS: &[&str] = &["event", "resource_type", "resource_id", "last_error"];

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Whose events these are, when the caller may see them; those of an account that is gone, too.
    pub(in crate::flows) async fn visible_outbox(
        &self,
        sees: &Sees,
    ) -> Result<EnvironmentId, Failure> {
        let loaded = self.settled().await?;
        let own = match &loaded {
            Some(loaded) => Some(loaded.account.environment_id),
            None => self.outbox_environment()?,
        };
        let visible = own.filter(|own| match sees {
            Sees::All => true,
            Sees::Environment(environment) => environment == own,
            Sees::AccountToken(_) => false,
        });
        visible.ok_or_else(|| Failure::not_found("integrated account"))
    }

    /// Newest first.
    pub(in crate::flows) async fn list_events(
        &self,
        sees: &Sees,
        page: &PageRequest,
    ) -> Result<ListPage<EventView>, Failure> {
        let environment = self.visible_outbox(sees).await?;
        if !self.has_outbox()? {
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
        let (rows, has_more) = self.newest_before(event, before, page, condition)?;
        let result = rows
            .iter()
            .filter_map(|row| self.view_of(environment, row))
            .collect::<Vec<_>>();
        let last = result.last().map(|event| event.id.to_string());
        Ok(ListPage {
            next_cursor: last.filter(|_| has_more),
            result,
        })
    }

    /// Everything there is of one.
    pub(in crate::flows) async fn get_event(
        &self,
        sees: &Sees,
        id: EventId,
    ) -> Result<EventDetail, Failure> {
        let environment = self.visible_outbox(sees).await.map_err(|_| no_event())?;
        let number = self.number_of(id)?;
        let rows = self.storage.exec(
            &format!("SELECT {COLUMNS} FROM event WHERE number = ?"),
            &[number.into()],
        )?;
        let event = rows.first().and_then(|row| self.view_of(environment, row));
        let payload = self.storage.exec(
            "SELECT payload FROM event WHERE number = ?",
            &[number.into()],
        )?;
        let payload = payload
            .first()
            .and_then(|row| row.first())
            .and_then(SqlValue::as_text);
        Ok(EventDetail {
            event: event.ok_or_else(no_event)?,
            payload: payload.unwrap_or("null").to_owned(),
            deliveries: self.deliveries_of(number)?,
            attempts: self.attempts_of(number)?,
        })
    }

    /// The number in the text of an id of this account's events.
    fn number_in(&self, text: &str) -> Option<i64> {
        let id: EventId = text.parse().ok()?;
        let is_own = id.account() == self.id && (0..=MOST).contains(&id.number());
        is_own.then(|| id.number())
    }

    /// The number of an event that is here.
    pub(in crate::flows) fn number_of(&self, id: EventId) -> Result<i64, Failure> {
        let number = self.number_in(&id.to_string()).ok_or_else(no_event)?;
        let statement = "SELECT number FROM event WHERE number = ?";
        let is_here =
            self.has_outbox()? && self.one_integer(statement, &[number.into()])?.is_some();
        is_here.then_some(number).ok_or_else(no_event)
    }

    fn view_of(&self, environment_id: EnvironmentId, row: &Row) -> Option<EventView> {
        let [
            number,
            event,
            status,
            resource_type,
            resource_id,
            last_error,
            created_at,
        ] = row.as_slice()
        else {
            return None;
        };
        let text = |value: &SqlValue| value.as_text().map(str::to_owned);
        Some(EventView {
            id: self.event_id(number.as_integer()?),
            event: text(event)?,
            status: status_of(status)?,
            resource_type: text(resource_type),
            resource_id: text(resource_id),
            environment_id,
            integrated_account_id: self.id,
            last_error: last_error
                .as_text()
                .and_then(|text| serde_json::from_str::<Value>(text).ok()),
            created_at: Timestamp::from_millis(created_at.as_integer()?),
        })
    }

    fn deliveries_of(&self, number: i64) -> Result<Vec<DeliveryView>, StorageFault> {
        let statement =
            "SELECT webhook_id, status, attempts, next_at FROM delivery WHERE event = ?";
        let rows = self.storage.exec(statement, &[number.into()])?;
        Ok(rows.iter().filter_map(delivery_view).collect())
    }

    fn attempts_of(&self, number: i64) -> Result<Vec<AttemptView>, StorageFault> {
        let statement = "SELECT webhook_id, number, status, duration_ms, body, error, created_at FROM attempt \
                         WHERE event = ? ORDER BY created_at, webhook_id, number";
        let rows = self.storage.exec(statement, &[number.into()])?;
        Ok(rows.iter().filter_map(attempt_view).collect())
    }
}

fn foreign_cursor() -> Failure {
    Failure::new(Code::Malformed, "The cursor is not one of this list.")
}

fn no_event() -> Failure {
    Failure::not_found("event")
}

pub(in crate::flows) fn status_of(value: &SqlValue) -> Option<EventStatus> {
    serde_json::from_value(Value::from(value.as_text()?)).ok()
}

fn delivery_view(row: &Row) -> Option<DeliveryView> {
    let [webhook_id, status, attempts, next_at] = row.as_slice() else {
        return None;
    };
    Some(DeliveryView {
        webhook_id: webhook_id.as_text()?.parse().ok()?,
        status: status_of(status)?,
        attempts: u32::try_from(attempts.as_integer()?).ok()?,
        next_attempt_at: next_at.as_integer().map(Timestamp::from_millis),
    })
}

fn attempt_view(row: &Row) -> Option<AttemptView> {
    let [
        webhook_id,
        number,
        status,
        duration_ms,
        body,
        error,
        created_at,
    ] = row.as_slice()
    else {
        return None;
    };
    let text = |value: &SqlValue| value.as_text().map(str::to_owned);
    Some(AttemptView {
        webhook_id: webhook_id.as_text()?.parse().ok()?,
        number: u32::try_from(number.as_integer()?).ok()?,
        status: status
            .as_integer()
            .and_then(|status| u16::try_from(status).ok()),
        duration_ms: u64::try_from(duration_ms.as_integer()?).ok()?,
        body: text(body),
        error: text(error),
        created_at: Timestamp::from_millis(created_at.as_integer()?),
    })
}

/// A filter of the API as a condition. Its fields are checked there.
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
