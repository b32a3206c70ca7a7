//! What a page says: its records, each as it is kept, and the checkpoint of the last one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::config::Sync;
use crate::config::syncs::{DeletionMark, Keep};
use crate::error::{Code, Failure};
use crate::expression::ExpressionScope;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::{ValuesError, parse_counted};
use crate::flows::base::moment::moment;
use crate::flows::call::account::CallAccount;
use crate::flows::call::engine_response::PageResponse;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::sync::record_key::RecordKey;
use crate::flows::sync::records::{KnownRecord, TOO_LARGE};
use crate::flows::sync::state::{Phase, Traversal};
use crate::flows::sync::{Syncs, since};
use crate::header_text;
use crate::json;
use crate::ports::{Outside, Storage};
use crate::settings::{EXPRESSION_VALUES, SYNC_RECORD_BYTES};

/// The state of a sync is one row.
const CHECKPOINT_BYTES: usize = 64 * 1024;

/// Bytes of records that are worked on at a time. In between, callers use the account.
const PART_BYTES: usize = 32 * 1024;

/// A record of a page.
pub(super) struct PageRecord {
    pub(super) id: String,
    /// The digest and the text of what is kept of it; `None` where it is gone or is not kept.
    pub(super) kept: Option<(String, String)>,
    /// The text as it is stored, where it has to be.
    pub(super) sealed: Option<String>,
}

/// The records of a page.
pub(super) struct PageRecords {
    pub(super) list: Vec<PageRecord>,
    /// The memory that they take.
    room: Room,
}

impl PageRecords {
    pub(super) fn ids(&self) -> Vec<&str> {
        self.list.iter().map(|record| record.id.as_str()).collect()
    }
}

/// Lets callers go on after each part.
#[derive(Default)]
struct Parts(usize);

impl Parts {
    async fn add<O: Outside>(&mut self, outside: &O, bytes: usize) {
        self.0 += bytes;
        if self.0 >= PART_BYTES {
            self.0 = 0;
            outside.sleep(Duration::ZERO).await;
        }
    }
}

impl<O: Outside, S: Storage> Syncs<O, S> {
    /// JSONata over the last page.
    pub(super) fn checkpoint(
        &self,
        sync: &Sync,
        page: &PageResponse,
    ) -> Result<Option<Value>, Failure> {
        let (Some(expression), Some(answer)) = (&sync.checkpoint, &page.answer) else {
            return Ok(None);
        };
        let room = self.calls.room();
        let body =
            parse_counted(answer.text.as_bytes(), EXPRESSION_VALUES, &room).unwrap_or_default();
        let headers = header_text::object_of(&page.headers);
        let scope = ExpressionScope::response(&body, &headers, answer.status);
        match expression.evaluate(&scope, &moment(self.base.outside()))? {
            Some(value) if value.is_object() && json::length(&value) <= CHECKPOINT_BYTES => {
                Ok(Some(value))
            }
            None | Some(Value::Null) => Ok(None),
            Some(_) => Err(Failure::new(
                Code::ExpressionFailed,
                "The `checkpoint` of a sync must be an object of at most 64 KiB.",
            )),
        }
    }

    /// The records of a page, each as it is kept.
    pub(super) async fn records_of(
        &self,
        sync: &Sync,
        (run, key): (&mut Traversal, &RecordKey),
        resolved: &ResolvedConfig,
        page: &PageResponse,
    ) -> Result<PageRecords, Failure> {
        let gone = || Failure::not_found("integrated account");
        let loaded = self.record.present().ok_or_else(gone)?;
        let shown = loaded.public(&resolved.compiled);
        // Who may read records may see no secret that the provider repeats in them.
        let redactor = self.record.redactor(&resolved.compiled, &loaded.context);
        let record_id = match (run.phase, sync.deletions().list()) {
            (Phase::Deleted, Some(list)) => &list.record_id,
            _ => &sync.record_id,
        };
        let mut records = PageRecords {
            list: Vec::new(),
            room: self.calls.room(),
        };
        let mut parts = Parts::default();
        for line in page.text.lines() {
            parts.add(self.base.outside(), line.len()).await;
            let room = self.calls.room();
            let record = parse_counted(line.as_bytes(), EXPRESSION_VALUES, &room).map_err(|error| match error {
                ValuesError::NoRoom(failure) => failure,
                ValuesError::NotJson(_) | ValuesError::TooMany(_) => {
                    let message = format!("A record of the list is no JSON, or has more than {EXPRESSION_VALUES} values.");
                    Failure::new(Code::UnexpectedAnswer, message)
                }
            })?;
            let id = record_id.of(&record).ok_or_else(|| {
                let message =
                    "A record of the list has no id at `record_id`, or one longer than 512 bytes.";
                Failure::new(Code::UnexpectedAnswer, message)
            })?;
            let kept = if run.phase == Phase::Deleted {
                None
            } else {
                let time = sync
                    .modified_at
                    .as_ref()
                    .and_then(|path| path.lookup(&record));
                run.since = since::later(run.since.take(), time);
                self.kept(sync, key, (&record, line), &shown)?
            };
            let kept = kept.map(|(hash, text)| (hash, redactor.json(text)));
            let text = kept.as_ref().map_or(0, |(_, text)| text.len());
            records.room.take(id.len() + text)?;
            records.list.push(PageRecord {
                id,
                kept,
                sealed: None,
            });
        }
        Ok(records)
    }

    /// Seals the records whose text is new.
    pub(super) async fn seal_new(
        &self,
        sync: &Sync,
        (key, known): (&RecordKey, &BTreeMap<String, KnownRecord>),
        records: &mut PageRecords,
    ) -> Result<(), Failure> {
        if sync.keep == Keep::Hashes {
            return Ok(());
        }
        let mut parts = Parts::default();
        for record in &mut records.list {
            let Some((hash, text)) = &record.kept else {
                continue;
            };
            let is_known = |known: &KnownRecord| known.is_there() && known.hash == *hash;
            if known.get(&record.id).is_some_and(is_known) {
                continue;
            }
            record.sealed = self.sealed(key, &record.id, text);
            let bytes = record.sealed.as_ref().map_or(0, String::len);
            records.room.take(bytes)?;
            parts.add(self.base.outside(), bytes).await;
        }
        Ok(())
    }

    /// The text of a record as it is stored.
    pub(super) fn sealed(&self, key: &RecordKey, id: &str, text: &str) -> Option<String> {
        if text.len() > SYNC_RECORD_BYTES {
            return Some(TOO_LARGE.to_owned());
        }
        key.seal(id, self.base.outside().random(), text)
    }

    /// The digest and the text of what is kept of a record.
    fn kept(
        &self,
        sync: &Sync,
        key: &RecordKey,
        (record, line): (&Value, &str),
        shown: &Value,
    ) -> Result<Option<(String, String)>, Failure> {
        let scope = ExpressionScope::step(record, shown);
        let moment = moment(self.base.outside());
        let is_gone = match &sync.deletions().mark {
            Some(DeletionMark::Path(path)) => path.lookup(record).is_some_and(is_something),
            Some(DeletionMark::Expression(expression)) => expression.is_true(&scope, &moment)?,
            Some(DeletionMark::List(_)) | None => false,
        };
        if is_gone {
            return Ok(None);
        }
        let Some(map) = &sync.map else {
            return Ok(Some((key.digest(record), line.trim().to_owned())));
        };
        let mapped = map
            .evaluate(&scope, &moment)?
            .filter(|value| !value.is_null());
        Ok(mapped.map(|value| (key.digest(&value), value.to_string())))
    }
}

/// Whether a record says by it that it is gone.
fn is_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Bool(true) | Value::Array(_) | Value::Object(_) => true,
    }
}
