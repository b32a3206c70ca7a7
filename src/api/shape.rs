//! Reading the JSON bodies of admin calls: malformed is 400, understood but wrong is 422 with the place.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Code, Failure};
use crate::flows::body;
use crate::json::is_deeper;
use crate::ports::{Body, ByteStream};
use crate::settings::{ADMIN_BODY_BYTES, ADMIN_BODY_DEPTH};

/// A body as JSON of any shape.
pub(crate) async fn read_json<S: ByteStream>(body: Body<S>) -> Result<Value, Failure> {
    read_json_within(body, ADMIN_BODY_BYTES).await
}

/// The same of at most `most` bytes.
pub(crate) async fn read_json_within<S: ByteStream>(
    body: Body<S>,
    most: usize,
) -> Result<Value, Failure> {
    let bytes = body::read(body, most).await?;
    if bytes.is_empty() {
        return Err(Failure::new(Code::Malformed, "A JSON body is needed here."));
    }
    parse(&bytes)
}

/// The same where a body may be absent: then null.
pub(crate) async fn read_json_if_any<S: ByteStream>(body: Body<S>) -> Result<Value, Failure> {
    let bytes = body::read(body, ADMIN_BODY_BYTES).await?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        Failure::new(Code::Malformed, format!("The body is not JSON: {error}."))
    })?;
    // What we store we wrap and read again, and the parser ends at 128 levels.
    if is_deeper(&value, ADMIN_BODY_DEPTH) {
        let words = format!("The body is nested deeper than {ADMIN_BODY_DEPTH} levels.");
        return Err(Failure::new(Code::Malformed, words));
    }
    Ok(value)
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
pub(crate) async fn read<T: DeserializeOwned, S: ByteStream>(body: Body<S>) -> Result<T, Failure> {
    read_shape(read_json(body).await?)
}
