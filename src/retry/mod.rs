//! Whether a request to a provider is sent once more, and when. It neither waits nor sends.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::settings::{CALL_RETRIES_MAX, RATE_LIMIT_WAIT, READ_RETRIES};

/// The wait before the first retry; each further one waits twice as long.
const BACKOFF: Duration = Duration::from_millis(500);
/// The longest wait unless the provider asks for a longer one.
const LONGEST_BACKOFF: Duration = Duration::from_secs(8);
/// What must be left of the budget for the retry itself.
const LEAST_LEFT: Duration = Duration::from_millis(250);

/// A request that was sent, and what is left for it.
#[derive(Debug, Clone)]
pub struct SentAttempt<'a> {
    /// The method the provider is sent.
    pub method: &'a Method,
    pub body: BodyReuse,
    /// How many retries there were so far.
    pub retries: u32,
    /// How many its caller allows; two for reads and none for writes when the caller does not say.
    pub allowed: Option<u32>,
    /// What is left of the caller's time.
    pub left: Duration,
    /// The jitter's.
    pub random: [u8; 4],
}

/// Whether a body can be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyReuse {
    /// It is held in memory, or there is none.
    Repeatable,
    /// It was a stream.
    Once,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// No connection, or it broke before the answer's head.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The provider has too many requests, and says for how long.
    Limited(Option<Duration>),
    /// The file says that the answer may pass; with the wait it asks for.
    Passing(Option<Duration>),
    /// Any other answer, with the wait it asks for.
    Answered(StatusCode, Option<Duration>),
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryDecision {
    /// This is the outcome.
    Settle,
    /// Send it again after this wait.
    Again(Duration),
}

/// Decides: only what may be repeated (RFC 9110 §9.2.2) and can be, only after a failure that may pass, and
/// only where the wait fits what is left.
pub fn decide(tried: &SentAttempt, outcome: AttemptOutcome) -> RetryDecision {
    let asked = match outcome {
        AttemptOutcome::Unreachable | AttemptOutcome::TimedOut => None,
        AttemptOutcome::Limited(wait) => Some(wait.unwrap_or(RATE_LIMIT_WAIT)),
        AttemptOutcome::Passing(wait) => wait,
        AttemptOutcome::Answered(status, wait) if may_pass(status) => wait,
        AttemptOutcome::Answered(..) => return RetryDecision::Settle,
    };
    if !tried.method.is_idempotent()
        || tried.body == BodyReuse::Once
        || tried.retries >= allowed(tried.method, tried.allowed)
    {
        return RetryDecision::Settle;
    }
    let wait = asked
        .unwrap_or_default()
        .max(backoff(tried.retries, tried.random));
    if wait.saturating_add(LEAST_LEFT) > tried.left {
        return RetryDecision::Settle;
    }
    RetryDecision::Again(wait)
}

fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 502..=504)
}

fn allowed(method: &Method, said: Option<u32>) -> u32 {
    let default = if method.is_safe() { READ_RETRIES } else { 0 };
    said.unwrap_or(default).min(CALL_RETRIES_MAX)
}

/// Doubled each time; of it, chance takes up to a half, so that what failed together is not sent together.
fn backoff(retries: u32, random: [u8; 4]) -> Duration {
    let whole = BACKOFF.saturating_mul(2_u32.saturating_pow(retries));
    let share = f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX);
    whole.min(LONGEST_BACKOFF).mul_f64(1.0 - share / 2.0)
}

#[cfg(test)]
mod tests;
