//! The request of an attempt, and its state across redirects.

use bytes::Bytes;

use crate::error::{Code, Failure};
use crate::flows::base::memory::Room;
use crate::flows::call::engine::protocol::{Limit, Streamed};
use crate::ports::{Body, Reply, SendError};
use crate::proxy::redirect::{self, Forward};
use crate::proxy::request::Draft;
use crate::time::Timestamp;

/// A request that was built.
pub(in crate::flows) struct BuiltRequest {
    pub(in crate::flows) draft: Draft,
    /// Its body, if that is not the caller's.
    pub(in crate::flows) payload: Option<Bytes>,
    /// Whether its body can be sent again.
    pub(in crate::flows) can_repeat: bool,
    #[expect(dead_code, reason = "holding it keeps the body's memory counted")]
    pub(in crate::flows) room: Room,
}

/// A request, possibly after redirects.
pub(in crate::flows) struct Hop {
    pub(in crate::flows) draft: Draft,
    pub(in crate::flows) credentials: Forward,
    pub(in crate::flows) followed: Followed,
    /// A copy of its body, if it can be sent again.
    pub(in crate::flows) again: Option<Body<Streamed>>,
    pub(in crate::flows) sent_at: Timestamp,
}

/// Maps an answer of the platform to an error: in production the platform itself answers for a provider that cannot be
/// reached.
pub(in crate::flows) fn checked<S>(reply: Reply<S>) -> Result<Reply<S>, Failure> {
    match reply.status.as_u16() {
        524 => Err(SendError::Timeout.into()),
        520..=527 | 530 => Err(SendError::Unreachable.into()),
        200..600 => Ok(reply),
        odd => Err(Failure::new(
            Code::UnexpectedAnswer,
            format!("The provider answered with the status {odd}, which HTTP does not have."),
        )),
    }
}

/// The redirects that led to a request.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::flows) struct Followed {
    pub(in crate::flows) count: usize,
    /// The status of the last one, if it answered a write.
    pub(in crate::flows) of_write: Option<u16>,
}

pub(in crate::flows) fn body_of_hop(
    hop: &redirect::RedirectTarget,
    again: Option<Body<Streamed>>,
) -> Result<Body<Streamed>, Failure> {
    match hop.body {
        Forward::Strip => Ok(Body::Empty),
        Forward::Keep => again.ok_or_else(|| {
            let message = "The provider redirects this request, and its body was streamed. Send at most 64 KiB with a content-length, or ask the final address.";
            Failure::new(Code::RedirectNeedsBody, message)
        }),
    }
}

pub(in crate::flows) fn refused(reason: &str) -> Failure {
    Failure::new(
        Code::RedirectRefused,
        format!("The provider answered with a redirect that is not followed: {reason}."),
    )
}

pub(in crate::flows) fn lost() -> Failure {
    Failure::new(Code::Internal, "A call lost its request.")
}

/// Refuses a request other than the one that was confirmed.
pub(in crate::flows) fn check_confirmed(
    limit: &Limit,
    draft: &Draft,
    callers: &Body<Streamed>,
) -> Result<(), Failure> {
    let callers = match callers {
        Body::Bytes(bytes) => bytes.as_ref(),
        Body::Empty | Body::Stream(Streamed) => &[],
    };
    let confirmed = limit.confirmed.as_ref();
    let is_other = confirmed.is_some_and(|confirmed| draft.digest(callers) != *confirmed);
    (!is_other).then_some(()).ok_or_else(not_confirmed)
}

/// A confirmation that does not count, or is for another request.
pub(in crate::flows) fn not_confirmed() -> Failure {
    let message = "is unknown, was used, has expired, or was given for other arguments or another request; leave it out to get another";
    Failure::invalid("confirmation", message)
}
