//! The result of a call for the log, and of a write for its `Idempotency-Key`.

use crate::error::{AnsweredBy, Code, Failure};
use crate::flows::call::account::LiveAccount;
use crate::flows::call::idempotency::kept::is_replayed;
use crate::flows::call::trace::Trace;
use crate::flows::call::{CallResponse, Completed};
use crate::ports::{Body, ByteStream};

/// The result of a call.
pub(in crate::flows) struct Ended {
    /// The status of the gateway's response.
    pub(in crate::flows) status: u16,
    /// The code of the gateway's error.
    pub(in crate::flows) code: Option<Code>,
    /// The length of the response's body, if it is known.
    pub(in crate::flows) bytes_out: Option<u64>,
    /// Whether the response is a stored one.
    pub(in crate::flows) is_replayed: bool,
    /// The message of the account's own provider that forbids the call (403). A call of `/custom` has none, since its
    /// 403 is no failure. A rate limit with the status 403 has none either: it becomes 429.
    pub(in crate::flows) forbidden: Option<String>,
    /// The result of a write.
    pub(in crate::flows) write: WriteOutcome,
}

/// The result of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum WriteOutcome {
    /// The caller gets the provider's answer to the write.
    Answered,
    /// The provider answered with this status, and the answer is not available.
    Status(u16),
    /// The write was not made; it may be tried again.
    NotMade,
    /// The write was sent and no answer came in time: the provider may still be working on it.
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

    /// A success whose body length is unknown.
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
    /// A call that was answered without a request to the provider.
    pub(in crate::flows) fn not_sent(response: Result<CallResponse<A>, Failure>) -> Self {
        let ended = Ended::of(&response, &Trace::default(), &http::Method::GET);
        Self { response, ended }
    }
}

/// The message of the account's own provider, if it forbids the call.
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
        // The request was not sent, or has to be sent again. An answer that the file treats as a rate limit may have
        // any status.
        _ if !trace.was_sent() || trace.is_superseded() => not_answered(trace),
        // The provider refused the account, not the write: its customer has to connect it again.
        _ if failure.code == Code::NeedsReauth => WriteOutcome::NotMade,
        (Some(remote), _) if is_to_be_repeated(remote.status) => not_answered(trace),
        (Some(_), _) => WriteOutcome::Answered,
        // The provider made the write; its answer was too large, or did not fit the file.
        (None, Some(status)) if status < 400 => WriteOutcome::Status(status),
        // An idempotent method (RFC 9110 §9.2.2) may be tried again.
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

/// The result of a write without a usable answer. A redirect may have shown that the write was made.
fn not_answered(trace: &Trace) -> WriteOutcome {
    trace
        .done()
        .map_or(WriteOutcome::NotMade, WriteOutcome::Status)
}

/// Whether the status allows another try.
fn is_to_be_repeated(status: u16) -> bool {
    status >= 500 || status == 429
}

/// The length of a body, if it is known.
pub(in crate::flows) fn length<S: ByteStream>(body: &Body<S>) -> Option<u64> {
    match body {
        Body::Empty => Some(0),
        Body::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
        Body::Stream(stream) => stream.length(),
    }
}
