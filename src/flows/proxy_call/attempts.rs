//! Sending a request until its outcome stands: the account's turn, one attempt, and whether there is another.
//! While it waits it holds no slot.

use std::cell::Cell;
use std::time::Duration;

use bytes::Bytes;

use crate::error::{Code, Failure};
use crate::flows::base::memory::Room;
use crate::flows::proxy_call::present::Ready;
use crate::flows::proxy_call::send::Arrived;
use crate::flows::proxy_call::{Plan, Work};
use crate::ports::{Body, Outside, Reply, Storage};
use crate::proxy::request::{Draft, Payload};
use crate::rate_limit::Limits;
use crate::retry::{self, Next, Outcome, Sent, Tried};

/// The retries of one call, counted over all that it sends.
pub(in crate::flows) struct Retries {
    allowed: Option<u32>,
    made: Cell<u32>,
}

impl Retries {
    /// As many as the caller allows, or as the verb does.
    pub(in crate::flows) fn up_to(allowed: Option<u32>) -> Self {
        Self {
            allowed,
            made: Cell::new(0),
        }
    }
}

/// A request that was made.
struct Made {
    draft: Draft,
    /// Its body, where that is not the caller's.
    payload: Option<Bytes>,
    #[expect(dead_code, reason = "what the body takes, for as long")]
    room: Room,
}

impl Made {
    /// Its body. Of the caller's the room was taken where it was read.
    fn body<S>(&self, callers: Body<S>) -> Body<S> {
        match &self.payload {
            Some(bytes) => Body::from_bytes(bytes.clone()),
            None => callers,
        }
    }
}

/// What came of one attempt, as callers and as the decision see it.
struct Attempted<S> {
    outcome: Outcome,
    result: Result<(Reply<S>, Limits), Failure>,
}

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// The answer to a request, sent again where that may help. It is made of the account as it is when it is sent. Its
    /// body is unread unless its limits stand in it; one that means "too many requests" is a failure, but on `/custom`.
    pub(in crate::flows) async fn send(
        &mut self,
        draft: &impl Fn(&Self) -> Result<Draft, Failure>,
        callers: Body<O::Stream>,
    ) -> Result<Reply<O::Stream>, Failure> {
        let mut callers = callers;
        let mut made = self.made(draft)?;
        let mut turn = self.take_turn(Duration::ZERO)?;
        loop {
            let Ready { slot, is_changed } = self.ready(turn).await?;
            if is_changed {
                made = self.made(draft)?;
            }
            let again = callers.again();
            let body = made.body(callers);
            let can_repeat = body.again().is_some();
            let attempt = self.attempt(made.draft.clone(), body).await;
            drop(slot);
            let attempted = self.attempted(attempt).await?;
            let next = self.next(&made.draft, can_repeat, attempted.outcome);
            // A retry that has no turn in time would only hide what the provider said.
            let next_turn = match next {
                Next::Again(wait) => self.take_turn(wait).ok(),
                Next::Settle => None,
            };
            let Some(next_turn) = next_turn else {
                return self.settled(attempted.result).await;
            };
            drop(attempted);
            self.trace.puts_off();
            self.retries.made.set(self.retries.made.get() + 1);
            (turn, callers) = (next_turn, again.unwrap_or(Body::Empty));
        }
    }

    /// A request of the account as it was read last.
    fn made(&mut self, draft: &impl Fn(&Self) -> Result<Draft, Failure>) -> Result<Made, Failure> {
        let mut draft = draft(self)?;
        self.note(&draft);
        let payload = std::mem::replace(&mut draft.body, Payload::Nothing);
        let room = self.object.isolate.room();
        if let Payload::Ours(bytes) = &payload {
            room.take(bytes.len())?;
        }
        Ok(Made {
            draft,
            payload: match payload {
                Payload::Callers => None,
                Payload::Nothing => Some(Bytes::new()),
                Payload::Ours(bytes) => Some(Bytes::from(bytes)),
            },
            room,
        })
    }

    async fn attempted(
        &self,
        result: Result<Arrived<O::Stream>, Failure>,
    ) -> Result<Attempted<O::Stream>, Failure> {
        let (outcome, result) = match result {
            Ok(arrived) => {
                let status = arrived.reply.status;
                let (reply, limits) = self.limits(arrived).await?;
                let outcome = if limits.is_limited {
                    self.trace.puts_off();
                    Outcome::Limited(limits.wait)
                } else {
                    Outcome::Answered(status, limits.wait)
                };
                (outcome, Ok((reply, limits)))
            }
            Err(failure) => match failure.code {
                Code::Unreachable => (Outcome::Unreachable, Err(failure)),
                Code::Timeout => (Outcome::TimedOut, Err(failure)),
                _ => return Err(failure),
            },
        };
        Ok(Attempted { outcome, result })
    }

    fn next(&self, draft: &Draft, can_repeat: bool, outcome: Outcome) -> Next {
        let outside = &self.object.outside;
        let tried = Tried {
            method: &draft.method,
            body: if can_repeat {
                Sent::Repeatable
            } else {
                Sent::Once
            },
            retries: self.retries.made.get(),
            allowed: self.retries.allowed,
            left: self.deadline.since(outside.now()),
            random: outside.random(),
        };
        retry::decide(&tried, outcome)
    }

    async fn settled(
        &self,
        result: Result<(Reply<O::Stream>, Limits), Failure>,
    ) -> Result<Reply<O::Stream>, Failure> {
        let (reply, limits) = result?;
        match self.plan {
            Plan::Method { method, .. } if limits.is_limited => {
                Err(self.rate_limited(method, reply, &limits).await?)
            }
            _ => Ok(reply),
        }
    }
}
