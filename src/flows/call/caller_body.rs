//! The caller's body. It is passed on as a stream, unless the request depends on its content.

use bytes::Bytes;
use http::HeaderMap;

use crate::config::files::FileOperation;
use crate::error::{Code, Failure};
use crate::flows::base::body;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::parse_exact;
use crate::flows::call::account::{LiveAccount, StreamOf};
use crate::flows::call::list::page::writes_into_body;
use crate::flows::call::subject::{Plan, Subject};
use crate::json::Exact;
use crate::media;
use crate::ports::Body;
use crate::proxy::body::BodySource;
use crate::proxy::query::{PASSTHROUGH, body_source};
use crate::proxy::reads::reads_body;
use crate::settings::{BODY_VALUES, FILE_PATHS_BYTES, SIGNED_BODY_BYTES, TEMPLATE_BODY_BYTES};
use crate::time::Timestamp;

/// Which body the caller's query selects: the caller's or the method's.
pub(in crate::flows) fn source(query: &str) -> Result<BodySource, Failure> {
    body_source(query).ok_or_else(|| {
        let [name, alias] = PASSTHROUGH;
        Failure::new(
            Code::Malformed,
            format!("{name} (or {alias}) in the query is either true or false."),
        )
    })
}

/// The caller's body, and the parts of it that the request needs.
pub(in crate::flows) struct CallerBody<S> {
    pub(in crate::flows) body: Body<S>,
    pub(in crate::flows) value: Option<Exact>,
    /// The text as the caller wrote it; empty if the gateway writes nothing into it.
    pub(in crate::flows) text: Bytes,
    /// The memory for the body and for the values built from it.
    pub(in crate::flows) room: Room,
}

impl<S> CallerBody<S> {
    fn unread(body: Body<S>, room: Room) -> Self {
        Self {
            body,
            value: None,
            text: Bytes::new(),
            room,
        }
    }
}

/// Reads the caller's body, but only if the method's templates read it or the gateway writes a value into it.
pub(in crate::flows) async fn look<A: LiveAccount>(
    account: &A,
    subject: &Subject<'_>,
    source: BodySource,
    body: Body<StreamOf<A>>,
    (headers, deadline): (&HeaderMap, Timestamp),
) -> Result<CallerBody<StreamOf<A>>, Failure> {
    let room = account.body_room();
    let looks = matches!(subject.plan, Plan::Method { method, .. } if reads_body(method, source));
    if let Some(operation) = subject.operation() {
        return of_files(account, operation, body, room, deadline).await;
    }
    let has_entries = subject.callers_body_gets_entries(headers, source);
    if !looks && !has_entries && !writes_into_body(subject, source) {
        let kind = media::kind(headers);
        let is_signed = subject
            .authorizations()
            .iter()
            .any(|own| own.holds_body(kind));
        let body = if is_signed {
            let limit = SIGNED_BODY_BYTES;
            let deadline = Some(deadline);
            body::read_until(account.system(), body, limit, &room, deadline)
                .await
                .map(Body::from_bytes)?
        } else {
            body::hold_small(account.system(), body, &room).await?
        };
        return Ok(CallerBody::unread(body, room));
    }
    let (limit, deadline) = (TEMPLATE_BODY_BYTES, Some(deadline));
    let bytes = body::read_until(account.system(), body, limit, &room, deadline).await?;
    if bytes.is_empty() {
        return Ok(CallerBody::unread(Body::Empty, room));
    }
    let value = looks.then(|| parse_exact(&bytes, BODY_VALUES, &room));
    let value = value
        .transpose()
        .map_err(|unbuilt| unbuilt.of_caller("This method looks into the body, which"))?;
    Ok(CallerBody {
        body: Body::Bytes(bytes.clone()),
        value,
        text: bytes,
        room,
    })
}

/// The body of a call of `files`: the content of a file as it is, or paths as JSON.
async fn of_files<A: LiveAccount>(
    account: &A,
    operation: FileOperation,
    body: Body<StreamOf<A>>,
    room: Room,
    deadline: Timestamp,
) -> Result<CallerBody<StreamOf<A>>, Failure> {
    if !operation.takes_json() {
        let body = body::hold_small(account.system(), body, &room).await?;
        return Ok(CallerBody::unread(body, room));
    }
    let limit = FILE_PATHS_BYTES;
    let bytes = body::read_until(account.system(), body, limit, &room, Some(deadline)).await?;
    let value = parse_exact(&bytes, BODY_VALUES, &room);
    let value =
        value.map_err(|unbuilt| unbuilt.of_caller("This method takes paths in the body, which"))?;
    Ok(CallerBody {
        body: Body::Empty,
        value: Some(value),
        text: Bytes::new(),
        room,
    })
}
