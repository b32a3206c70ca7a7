//! A write with an `Idempotency-Key` is made at most once. A repeated request gets the stored response. While the
//! result of the write is unknown, it is not made again.

pub(in crate::flows) mod kept;
pub(in crate::flows) mod kind;
pub(in crate::flows) mod running;
pub(in crate::flows) mod store;
pub(in crate::flows) mod stored_bytes;

use crate::flows::call::idempotency::kept::KeptAnswer;
use crate::flows::call::idempotency::kind::{Kind, OF_ACCOUNT_TOKENS};
use crate::flows::call::idempotency::running::RunningWrite;

use std::rc::Rc;

use serde_json::json;

use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::base::body;
use crate::flows::call::account::{LiveAccount, StreamOf, WriteStore};
use crate::flows::call::admit::Access;
use crate::flows::call::ended::{Ended, WriteOutcome, length};
use crate::flows::call::{Call, CallResponse, Completed, execute, small_body};
use crate::ports::{Body, Reply};
use crate::proxy::{Target, is_read};
use crate::settings::{KEPT_ANSWER_BYTES, KEY_CHARACTERS, KEYED_BODY_BYTES};
use crate::time::Timestamp;

const KEY: &str = "idempotency-key";

/// A write with an `Idempotency-Key`.
pub(in crate::flows) struct Write {
    /// The SHA-256 of its method, path, query and key. An account token's write has the prefix [`OF_ACCOUNT_TOKENS`].
    pub(in crate::flows) place: String,
    /// The kind of its caller.
    pub(in crate::flows) kind: Kind,
    /// The SHA-256 of its body.
    pub(in crate::flows) body: String,
}

/// The stored state of a write.
pub(in crate::flows) enum KnownWrite {
    /// The write was new; it is stored as under way.
    Begun,
    /// The write has no answer yet, or was cut off before it had one.
    UnderWay,
    /// The key was used with another body.
    AnotherBody,
    /// The write was answered with this status; the answer was not stored.
    Status(u16),
    /// The write was answered with this response.
    Answer(KeptAnswer),
}

/// Makes a call. A write with an `Idempotency-Key` is made at most once.
pub(in crate::flows) async fn call_once<A: LiveAccount + WriteStore>(
    access: Access<'_, A>,
    mut call: Call<StreamOf<A>>,
) -> Completed<A> {
    let key = match key_of(&call) {
        Ok(Some(key)) => key,
        Ok(None) => return execute(access, call).await,
        Err(failure) => return Completed::not_sent(Err(failure)),
    };
    let (access, write, _running) = match begin(access, &mut call, &key).await {
        Ok(Begun::Write(access, write, running)) => (access, write, running),
        Ok(Begun::Replayed(reply)) => {
            return Completed::not_sent(Ok(CallResponse::Single(reply)));
        }
        Err(failure) => return Completed::not_sent(Err(failure)),
    };
    let (account, deadline) = (access.account(), access.deadline());
    let (trace, method) = (Rc::clone(&call.trace), call.method.clone());
    let completed = match access.check_again().await {
        Ok(access) => execute(access, call).await,
        Err(failure) => {
            let response = Err(failure);
            let ended = Ended::of(&response, &trace, &method);
            Completed { response, ended }
        }
    };
    settle(&**account, &write, completed, deadline).await
}

/// How a call continues after the look-up of its write.
enum Begun<'a, A: LiveAccount> {
    /// The write is new and is made now.
    Write(Access<'a, A>, Write, RunningWrite),
    /// The stored response of an earlier request.
    Replayed(Reply<StreamOf<A>>),
}

/// Reads the body of the write, and looks the write up.
async fn begin<'a, A: LiveAccount + WriteStore>(
    access: Access<'a, A>,
    call: &mut Call<StreamOf<A>>,
    key: &str,
) -> Result<Begun<'a, A>, Failure> {
    let (account, deadline) = (access.account(), access.deadline());
    let room = account.body_room();
    let body = std::mem::replace(&mut call.body, Body::Empty);
    let (system, limit) = (account.system(), KEYED_BODY_BYTES);
    let body = body::read_until(system, body, limit, &room, Some(deadline)).await?;
    let write = Write::of(call, Kind::of(access.visibility()), key, &body);
    let access = access.check_again().await?;
    let known = account.begin_write(&write)?;
    if matches!(known, KnownWrite::Status(_) | KnownWrite::Answer(_)) {
        // The write was answered before, so the file had its target.
        call.trace.is_about(&call.target);
    }
    match known {
        KnownWrite::Begun => {}
        KnownWrite::UnderWay if account.running_writes().has(&write.place) => {
            return Err(still_running());
        }
        KnownWrite::UnderWay => return Err(cut_off()),
        KnownWrite::AnotherBody => return Err(another_body()),
        KnownWrite::Status(status) => return Err(not_kept(status)),
        KnownWrite::Answer(kept) => return kept.again().map(Begun::Replayed),
    }
    let running = account.running_writes().begin(&write.place);
    account.wake_for_writes().await;
    call.body = Body::from_bytes(body);
    Ok(Begun::Write(access, write, running))
}

/// Stores the result of a write before the caller gets the response.
async fn settle<A: LiveAccount + WriteStore>(
    account: &A,
    write: &Write,
    completed: Completed<A>,
    deadline: Timestamp,
) -> Completed<A> {
    let Completed { response, ended } = completed;
    let (response, end) = match (ended.write, response) {
        // A list is not a write.
        (_, Ok(CallResponse::Pages(pages))) => {
            let response = Ok(CallResponse::Pages(pages));
            return Completed { response, ended };
        }
        (WriteOutcome::Unknown, response) => (response, WriteEnd::Unknown),
        (WriteOutcome::NotMade, response) => (response, WriteEnd::Undone),
        (WriteOutcome::Status(status), response) => (response, WriteEnd::Status(status)),
        (WriteOutcome::Answered, Err(failure)) => {
            let end = WriteEnd::of_refusal(&failure);
            (Err(failure), end)
        }
        (WriteOutcome::Answered, Ok(CallResponse::Single(reply))) => {
            let (reply, bytes) = small_body::buffer(account, reply, deadline).await;
            let end = bytes.map_or(WriteEnd::Status(reply.status.as_u16()), |bytes| {
                WriteEnd::Answer(KeptAnswer::of_reply(&reply, &bytes))
            });
            (Ok(CallResponse::Single(reply)), end)
        }
    };
    account.end_write(write, &end);
    let ended = match &response {
        Ok(CallResponse::Single(reply)) => Ended {
            bytes_out: length(&reply.body),
            ..ended
        },
        _ => ended,
    };
    Completed { response, ended }
}

/// The result of a write, as it is stored.
pub(in crate::flows) enum WriteEnd {
    /// The result is unknown: the write stays under way.
    Unknown,
    /// The write was not made; it may be tried again.
    Undone,
    /// The write was answered with this status.
    Status(u16),
    /// The write was answered with this response.
    Answer(KeptAnswer),
}

impl WriteEnd {
    /// The result for a provider's refusal, which is stored if it is small.
    fn of_refusal(failure: &Failure) -> Self {
        match &failure.remote {
            Some(remote) if remote.raw_response.len() <= KEPT_ANSWER_BYTES => {
                Self::Answer(KeptAnswer::of_failure(failure, &remote.headers))
            }
            Some(remote) => Self::Status(remote.status),
            None => Self::Undone,
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
        }
    }
}

/// Removes the account from the query: an account token need not name its account, and it is the same write with or
/// without.
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

/// The key of a write. A read has none.
fn key_of<S>(call: &Call<S>) -> Result<Option<String>, Failure> {
    let mut given = call.headers.get_all(KEY).iter();
    let (first, second) = (given.next(), given.next());
    let key = match first {
        Some(key) if !is_read(&call.method) && !call.target.is_list() => key,
        _ => return Ok(None),
    };
    let invalid = |message| Err(Failure::invalid(KEY, message));
    if second.is_some() {
        return invalid("is given twice");
    }
    match key.to_str() {
        Ok("") => invalid("is empty"),
        Ok(key) if key.len() <= KEY_CHARACTERS => Ok(Some(key.to_owned())),
        Ok(_) => invalid("is longer than 255 characters"),
        Err(_) => invalid("is not plain ASCII"),
    }
}

/// Clients repeat a 409 at once: it is for what does not pass by itself.
fn still_running() -> Failure {
    let message = "A write with this Idempotency-Key is still running. Try again for its answer.";
    Failure::new(Code::IdempotencyRunning, message).with_retry_after(1)
}

fn cut_off() -> Failure {
    let message = "A write with this Idempotency-Key was cut off before it had an answer: ask the provider what became of it.";
    Failure::new(Code::IdempotencyInProgress, message)
}

fn another_body() -> Failure {
    let message =
        "This Idempotency-Key was sent with another body. Take a new key for another write.";
    Failure::new(Code::IdempotencyMismatch, message)
}

fn not_kept(status: u16) -> Failure {
    let message = format!(
        "The write with this Idempotency-Key was answered with {status}; the answer was too large to be kept, or could not be read."
    );
    Failure::new(Code::IdempotencyNotReplayable, message).with_details(json!({ "status": status }))
}
