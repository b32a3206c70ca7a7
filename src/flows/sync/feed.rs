//! The feed of a sync's records: what changed, in the order of revisions.

use serde_json::{Value, json};

use crate::error::{Code, Failure};
use crate::flows::base::page_bytes::{Selection, rows_of_page};
use crate::flows::base::sql::{self, FromRow};
use crate::flows::messages::sync::{ChangeKind, FeedPage, FeedRequest};
use crate::flows::sync::record_key::RecordKey;
use crate::flows::sync::records::{TOO_LARGE, number_of, record_key};
use crate::flows::sync::state::SyncState;
use crate::flows::sync::store::{SyncStore, key_of, revision_of};
use crate::ports::{Outside, SqlValue, Storage};
use crate::time::Timestamp;

/// A place in the feed: everything up to the revision `after` was read, by a reading from the start that began at the
/// revision `began`. Its cursor is `name.after`, with `.began` until the reading has come so far.
#[derive(Debug, Clone, Copy, PartialEq)]
struct FeedPlace {
    after: i64,
    began: i64,
}

impl FeedPlace {
    fn of(cursor: &str, sync: &str) -> Option<Self> {
        let place = cursor.strip_prefix(sync)?.strip_prefix('.')?;
        let (after, began) = match place.split_once('.') {
            Some((after, began)) => (after, Some(began)),
            None => (place, None),
        };
        let after = after.parse().ok()?;
        let began = began.map_or(Some(after), |began| began.parse().ok())?;
        Some(Self { after, began })
    }

    fn cursor(self, sync: &str) -> String {
        let Self { after, began } = self;
        if began > after {
            format!("{sync}.{after}.{began}")
        } else {
            format!("{sync}.{after}")
        }
    }
}

/// A row of the feed: key, id, change, first and last time, and the record.
type FeedRow = (
    i64,
    String,
    ChangeKind,
    Timestamp,
    Timestamp,
    Option<String>,
);

impl<O: Outside, S: Storage> SyncStore<O, S> {
    /// The changes behind a cursor.
    pub(super) fn feed(
        &self,
        state: &SyncState,
        request: &FeedRequest,
    ) -> Result<FeedPage, Failure> {
        let place = match &request.after {
            Some(cursor) => self.place_in(state, &request.sync, cursor)?,
            None => FeedPlace {
                after: 0,
                began: state.revision,
            },
        };
        // What was there before a reset is deleted some at a time, and is no longer shown.
        let end = if state.has_remains {
            place.after
        } else {
            state.revision
        };
        let filter = request.filter.map(number_of);
        let of_kind = filter.map_or(String::new(), |kind| format!(" AND change = {kind}"));
        let selection = Selection {
            columns: "key, id, change, first_at, at, content",
            texts: &["content"],
            from: format!("FROM sync_record WHERE key > ? AND key <= ?{of_kind} ORDER BY key"),
            values: vec![
                key_of(state.number, place.after).into(),
                key_of(state.number, end).into(),
            ],
        };
        let (rows, has_more) = rows_of_page(self.base.storage(), &selection, request.limit)?;
        let key = record_key(state)?;
        let last = rows
            .last()
            .and_then(|row| row.first())
            .and_then(SqlValue::as_integer);
        let after = last
            .filter(|_| has_more)
            .map_or(state.revision, revision_of);
        let next = FeedPlace { after, ..place };
        let rows = rows.into_iter().filter_map(FeedRow::from_row);
        Ok(FeedPage {
            changes: rows.map(|row| change_text(&key, row)).collect(),
            next_cursor: next.cursor(&request.sync),
            has_more,
        })
    }

    /// The place of a cursor. 410 where deletions since then are no longer known.
    fn place_in(&self, state: &SyncState, sync: &str, cursor: &str) -> Result<FeedPlace, Failure> {
        let place = FeedPlace::of(cursor, sync).filter(|place| {
            let known = 0..=state.revision;
            known.contains(&place.after) && known.contains(&place.began)
        });
        let place = place.ok_or_else(|| {
            Failure::new(
                Code::BadCursor,
                "This cursor is not one of this sync's feed.",
            )
        })?;
        // What was deleted before the reading began was never shown to its reader.
        if place.after.max(place.began) < self.trimmed(sync)? {
            return Err(Failure::new(
                Code::CursorExpired,
                "Deletions since this cursor are no longer known. Read the feed again without it.",
            ));
        }
        Ok(place)
    }

    /// One record as the feed shows it.
    pub(super) fn record(&self, state: &SyncState, id: &str) -> Result<Option<String>, Failure> {
        let statement = "SELECT key, id, change, first_at, at, content FROM sync_record WHERE sync = ? AND id = ?";
        let values = [state.number.into(), id.into()];
        let row: Option<FeedRow> = sql::first(self.base.storage(), statement, &values)?;
        let key = record_key(state)?;
        let row = row.filter(|_| !state.has_remains);
        Ok(row.map(|row| change_text(&key, row)))
    }
}

fn change_text(key: &RecordKey, (place, id, kind, first_at, at, sealed): FeedRow) -> String {
    let is_too_large = sealed.as_deref() == Some(TOO_LARGE);
    let record = sealed.and_then(|sealed| key.open(&id, &sealed));
    let deleted_at = (kind == ChangeKind::Deleted).then_some(at);
    let id = Value::from(id);
    let (kind, deleted_at) = (kind.as_str(), json!(deleted_at));
    let (record, revision) = (record.as_deref().unwrap_or("null"), revision_of(place));
    format!(
        "{{\"id\":{id},\"change\":\"{kind}\",\"revision\":{revision},\"record\":{record},\"too_large\":{is_too_large},\
         \"first_seen_at\":\"{first_at}\",\"modified_at\":\"{at}\",\"deleted_at\":{deleted_at}}}"
    )
}
