//! The caller's body: passed on as a handle, unless the request is made of it.

use bytes::Bytes;
use serde_json::Value;

use super::page::puts_into_body;
use super::plan::Plan;
use crate::config::Config;
use crate::error::{Code, Failure};
use crate::flows::body;
use crate::ports::{Body, ByteStream};
use crate::proxy::body::BodySource;
use crate::proxy::query::{PASSTHROUGH, body_source};
use crate::proxy::reads::reads_body;
use crate::settings::TEMPLATE_BODY_BYTES;

/// Whose body the caller's query asks for.
pub(super) fn source(query: &str) -> Result<BodySource, Failure> {
    body_source(query).ok_or_else(|| {
        let [name, alias] = PASSTHROUGH;
        Failure::new(
            Code::Malformed,
            format!("{name} (or {alias}) in the query is either true or false."),
        )
    })
}

/// The caller's body, and what of it is needed to make the request.
pub(super) struct Looked<S> {
    pub(super) body: Body<S>,
    pub(super) value: Option<Value>,
    /// As it was written; empty where nothing is put into it.
    pub(super) text: Bytes,
}

impl<S> Looked<S> {
    fn unread(body: Body<S>) -> Self {
        Self {
            body,
            value: None,
            text: Bytes::new(),
        }
    }
}

/// Reads the caller's body only when the method's templates look into it, or something is put into it.
pub(super) async fn look_at_body<S: ByteStream>(
    plan: Plan<'_>,
    config: &Config,
    source: BodySource,
    body: Body<S>,
) -> Result<Looked<S>, Failure> {
    let looks = matches!(plan, Plan::Method { method, .. } if reads_body(method, source));
    if !looks && !puts_into_body(plan, config, source) {
        return Ok(Looked::unread(body::hold_small(body).await?));
    }
    let bytes: Bytes = body::read(body, TEMPLATE_BODY_BYTES).await?;
    if bytes.is_empty() {
        return Ok(Looked::unread(Body::Empty));
    }
    if !looks {
        return Ok(Looked {
            body: Body::Bytes(bytes.clone()),
            value: None,
            text: bytes,
        });
    }
    let value = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(
            Code::Malformed,
            format!("This method looks into the body, which is not JSON: {error}."),
        )
    })?;
    Ok(Looked {
        body: Body::Bytes(bytes.clone()),
        value: Some(value),
        text: bytes,
    })
}
