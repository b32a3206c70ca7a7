//! The states of a call.

use http::{HeaderMap, StatusCode};

use crate::error::Failure;
use crate::flows::base::memory::Room;
use crate::flows::call::buffered_body::Reading;
use crate::flows::call::engine::conclude::{Refused, Then};
use crate::flows::call::engine::protocol::{Answer, Renewal, Streamed};
use crate::flows::call::engine::request::Hop;
use crate::flows::call::respond::AnswerKind;
use crate::ports::Body;
use crate::proxy::redirect::Forward;
use crate::rate_limit::Limits;

/// The caller's body, until it is sent.
pub(super) struct CallersBody {
    pub(super) body: Body<Streamed>,
    pub(super) can_repeat: bool,
}

/// The result of an attempt.
pub(super) type Attempted = Result<(Answer, Limits), Failure>;

pub(super) enum EngineState<'a> {
    /// Before the start, after the end, and during `advance`.
    Idle,
    /// A retry has the result of the attempt before, which counts if the retry cannot be made in time.
    Reserving(Option<Box<Attempted>>),
    Connecting,
    Sending(Box<Hop>),
    Reading(Box<Unread<'a>>),
    ReadingSmall(Box<(Head, Then)>),
    Renewing(Box<Refused>, Renewal),
    Confirming(Box<(Failure, Room)>),
}

/// Status and header fields of an answer.
pub(in crate::flows) struct Head {
    pub(in crate::flows) status: StatusCode,
    pub(in crate::flows) headers: HeaderMap,
}

/// An answer whose body is being read.
pub(super) struct Unread<'a> {
    pub(super) head: Head,
    pub(super) reading: Reading<'a>,
    pub(super) after: AfterBody,
}

/// The purpose of reading the body.
pub(super) enum AfterBody {
    /// The provider's limits.
    Limits(Forward),
    /// The message of an answer that means "too many requests".
    RateLimited(Limits),
    /// The message of a redirect that answers a write and is not followed.
    Redirect(Failure),
    /// The caller's response.
    Response(AnswerKind, Then),
}
