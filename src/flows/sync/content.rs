//! What is kept of a record of a page: its digest, and its text where it is not too large.

use std::borrow::Cow;

use serde_json::Value;

use crate::config::Sync;
use crate::config::syncs::DeletionMark;
use crate::error::{Code, Failure};
use crate::expression::ExpressionScope;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::{ValuesError, parse_counted};
use crate::flows::base::moment::moment;
use crate::flows::call::account::CallAccount;
use crate::flows::sync::Syncs;
use crate::flows::sync::record_key::RecordKey;
use crate::flows::sync::records::TOO_LARGE;
use crate::json::{self, Path};
use crate::ports::{Outside, Storage};
use crate::settings::{EXPRESSION_VALUES, SYNC_RECORD_BYTES};

/// What is kept of a record.
pub(super) struct KeptContent {
    pub(super) hash: String,
    /// `None` where it is too large.
    pub(super) text: Option<String>,
}

impl KeptContent {
    /// The same, where a text that became too large is left out.
    pub(super) fn map_text(self, map: impl Fn(String) -> String) -> Self {
        let fits = |text: &String| text.len() <= SYNC_RECORD_BYTES;
        Self {
            text: self.text.map(map).filter(fits),
            hash: self.hash,
        }
    }

    /// What its text takes.
    pub(super) fn bytes(&self) -> usize {
        self.text.as_ref().map_or(0, String::len)
    }
}

/// A record as it came.
pub(super) struct RecordLine<'l> {
    text: &'l str,
    /// Its value; `None` where it has too many values to be built.
    value: Option<Value>,
}

impl<'l> RecordLine<'l> {
    /// Builds its value, where it may.
    pub(super) fn read(text: &'l str, room: &Room) -> Result<Self, Failure> {
        let value = values(text.as_bytes(), room)?;
        Ok(Self { text, value })
    }

    /// The value at a path: of a record that is not built, cut out of its text.
    pub(super) fn at(&self, path: &Path) -> Option<Cow<'_, Value>> {
        match &self.value {
            Some(value) => path.lookup(value).map(Cow::Borrowed),
            None => json::outline(self.text, path).map(Cow::Owned),
        }
    }
}

impl<O: Outside, S: Storage> Syncs<O, S> {
    /// The text of a record as it is stored.
    pub(super) fn sealed(
        &self,
        key: &RecordKey,
        id: &str,
        content: &KeptContent,
    ) -> Option<String> {
        match &content.text {
            Some(text) => key.seal(id, self.base.outside().random(), text),
            None => Some(TOO_LARGE.to_owned()),
        }
    }

    /// What is kept of a record; `None` where it is gone, or `map` drops it.
    pub(super) fn kept(
        &self,
        sync: &Sync,
        key: &RecordKey,
        record: &RecordLine<'_>,
        shown: &Value,
    ) -> Result<Option<KeptContent>, Failure> {
        let mark = &sync.deletions().mark;
        if let Some(DeletionMark::Path(path)) = mark
            && record.at(path).is_some_and(|value| is_something(&value))
        {
            return Ok(None);
        }
        let Some(value) = &record.value else {
            // Expressions see no record of so many values: it is known by its id.
            return Ok(Some(KeptContent {
                hash: key.digest_of_text(record.text.trim()),
                text: None,
            }));
        };
        let scope = ExpressionScope::step(value, shown);
        let moment = moment(self.base.outside());
        if let Some(DeletionMark::Expression(expression)) = mark
            && expression.is_true(&scope, &moment)?
        {
            return Ok(None);
        }
        let Some(map) = &sync.map else {
            return Ok(Some(KeptContent {
                hash: self.digest_as_written(key, record, value)?,
                text: Some(record.text.trim().to_owned()),
            }));
        };
        let mapped = map
            .evaluate(&scope, &moment)?
            .filter(|value| !value.is_null());
        Ok(mapped.map(|value| KeptContent {
            hash: key.digest(&value),
            text: Some(value.to_string()),
        }))
    }

    /// The digest of a record in which each digit of a number counts.
    fn digest_as_written(
        &self,
        key: &RecordKey,
        record: &RecordLine<'_>,
        value: &Value,
    ) -> Result<String, Failure> {
        let Cow::Owned(text) = json::inexact_as_texts(record.text.as_bytes()) else {
            return Ok(key.digest(value));
        };
        let room = self.calls.room();
        let exact = values(&text, &room)?;
        Ok(key.digest(exact.as_ref().unwrap_or(value)))
    }
}

/// The value of a record; `None` where it has more values than expressions see.
fn values(text: &[u8], room: &Room) -> Result<Option<Value>, Failure> {
    match parse_counted(text, EXPRESSION_VALUES, room) {
        Ok(value) => Ok(Some(value)),
        Err(ValuesError::TooMany(_)) => Ok(None),
        Err(ValuesError::NoRoom(failure)) => Err(failure),
        Err(ValuesError::NotJson(_)) => {
            let message = "A record of the list is no JSON.";
            Err(Failure::new(Code::UnexpectedAnswer, message))
        }
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
