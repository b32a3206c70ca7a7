//! A write with an `Idempotency-Key` is made once. What was answered is answered again; while nothing is known of how
//! it ended, it is not made a second time.

pub(in crate::flows) mod kept;
pub(in crate::flows) mod kind;

use crate::flows::once::kept::KeptAnswer;
use crate::flows::once::kind::{Kind, OF_ACCOUNT_TOKENS};

use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use serde_json::json;

use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::account_object::AccountObject;
use crate::flows::base::body;
use crate::flows::base::within::within;
use crate::flows::proxy_call::call::{Call, Given};
use crate::flows::proxy_call::proxy_call;
use crate::flows::proxy_call::trace::Trace;
use crate::media::coding;
use crate::ports::{Body, ByteStream, Outside, Reply, Sees, Storage};
use crate::proxy::{Target, is_read};
use crate::settings::{KEPT_ANSWER_BYTES, KEY_CHARACTERS, KEYED_BODY_BYTES};
use crate::time::Timestamp;

const KEY: &str = "idempotency-key";

/// A write that is made once.
pub(in crate::flows) struct Write {
    /// SHA-256 of what makes it this write: verb, path with query, key; after [`OF_ACCOUNT_TOKENS`] where it is one of those.
    pub(in crate::flows) place: String,
    /// Who made it.
    pub(in crate::flows) kind: Kind,
    /// SHA-256 of its body.
    pub(in crate::flows) body: String,
    /// Whether its verb may be sent twice (RFC 9110 §9.2.2).
    is_idempotent: bool,
}

/// What is known of a write.
pub(in crate::flows) enum Known {
    /// Nothing: from now on it is under way.
    Begun,
    /// It has no answer yet, or will never have one.
    UnderWay,
    /// It was made with another body.
    AnotherBody,
    /// It was answered with this status, and no more is known.
    Status(u16),
    /// It was answered so.
    Answer(KeptAnswer),
}

/// Makes a call; with an `Idempotency-Key` at most once.
pub(in crate::flows) async fn call_once<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    mut call: Call<O::Stream>,
) -> Result<Given<O, S>, Failure> {
    let Some(key) = key_of(&call)? else {
        return proxy_call(object, sees, call).await;
    };
    // Nothing is read of a body whose sender's token is not known to be good.
    object.visible(sees).await?;
    let deadline = object.outside.now().plus(call.timeout);
    let room = object.isolate.memory.body_room(&object.bodies);
    let body = std::mem::replace(&mut call.body, Body::Empty);
    let limit = KEYED_BODY_BYTES;
    let body = body::read_until(&object.outside, body, limit, &room, Some(deadline)).await?;
    let write = Write::of(&call, Kind::of(sees), &key, &body);
    object.visible(sees).await?;
    let known = object.begin_write(&write)?;
    if matches!(known, Known::Status(_) | Known::Answer(_)) {
        // It was answered before, so the file had it.
        call.trace.is_about(&call.target);
    }
    match known {
        Known::Begun => {}
        Known::UnderWay => return Err(under_way()),
        Known::AnotherBody => return Err(another_body()),
        Known::Status(status) => return Err(not_kept(status)),
        Known::Answer(kept) => return kept.again().map(Given::Reply),
    }
    object.wake_for_kept_answers().await;
    call.body = Body::from_bytes(body);
    let trace = Rc::clone(&call.trace);
    let deadline = object.outside.now().plus(call.timeout);
    let outcome = proxy_call(object, sees, call).await;
    settle(object, &write, &trace, outcome, deadline).await
}

/// Notes how a write ended, before its caller hears of it.
async fn settle<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    write: &Write,
    trace: &Trace,
    outcome: Result<Given<O, S>, Failure>,
    deadline: Timestamp,
) -> Result<Given<O, S>, Failure> {
    let (outcome, end) = match outcome {
        Err(failure) => {
            let end = End::of_failure(&failure, trace, write);
            (Err(failure), end)
        }
        // A list heeds no key.
        Ok(Given::Walk(walk)) => return Ok(Given::Walk(walk)),
        Ok(Given::Reply(reply)) if trace.is_put_off() || is_undone(reply.status.as_u16()) => {
            (Ok(reply), End::not_answered(trace))
        }
        Ok(Given::Reply(reply)) => {
            let (reply, held) = hold(object, reply, deadline).await;
            let end = held.map_or(End::Status(reply.status.as_u16()), |bytes| {
                End::Answer(KeptAnswer::of_reply(&reply, &bytes))
            });
            (Ok(reply), end)
        }
    };
    object.end_write(write, &end);
    outcome.map(Given::Reply)
}

/// How a write ended.
pub(in crate::flows) enum End {
    /// Nobody knows: it stays under way.
    Unknown,
    /// It was not done: it may be tried again.
    Undone,
    /// It was answered with this status.
    Status(u16),
    /// It was answered so.
    Answer(KeptAnswer),
}

/// An answer that says it may be tried again.
fn is_undone(status: u16) -> bool {
    status >= 500 || status == 429
}

impl End {
    /// No answer counts; but a redirect may have said that the write was made.
    fn not_answered(trace: &Trace) -> Self {
        trace.done().map_or(Self::Undone, Self::Status)
    }

    fn of_failure(failure: &Failure, trace: &Trace, write: &Write) -> Self {
        if let Some(status) = failure.write_made() {
            return Self::Status(status);
        }
        match (&failure.remote, trace.status()) {
            // Not sent, or to be sent again: what the file takes for a rate limit may have any status.
            _ if !trace.was_sent() || trace.is_put_off() => Self::not_answered(trace),
            // Not the write was refused, but the account: its customer connects it again.
            _ if failure.code == Code::NeedsReauth => Self::Undone,
            (Some(remote), _) if is_undone(remote.status) => Self::not_answered(trace),
            (Some(remote), _) if remote.raw_response.len() <= KEPT_ANSWER_BYTES => {
                Self::Answer(KeptAnswer::of_failure(failure, &remote.headers))
            }
            (Some(remote), _) => Self::Status(remote.status),
            // The provider did it, and the answer was too much for us, or not what the file says.
            (None, Some(status)) if status < 400 => Self::Status(status),
            // The provider may be at it still.
            (None, None)
                if failure.code == Code::Timeout
                    && !write.is_idempotent
                    && trace.done().is_none() =>
            {
                Self::Unknown
            }
            (None, _) => Self::not_answered(trace),
        }
    }
}

impl Write {
    fn of<S>(call: &Call<S>, kind: Kind, key: &str, body: &[u8]) -> Self {
        let path = match &call.target {
            Target::Custom { path } => json!(path),
            Target::Method {
                resource,
                method,
                id,
            } => json!([resource, method, id]),
        };
        let place = json!([
            call.method.as_str(),
            path,
            without_account(&call.query),
            key
        ]);
        let hash = crypto::sha256_hex(place.to_string().as_bytes());
        Self {
            place: match kind {
                Kind::Backend => hash,
                Kind::Customer => format!("{OF_ACCOUNT_TOKENS}{hash}"),
            },
            kind,
            body: crypto::sha256_hex(body),
            is_idempotent: call.method.is_idempotent(),
        }
    }
}

/// An account token need not name its account: with or without, it is the same write.
fn without_account(query: &str) -> String {
    let is_other = |pair: &&str| {
        let own = form_urlencoded::parse(pair.as_bytes()).next();
        own.is_none_or(|(name, _)| name != "integrated_account_id")
    };
    query
        .split('&')
        .filter(is_other)
        .collect::<Vec<_>>()
        .join("&")
}

/// The key of a write; a read heeds none.
fn key_of<S>(call: &Call<S>) -> Result<Option<String>, Failure> {
    let mut given = call.headers.get_all(KEY).iter();
    let (first, second) = (given.next(), given.next());
    let key = match first {
        Some(key) if !is_read(&call.method) && !call.target.is_list() => key,
        _ => return Ok(None),
    };
    let invalid = |words| Err(Failure::invalid(KEY, words));
    if second.is_some() {
        return invalid("stands twice");
    }
    match key.to_str() {
        Ok("") => invalid("is empty"),
        Ok(key) if key.len() <= KEY_CHARACTERS => Ok(Some(key.to_owned())),
        Ok(_) => invalid("is longer than 255 characters"),
        Err(_) => invalid("is not plain ASCII"),
    }
}

/// Holds an answer that is small enough to be given again; any other goes on as it came.
pub(in crate::flows) async fn hold<O: Outside, S: Storage>(
    object: &AccountObject<O, S>,
    mut reply: Reply<O::Stream>,
    deadline: Timestamp,
) -> (Reply<O::Stream>, Option<Bytes>) {
    let body = std::mem::replace(&mut reply.body, Body::Empty);
    let stream = match body {
        Body::Empty => return (reply, Some(Bytes::new())),
        Body::Bytes(bytes) => {
            let held = Some(bytes.clone()).filter(|bytes| bytes.len() <= KEPT_ANSWER_BYTES);
            reply.body = Body::Bytes(bytes);
            return (reply, held);
        }
        Body::Stream(stream) => stream,
    };
    let room = object.isolate.room();
    let length = stream.length().map(usize::try_from);
    let length = length.map_or(Ok(KEPT_ANSWER_BYTES), |length| length);
    let fits = length.is_ok_and(|length| length <= KEPT_ANSWER_BYTES && room.take(length).is_ok());
    if !fits {
        reply.body = Body::Stream(stream);
        return (reply, None);
    }
    let (look, pass) = stream.twice();
    let wait = deadline.since(object.outside.now());
    let read = within(&object.outside, wait, read_small(look)).await;
    let Some(bytes) = read.flatten() else {
        reply.body = Body::Stream(pass);
        return (reply, None);
    };
    reply.headers.remove(CONTENT_LENGTH);
    // What the platform does not undo stays as it came.
    if coding::is_undone_by_platform(&reply.headers) {
        reply.headers.remove(CONTENT_ENCODING);
    }
    reply.body = Body::from_bytes(bytes.clone());
    (reply, Some(bytes))
}

/// All of a body; nothing when it is larger than what is kept, or breaks off.
async fn read_small(mut stream: impl ByteStream) -> Option<Bytes> {
    let mut read = BytesMut::new();
    while let Some(piece) = stream.next().await {
        read.extend_from_slice(&piece.ok()?);
        if read.len() > KEPT_ANSWER_BYTES {
            return None;
        }
    }
    Some(read.freeze())
}

fn under_way() -> Failure {
    let words = "A write with this Idempotency-Key is under way, or was cut off before it had an answer: ask the provider what became of it.";
    Failure::new(Code::IdempotencyInProgress, words)
}

fn another_body() -> Failure {
    let words =
        "This Idempotency-Key was sent with another body. Take a new key for another write.";
    Failure::new(Code::IdempotencyMismatch, words)
}

fn not_kept(status: u16) -> Failure {
    let words = format!(
        "The write with this Idempotency-Key was answered with {status}; the answer was too large to be kept, or could not be read."
    );
    Failure::new(Code::IdempotencyNotReplayable, words).with_details(json!({ "status": status }))
}
