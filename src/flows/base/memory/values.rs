//! Builds JSON values, which take many times the memory of their text.

use serde_json::Value;

use crate::error::{Code, Failure};
use crate::flows::base::memory::Room;
use crate::json;
use crate::json::exact::{self, Exact};
use crate::settings::VALUE_BYTES;

/// Why a JSON text was not built.
#[derive(Debug)]
pub enum ValuesError {
    /// The text is not JSON.
    NotJson(serde_json::Error),
    /// The text has more values than this limit.
    TooMany(usize),
    /// The memory budget of the isolate is used up.
    NoRoom(Failure),
}

impl ValuesError {
    /// The failure for a text that the caller sent. `what` is the subject of the sentence.
    pub fn of_caller(self, what: &str) -> Failure {
        match self {
            Self::NotJson(error) => {
                Failure::new(Code::Malformed, format!("{what} is not JSON: {error}."))
            }
            Self::TooMany(most) => too_many_values(what, most),
            Self::NoRoom(failure) => failure,
        }
    }
}

/// 413 with `limit_values`.
pub fn too_many_values(what: &str, most: usize) -> Failure {
    let message = format!("{what} holds more than {most} values.");
    Failure::new(Code::BodyTooLarge, message)
        .with_details(serde_json::json!({ "limit_values": most }))
}

/// Builds a JSON text of at most `most` values: counts them, reserves their memory, then builds them. Every value that
/// comes from outside is built here. Whole numbers keep every digit ([`json::read`]).
pub fn parse_counted(text: &[u8], most: usize, room: &Room) -> Result<Value, ValuesError> {
    take_values(text, most, room)?;
    json::read(text).map_err(ValuesError::NotJson)
}

/// Builds a JSON text like [`parse_counted`], and keeps each number as it is written, for values that are copied.
pub fn parse_exact(text: &[u8], most: usize, room: &Room) -> Result<Exact, ValuesError> {
    let text = exact::marked(text);
    take_values(&text, most, room)?;
    Exact::of_marked(&text).map_err(ValuesError::NotJson)
}

fn take_values(text: &[u8], most: usize, room: &Room) -> Result<(), ValuesError> {
    let values = json::count_values(text).map_err(ValuesError::NotJson)?;
    if values > most {
        return Err(ValuesError::TooMany(most));
    }
    room.take(bytes_of_values(values, text.len()))
        .map_err(ValuesError::NoRoom)
}

/// Takes the memory of a value that is built already.
pub fn take_built(value: &Value, room: &Room) -> Result<(), Failure> {
    let (mut values, mut text) = (0, 0);
    measure(value, &mut values, &mut text);
    room.take(bytes_of_values(values, text))
}

fn measure(value: &Value, values: &mut usize, text: &mut usize) {
    *values += 1;
    match value {
        Value::String(own) => *text += own.len(),
        Value::Array(items) => items.iter().for_each(|item| measure(item, values, text)),
        Value::Object(entries) => entries.iter().for_each(|(key, item)| {
            *text += key.len();
            measure(item, values, text);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The memory of `values` values whose texts together have at most `text` bytes.
pub fn bytes_of_values(values: usize, text: usize) -> usize {
    values.saturating_mul(VALUE_BYTES).saturating_add(text)
}
