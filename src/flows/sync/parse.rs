//! What a page says: its records, each as it is kept, and the checkpoint of the last one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::config::Sync;
use crate::config::syncs::Keep;
use crate::error::{Code, Failure};
use crate::expression::ExpressionScope;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::{ValuesError, parse_counted};
use crate::flows::base::moment::moment;
use crate::flows::call::account::CallAccount;
use crate::flows::call::engine_response::PageResponse;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::sync::content::{KeptContent, RecordLine};
use crate::flows::sync::record_key::RecordKey;
use crate::flows::sync::records::KnownRecord;
use crate::flows::sync::state::{Phase, Traversal};
use crate::flows::sync::{Syncs, since};
use crate::header_text;
use crate::json;
use crate::ports::{Outside, Storage};
use crate::settings::EXPRESSION_VALUES;

/// The state of a sync is one row.
const CHECKPOINT_BYTES: usize = 64 * 1024;

/// Bytes of records that are worked on at a time. In between, callers use the account.
const PART_BYTES: usize = 32 * 1024;

/// A record of a page.
pub(super) struct PageRecord {
    pub(super) id: String,
    /// What is kept of it; `None` where it is gone or is not kept.
    pub(super) kept: Option<KeptContent>,
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
        let body = match parse_counted(answer.text.as_bytes(), EXPRESSION_VALUES, &room) {
            Ok(body) => body,
            // A status can be the end of a list.
            Err(ValuesError::NotJson(_)) => Value::Null,
            Err(ValuesError::TooMany(most)) => {
                let message = format!(
                    "The last page has more than {most} values, of which `checkpoint` is computed."
                );
                return Err(Failure::new(Code::AnswerTooLarge, message));
            }
            Err(ValuesError::NoRoom(failure)) => return Err(failure),
        };
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
            let record = RecordLine::read(line, &room)?;
            let id = record_id.of(&|path| record.at(path)).ok_or_else(|| {
                let message =
                    "A record of the list has no id at `record_id`, or one longer than 512 bytes.";
                Failure::new(Code::UnexpectedAnswer, message)
            })?;
            let kept = if run.phase == Phase::Deleted {
                None
            } else {
                let path = sync.modified_at.as_ref();
                let time = path.and_then(|path| record.at(path));
                run.since = since::later(run.since.take(), time.as_deref());
                self.kept(sync, key, &record, &shown)?
            };
            let kept = kept.map(|kept| kept.map_text(|text| redactor.json(text)));
            let text = kept.as_ref().map_or(0, KeptContent::bytes);
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
            let Some(content) = &record.kept else {
                continue;
            };
            let is_known = |known: &KnownRecord| known.is_same(&content.hash, sync.keep);
            if known.get(&record.id).is_some_and(is_known) {
                continue;
            }
            record.sealed = self.sealed(key, &record.id, content);
            let bytes = record.sealed.as_ref().map_or(0, String::len);
            records.room.take(bytes)?;
            parts.add(self.base.outside(), bytes).await;
        }
        Ok(())
    }
}
