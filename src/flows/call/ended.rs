//! How a call ended: what the log says of it, and what a write with an `Idempotency-Key` is known as.

use crate::error::{AnsweredBy, Code, Failure};
use crate::flows::call::account::LiveAccount;
use crate::flows::call::idempotency::kept::is_replayed;
use crate::flows::call::trace::Trace;
use crate::flows::call::{CallResponse, Completed};
use crate::ports::{Body, ByteStream};

/// How a call ended.
pub(in crate::flows) struct Ended {
    /// The status of our answer.
    pub(in crate::flows) status: u16,
    /// The code of our error.
    pub(in crate::flows) code: Option<Code>,
    /// The length of our answer's body, where it is known.
    pub(in crate::flows) bytes_out: Option<u64>,
    /// Whether the answer was given before.
    pub(in crate::flows) is_replayed: bool,
    /// The words of the account's own provider, where it forbids the call (403). Of a path of the caller's own (`/custom`)
    /// there is no failure, and a rate limit that comes as 403 is answered with 429.
    pub(in crate::flows) forbidden: Option<String>,
    /// What became of a write.
    pub(in crate::flows) write: WriteOutcome,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum WriteOutcome {
    /// The answer that the caller gets is the provider's to it.
    Answered,
    /// It was answered with this status, and the answer is not to be had.
    Status(u16),
    /// It was not made: it may be tried again.
    NotMade,
    /// It was sent, and no answer came in time: the provider may be at it still.
    Unknown,
}

impl Ended {
    pub(in crate::flows) fn of<A: LiveAccount>(
        response: &Result<CallResponse<A>, Failure>,
        trace: &Trace,
        method: &http::Method,
    ) -> Self {
        match response {
            Ok(CallResponse::Single(reply)) => {
                let status = reply.status.as_u16();
                let counts = !trace.is_superseded() && !is_to_be_repeated(status);
                Self {
                    bytes_out: length(&reply.body),
                    is_replayed: is_replayed(&reply.headers),
                    write: if counts {
                        WriteOutcome::Answered
                    } else {
                        not_answered(trace)
                    },
                    ..Self::good(status)
                }
            }
            Ok(CallResponse::Pages(_)) => Self::good(200),
            Err(failure) => Self::failed(failure, of_failure(failure, trace, method)),
        }
    }

    /// A result without a body of a length that is known.
    pub(in crate::flows) fn good(status: u16) -> Self {
        Self {
            status,
            code: None,
            bytes_out: None,
            is_replayed: false,
            forbidden: None,
            write: WriteOutcome::Answered,
        }
    }

    pub(in crate::flows) fn failed(failure: &Failure, write: WriteOutcome) -> Self {
        let remote = failure.remote.as_ref();
        Self {
            status: failure.status(),
            code: Some(failure.code),
            bytes_out: None,
            is_replayed: remote.is_some_and(|remote| is_replayed(&remote.headers)),
            forbidden: forbidden(failure),
            write,
        }
    }
}

impl<A: LiveAccount> Completed<A> {
    /// A call that was answered without asking the provider.
    pub(in crate::flows) fn not_sent(response: Result<CallResponse<A>, Failure>) -> Self {
        let ended = Ended::of(&response, &Trace::default(), &http::Method::GET);
        Self { response, ended }
    }
}

/// The words of the account's own provider, where it forbids the call.
pub(in crate::flows) fn forbidden(failure: &Failure) -> Option<String> {
    let answered_by = failure.remote.as_ref().map(|remote| remote.answered_by);
    let is_providers = failure.status() == 403 && answered_by == Some(AnsweredBy::Provider);
    is_providers.then(|| failure.message.clone())
}

fn of_failure(failure: &Failure, trace: &Trace, method: &http::Method) -> WriteOutcome {
    if let Some(status) = failure.write_made() {
        return WriteOutcome::Status(status);
    }
    match (&failure.remote, trace.status()) {
        // Not sent, or to be sent again: what the file takes for a rate limit may have any status.
        _ if !trace.was_sent() || trace.is_superseded() => not_answered(trace),
        // Not the write was refused, but the account: its customer connects it again.
        _ if failure.code == Code::NeedsReauth => WriteOutcome::NotMade,
        (Some(remote), _) if is_to_be_repeated(remote.status) => not_answered(trace),
        (Some(_), _) => WriteOutcome::Answered,
        // The provider did it, and the answer was too much for us, or not what the file says.
        (None, Some(status)) if status < 400 => WriteOutcome::Status(status),
        // A method that may be sent twice (RFC 9110 §9.2.2) is tried again.
        (None, None)
            if failure.code == Code::Timeout
                && !method.is_idempotent()
                && trace.done().is_none() =>
        {
            WriteOutcome::Unknown
        }
        (None, _) => not_answered(trace),
    }
}

/// No answer counts; but a redirect may have said that the write was made.
fn not_answered(trace: &Trace) -> WriteOutcome {
    trace
        .done()
        .map_or(WriteOutcome::NotMade, WriteOutcome::Status)
}

/// An answer that says it may be tried again.
fn is_to_be_repeated(status: u16) -> bool {
    status >= 500 || status == 429
}

/// The length of a body, where it is known.
pub(in crate::flows) fn length<S: ByteStream>(body: &Body<S>) -> Option<u64> {
    match body {
        Body::Empty => Some(0),
        Body::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
        Body::Stream(stream) => stream.length(),
    }
}
