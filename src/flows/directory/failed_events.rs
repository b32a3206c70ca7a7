//! The index of an environment's failed events, newest first. The events are in their accounts' objects, which report
//! here what failed and what no longer does.

use std::time::Duration;

use crate::error::{Code, Failure};
use crate::flows::base::page_bytes::{Selection, rows_of_page};
use crate::flows::base::records::{FailedEvent, Filter, FilterValue, ListPage, PageRequest};
use crate::flows::base::sql;
use crate::flows::directory::{Directory, table};
use crate::flows::messages::event::ReplayRange;
use crate::ids::{AccountId, EventId, WebhookId};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};

/// How long the accounts' objects keep an event.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// Matches the events of one subscription.
const OF_WEBHOOK: &str =
    "EXISTS (SELECT 1 FROM json_each(record, '$.webhook_ids') AS one WHERE one.value = ?)";

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Adds failed events and deletes expired ones. It is idempotent.
    pub(in crate::flows) fn note_failed(&self, events: &[FailedEvent]) -> Result<(), StorageFault> {
        self.trim_failed()?;
        let statement = "INSERT INTO failed_event (id, account_id, created_at, record) VALUES (?, ?, ?, ?) \
                         ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at, record = excluded.record";
        for event in events {
            let values = [
                event.id.to_string().into(),
                event.id.account().to_string().into(),
                event.created_at.as_millis().into(),
                sql::json(event)?,
            ];
            self.storage.exec(statement, &values)?;
        }
        Ok(())
    }

    pub(in crate::flows) fn forget_failed(&self, ids: &[EventId]) -> Result<(), StorageFault> {
        let forget = |id: &EventId| {
            let statement = "DELETE FROM failed_event WHERE id = ?";
            self.storage.exec(statement, &[id.to_string().into()])
        };
        ids.iter().try_for_each(|id| forget(id).map(drop))
    }

    /// A cursor is `<milliseconds>.<event id>` of the last event on the page. That event may be deleted by then.
    pub(in crate::flows) fn list_failed(
        &self,
        page: &PageRequest,
    ) -> Result<ListPage<FailedEvent>, Failure> {
        let filters = page.filters.iter().map(condition);
        let after = page.after.as_deref().map(after).transpose()?;
        let (wheres, values): (Vec<_>, Vec<_>) =
            filters.chain(after).chain([self.not_expired()]).unzip();
        let selection = Selection {
            columns: "record, created_at, id",
            texts: &["record"],
            from: format!(
                "FROM failed_event WHERE {} ORDER BY created_at DESC, id DESC",
                wheres.join(" AND ")
            ),
            values: values.into_iter().flatten().collect(),
        };
        let (rows, has_more) = rows_of_page(&self.storage, &selection, page.limit)?;
        let last = rows.last().filter(|_| has_more);
        let result = rows.iter().map(|row| sql::record_of(row));
        Ok(ListPage {
            result: result.collect::<Result<_, _>>()?,
            next_cursor: last.and_then(|row| cursor(row)),
        })
    }

    /// The accounts with failed events in that range.
    pub(in crate::flows) fn failed_accounts(
        &self,
        range: &ReplayRange,
    ) -> Result<Vec<AccountId>, StorageFault> {
        let times = [range.from, range.to].map(|time| SqlValue::Integer(time.as_millis()));
        let times = ("created_at BETWEEN ? AND ?", times.to_vec());
        let webhook = range.webhook_id.map(of_webhook);
        let (wheres, values): (Vec<_>, Vec<_>) =
            [Some(times), webhook].into_iter().flatten().unzip();
        let statement = format!(
            "SELECT DISTINCT account_id FROM failed_event WHERE {} ORDER BY account_id",
            wheres.join(" AND ")
        );
        let values: Vec<SqlValue> = values.into_iter().flatten().collect();
        let ids: Vec<String> = sql::column(&self.storage, &statement, &values)?;
        Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
    }

    /// Deletes expired rows.
    fn trim_failed(&self) -> Result<(), StorageFault> {
        let statement = "DELETE FROM failed_event WHERE created_at <= ?";
        self.storage.exec(statement, &[self.expired_at()]).map(drop)
    }

    fn not_expired(&self) -> table::SqlCondition {
        ("created_at > ?", vec![self.expired_at()])
    }

    /// The creation time at or before which rows have expired.
    fn expired_at(&self) -> SqlValue {
        let retention = i64::try_from(RETENTION.as_millis()).unwrap_or(i64::MAX);
        SqlValue::Integer(self.outside.now().as_millis().saturating_sub(retention))
    }
}

fn condition(filter: &Filter) -> table::SqlCondition {
    match &filter.value {
        FilterValue::Text(id) if filter.field == "webhook_id" => {
            (OF_WEBHOOK, vec![id.as_str().into()])
        }
        _ => table::condition("failed_event", filter),
    }
}

fn of_webhook(id: WebhookId) -> table::SqlCondition {
    (OF_WEBHOOK, vec![id.to_string().into()])
}

fn after(cursor: &str) -> Result<table::SqlCondition, Failure> {
    let parts = cursor.split_once('.');
    let parts = parts.and_then(|(time, id)| Some((time.parse::<i64>().ok()?, id)));
    let invalid = || {
        let message = "`next_cursor` is invalid: send it as the last response returned it.";
        Failure::new(Code::Malformed, message)
    };
    let (time, id) = parts.ok_or_else(invalid)?;
    Ok(("(created_at, id) < (?, ?)", vec![time.into(), id.into()]))
}

fn cursor(row: &[SqlValue]) -> Option<String> {
    let (time, id) = (row.get(1)?.as_integer()?, row.get(2)?.as_text()?);
    Some(format!("{time}.{id}"))
}
