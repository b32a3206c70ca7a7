//! Reading the JSON bodies of callers: malformed is 400, understood but wrong is 422 with the place. What a body holds,
//! and what is built of it, counts as held by its request.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::RequestContext;
use crate::error::{Code, Failure};
use crate::flows::base::body;
use crate::flows::base::context_limits::context_too_large;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::parse_counted;
use crate::json::{self, Path, is_deeper, typed};
use crate::ports::{Body, Outside};
use crate::settings::{ADMIN_BODY_BYTES, ADMIN_BODY_DEPTH, BODY_VALUES};
use crate::time::Timestamp;

/// A body as JSON of any shape.
pub(crate) async fn read_json<O: Outside>(
    context: &RequestContext<'_, O>,
    body: Body<O::Stream>,
) -> Result<Value, Failure> {
    read_json_within(context, body, ADMIN_BODY_BYTES).await
}

/// The same of at most `most` bytes.
pub(crate) async fn read_json_within<O: Outside>(
    context: &RequestContext<'_, O>,
    body: Body<O::Stream>,
    most: usize,
) -> Result<Value, Failure> {
    let bytes = body::read(context.outside, body, most, &context.room).await?;
    parse(&bytes, &context.room)
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
        return Err(Failure::body_too_deep(ADMIN_BODY_DEPTH));
    }
    Ok(())
}

/// A JSON value as the shape of one call.
pub(crate) fn read_shape<T: DeserializeOwned>(value: &Value) -> Result<T, Failure> {
    typed::read(value)
        .map_err(|mistake| Failure::invalid(&mistake.path(), mistake.error.to_string()))
}

/// A body as the shape of one call.
pub(crate) async fn read<T: DeserializeOwned, O: Outside>(
    context: &RequestContext<'_, O>,
    body: Body<O::Stream>,
) -> Result<T, Failure> {
    read_shape(&read_json(context, body).await?)
}

/// The same of one that has a `context` of at most `most` bytes: a longer one is not built.
pub(crate) async fn read_with_context<T: DeserializeOwned, O: Outside>(
    context: &RequestContext<'_, O>,
    body: Body<O::Stream>,
    most: usize,
) -> Result<T, Failure> {
    let bytes = body::read(context.outside, body, ADMIN_BODY_BYTES, &context.room).await?;
    let text = str::from_utf8(&bytes).unwrap_or_default();
    let sent = json::cut(text, &Path::of_one("context")).ok().flatten();
    if sent.is_some_and(|sent| sent.len() > most) {
        return Err(context_too_large(most));
    }
    read_shape(&parse(&bytes, &context.room)?)
}
