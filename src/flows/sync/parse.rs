//! What a page says: its records, each as it is kept, and the checkpoint of the last one.

use serde_json::Value;

use crate::config::Sync;
use crate::config::syncs::DeletionMark;
use crate::error::{Code, Failure};
use crate::expression::ExpressionScope;
use crate::flows::base::memory::values::{ValuesError, parse_counted};
use crate::flows::base::moment::moment;
use crate::flows::call::account::CallAccount;
use crate::flows::call::engine_response::PageResponse;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::sync::record_key::RecordKey;
use crate::flows::sync::state::{Phase, Traversal};
use crate::flows::sync::{Syncs, since};
use crate::header_text;
use crate::json;
use crate::ports::{Outside, Storage};
use crate::settings::EXPRESSION_VALUES;

/// The state of a sync is one row.
const CHECKPOINT_BYTES: usize = 64 * 1024;

/// A record of a page.
pub(super) struct PageRecord {
    pub(super) id: String,
    /// What is kept of it; `None` where it is gone or is not kept.
    pub(super) kept: Option<(String, String)>,
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
    pub(super) fn records_of(
        &self,
        sync: &Sync,
        (run, key): (&mut Traversal, &RecordKey),
        resolved: &ResolvedConfig,
        page: &PageResponse,
    ) -> Result<Vec<PageRecord>, Failure> {
        let gone = || Failure::not_found("integrated account");
        let loaded = self.record.present().ok_or_else(gone)?;
        let shown = loaded.public(&resolved.compiled);
        // Who may read records may see no secret that the provider repeats in them.
        let redactor = self.record.redactor(&resolved.compiled, &loaded.context);
        let record_id = match (run.phase, sync.deletions().list()) {
            (Phase::Deleted, Some(list)) => &list.record_id,
            _ => &sync.record_id,
        };
        let mut records = Vec::new();
        for line in page.text.lines() {
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
            records.push(PageRecord { id, kept });
        }
        Ok(records)
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
