//! A call of the data plane with its line in the log, here and on the console, and what it tells of the account.

use std::rc::Rc;
use std::time::Duration;

use http::HeaderMap;
use serde_json::{Value, json};

use crate::error::{Failure, Speaker};
use crate::flows::account::capabilities::{granted, missing};
use crate::flows::account_object::log_line::LogLine;
use crate::flows::account_object::{AccountObject, LoadedAccount};
use crate::flows::actions::call_action::call_action;
use crate::flows::once::call_once;
use crate::flows::once::kept::is_replayed;
use crate::flows::proxy_call::call::{Call, Given};
use crate::flows::proxy_call::trace::Trace;
use crate::flows::proxy_call::walk::{Piece, Walk};
use crate::json::Exact;
use crate::ports::{Body, ByteStream, HandOver, Outside, Reply, Sees, Storage};
use crate::time::Timestamp;

/// What is known of a call before it is made.
struct Opening {
    request_id: String,
    caller: String,
    began: Timestamp,
    method: String,
    bytes_in: Option<u64>,
}

/// What is known of it when it was answered.
struct Ending {
    status: u16,
    code: Option<String>,
    bytes_out: Option<u64>,
    replayed: bool,
}

/// What a noted call gives.
pub enum Recorded<O: Outside, S: Storage> {
    /// One answer.
    Reply(Reply<O::Stream>),
    /// A list from here to its end, which is noted when it has come there.
    Walk(Box<RecordedWalk<O, S>>),
}

/// A walk that is noted when it is let go: at its end, or where its reader has left.
pub struct RecordedWalk<O: Outside, S: Storage> {
    object: Rc<AccountObject<O, S>>,
    sees: Sees,
    walk: Walk<O, S>,
    opening: Opening,
    trace: Rc<Trace>,
    code: Option<String>,
    bytes_out: u64,
}

impl<O: Outside, S: Storage> RecordedWalk<O, S> {
    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Option<Piece> {
        let piece = self.walk.next().await?;
        match &piece {
            Piece::Lines(lines) => self.bytes_out += lines.len() as u64,
            Piece::Broken { failure, .. } => {
                self.code = Some(failure.code.as_str().to_owned());
                if is_providers_refusal(failure) {
                    self.note_forbidden(&failure.message).await;
                }
            }
        }
        Some(piece)
    }

    async fn note_forbidden(&self, words: &str) {
        let Self {
            object,
            opening,
            trace,
            ..
        } = self;
        if let Ok(loaded) = object.visible(&self.sees).await {
            note_forbidden(object, &loaded, opening, trace, words).await;
        }
    }

    /// What the first page's answer said of the provider's limits.
    pub fn limits(&self) -> &HeaderMap {
        self.walk.limits()
    }
}

impl<O: Outside, S: Storage> Drop for RecordedWalk<O, S> {
    fn drop(&mut self) {
        let ending = Ending {
            status: 200,
            code: self.code.take(),
            bytes_out: Some(self.bytes_out),
            replayed: false,
        };
        record(&self.object, &self.opening, &self.trace, ending);
    }
}

/// Makes a call and notes it. What the caller may not see is in nobody's log.
pub async fn recorded_call<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    hand_over: &HandOver,
    call: Call<O::Stream>,
) -> Result<Recorded<O, S>, Failure> {
    let loaded = object.visible(&hand_over.sees).await?;
    let opening = Opening::of_call(hand_over, &call, object.outside.now());
    let trace = Rc::clone(&call.trace);
    let outcome = call_once(object, &hand_over.sees, call).await;
    let outcome = match outcome {
        Ok(Given::Reply(reply)) => Ok(reply),
        Ok(Given::Walk(walk)) => {
            return Ok(Recorded::Walk(Box::new(RecordedWalk {
                object: Rc::clone(object),
                sees: hand_over.sees.clone(),
                walk: *walk,
                opening,
                trace,
                code: None,
                bytes_out: 0,
            })));
        }
        Err(failure) => Err(failure),
    };
    let ending = match &outcome {
        Ok(reply) => Ending {
            status: reply.status.as_u16(),
            code: None,
            bytes_out: length(&reply.body),
            replayed: is_replayed(&reply.headers),
        },
        Err(failure) => Ending::of_failure(failure),
    };
    if let Err(failure) = &outcome
        && is_providers_refusal(failure)
    {
        note_forbidden(object, &loaded, &opening, &trace, &failure.message).await;
    }
    record(object, &opening, &trace, ending);
    outcome.map(Recorded::Reply)
}

/// Runs an action and notes it. What its steps ask of the provider has no lines of its own.
pub async fn recorded_action<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    hand_over: &HandOver,
    name: &str,
    input: Exact,
    timeout: Duration,
    trace: &Trace,
) -> Result<Exact, Failure> {
    let loaded = object.visible(&hand_over.sees).await?;
    let opening = Opening::of_action(hand_over, object.outside.now());
    let outcome = call_action(object, &hand_over.sees, trace, name, input, timeout).await;
    let outcome = outcome.map_err(|failure| trace.behind_write(failure));
    let ending = match &outcome {
        Ok(_) => Ending {
            status: 200,
            code: None,
            bytes_out: None,
            replayed: false,
        },
        Err(failure) => Ending::of_failure(failure),
    };
    if let Err(failure) = &outcome
        && is_providers_refusal(failure)
    {
        note_forbidden(object, &loaded, &opening, trace, &failure.message).await;
    }
    record(object, &opening, trace, ending);
    outcome
}

impl Opening {
    fn of_call<S: ByteStream>(hand_over: &HandOver, call: &Call<S>, began: Timestamp) -> Self {
        Self {
            request_id: hand_over.request_id.clone(),
            caller: hand_over.caller.clone(),
            began,
            method: call.method.to_string(),
            bytes_in: length(&call.body),
        }
    }

    fn of_action(hand_over: &HandOver, began: Timestamp) -> Self {
        Self {
            request_id: hand_over.request_id.clone(),
            caller: hand_over.caller.clone(),
            began,
            method: "POST".to_owned(),
            bytes_in: None,
        }
    }
}

impl Ending {
    fn of_failure(failure: &Failure) -> Self {
        let remote = failure.remote.as_ref();
        Self {
            status: failure.status(),
            code: Some(failure.code.as_str().to_owned()),
            bytes_out: None,
            replayed: remote.is_some_and(|remote| is_replayed(&remote.headers)),
        }
    }
}

fn record<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    opening: &Opening,
    trace: &Trace,
    ending: Ending,
) {
    let now = object.outside.now();
    let about = trace.about();
    let millis = |took: Duration| u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let line = LogLine {
        request_id: opening.request_id.clone(),
        created_at: now,
        method: opening.method.clone(),
        resource: about.resource,
        resource_method: about.resource_method,
        host: about.host,
        path: about.path,
        status: ending.status,
        code: ending.code,
        duration_ms: millis(now.since(opening.began)),
        upstream_status: trace.status(),
        upstream_ms: trace.took().map(millis),
        bytes_in: opening.bytes_in,
        bytes_out: ending.bytes_out,
        retries: trace.retries(),
        replayed: ending.replayed,
        caller: opening.caller.clone(),
    };
    let mut told =
        json!({ "level": "info", "event": "call", "integrated_account_id": object.id() });
    // Not merged: null is a value here.
    if let (Some(told), Value::Object(line)) = (told.as_object_mut(), json!(line)) {
        told.extend(line);
    }
    object.outside.log(&told);
    object.gather(line);
}

/// What the account's own provider forbids. Of a path of the caller's own (`/custom`) there is no failure, and a rate
/// limit that comes as 403 is answered with 429.
fn is_providers_refusal(failure: &Failure) -> bool {
    let speaker = failure.remote.as_ref().map(|remote| remote.speaker);
    failure.status() == 403 && speaker == Some(Speaker::Provider)
}

/// The provider refused: it is said which of the scopes that the method needs the account does not have.
async fn note_forbidden<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    loaded: &LoadedAccount,
    opening: &Opening,
    trace: &Trace,
    words: &str,
) {
    let about = trace.about();
    let needed = about.scopes;
    let granted = match object.resolved_config(&loaded.account).await {
        Ok(resolved) => granted(&resolved.compiled.config, &loaded.account, &loaded.context),
        Err(_) => None,
    };
    object.gather_forbidden(json!({
        "status": 403,
        "resource": about.resource,
        "method": about.resource_method,
        "message": words,
        "scopes": needed,
        "missing_scopes": granted.map(|granted| missing(&needed, &granted)),
        "request_id": opening.request_id,
        "at": object.outside.now(),
    }));
}

/// The length of a body, where it is known.
fn length<S: ByteStream>(body: &Body<S>) -> Option<u64> {
    match body {
        Body::Empty => Some(0),
        Body::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
        Body::Stream(stream) => stream.length(),
    }
}
