//! Reading the JSON bodies of callers: malformed is 400, understood but wrong is 422 with the place. What a body holds,
//! and what is built of it, counts as held by its request.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Desk;
use crate::error::{Code, Failure};
use crate::flows::base::body;
use crate::flows::base::context_limits::context_too_large;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::built::{parse_counted, parse_exact};
use crate::json::{self, Exact, Path, is_deeper};
use crate::ports::{Body, Outside};
use crate::settings::{ADMIN_BODY_BYTES, ADMIN_BODY_DEPTH, BODY_VALUES};
use crate::time::Timestamp;

/// A body as JSON of any shape.
pub(crate) async fn read_json<O: Outside>(
    desk: &Desk<'_, O>,
    body: Body<O::Stream>,
) -> Result<Value, Failure> {
    read_json_within(desk, body, ADMIN_BODY_BYTES).await
}

/// The same of at most `most` bytes.
pub(crate) async fn read_json_within<O: Outside>(
    desk: &Desk<'_, O>,
    body: Body<O::Stream>,
    most: usize,
) -> Result<Value, Failure> {
    let bytes = body::read(desk.outside, body, most, &desk.room).await?;
    parse(&bytes, &desk.room)
}

/// The same where a body may be absent: then null. It arrives before `deadline`.
pub(crate) async fn read_json_if_any<O: Outside>(
    outside: &O,
    body: Body<O::Stream>,
    room: &Room,
    deadline: Option<Timestamp>,
) -> Result<Value, Failure> {
    let bytes = body::read_until(outside, body, ADMIN_BODY_BYTES, room, deadline).await?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    parse(&bytes, room)
}

/// The same with each number as it was written.
pub(crate) async fn read_exact_if_any<O: Outside>(
    outside: &O,
    body: Body<O::Stream>,
    room: &Room,
    deadline: Option<Timestamp>,
) -> Result<Exact, Failure> {
    let bytes = body::read_until(outside, body, ADMIN_BODY_BYTES, room, deadline).await?;
    if bytes.is_empty() {
        return Ok(Exact::default());
    }
    let value = parse_exact(&bytes, BODY_VALUES, room);
    let value = value.map_err(|unbuilt| unbuilt.of_caller("The body"))?;
    check_depth(value.inside())?;
    Ok(value)
}

/// A number of which a digit would be lost becomes a text: what is stored keeps all of them.
fn parse(bytes: &[u8], room: &Room) -> Result<Value, Failure> {
    if bytes.is_empty() {
        return Err(Failure::new(Code::Malformed, "A JSON body is needed here."));
    }
    let value = parse_counted(&json::inexact_as_texts(bytes), BODY_VALUES, room);
    let value = value.map_err(|unbuilt| unbuilt.of_caller("The body"))?;
    check_depth(&value)?;
    Ok(value)
}

fn check_depth(value: &Value) -> Result<(), Failure> {
    // What we store we wrap and read again, and the parser ends at 128 levels.
    if is_deeper(value, ADMIN_BODY_DEPTH) {
        let words = format!("The body is nested deeper than {ADMIN_BODY_DEPTH} levels.");
        return Err(Failure::new(Code::Malformed, words));
    }
    Ok(())
}

/// A JSON value as the shape of one call.
pub(crate) fn read_shape<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "" } else { &path };
        Failure::invalid(path, error.inner().to_string())
    })
}

/// A body as the shape of one call.
pub(crate) async fn read<T: DeserializeOwned, O: Outside>(
    desk: &Desk<'_, O>,
    body: Body<O::Stream>,
) -> Result<T, Failure> {
    read_shape(read_json(desk, body).await?)
}

/// The same of one that has a `context` of at most `most` bytes: a longer one is not built.
pub(crate) async fn read_with_context<T: DeserializeOwned, O: Outside>(
    desk: &Desk<'_, O>,
    body: Body<O::Stream>,
    most: usize,
) -> Result<T, Failure> {
    let bytes = body::read(desk.outside, body, ADMIN_BODY_BYTES, &desk.room).await?;
    let text = str::from_utf8(&bytes).unwrap_or_default();
    let context = json::cut(text, &Path::of_one("context")).ok().flatten();
    if context.is_some_and(|context| context.len() > most) {
        return Err(context_too_large(most));
    }
    read_shape(parse(&bytes, &desk.room)?)
}
