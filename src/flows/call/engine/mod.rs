//! The engine of a call: a state machine without I/O. It gets an input and returns the next step, which the driver
//! executes. Retries, redirects and the one renewal of the credential are states.
//!
//! The engine never has a stream: a body that the driver has not read is [`Streamed`], and the driver keeps its stream
//! until the next [`Step::Connect`], [`Step::Send`] or [`Step::Respond`].

pub(in crate::flows) mod attempt;
pub(in crate::flows) mod conclude;
pub(in crate::flows) mod protocol;
pub(in crate::flows) mod request;
pub(in crate::flows) mod settle;
mod state;
#[cfg(test)]
pub(in crate::flows) mod tests;
pub(in crate::flows) mod transfer;

use std::rc::Rc;

use bytes::Bytes;

use crate::error::{Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::base::body;
use crate::flows::base::memory::Room;
use crate::flows::call::account::CallAccount;
use crate::flows::call::buffered_body::{BufferedBody, Reading, TextError};
use crate::flows::call::build::Prepared;
use crate::flows::call::current::Current;
use crate::flows::call::engine::conclude::Then;
use crate::flows::call::engine::protocol::{Answer, Input, Limit, Step, Streamed};
use crate::flows::call::engine::request::BuiltRequest;
use crate::flows::call::engine::state::{AfterBody, CallersBody, EngineState, Unread};
use crate::flows::call::engine_response::EngineResponse;
use crate::flows::call::respond::{Exchange, Responder};
use crate::flows::call::small_body::describe_buffered;
use crate::flows::call::subject::Errand;
use crate::flows::call::trace::Trace;
use crate::media::coding;
use crate::ports::Body;
use crate::proxy::reply::ReplyError;
use crate::settings::KEPT_ANSWER_BYTES;
use crate::time::Timestamp;

pub(in crate::flows) use crate::flows::call::engine::state::Head;

pub(in crate::flows) struct Engine<'a, A> {
    account: &'a A,
    prepared: Prepared<'a>,
    current: Current<'a>,
    callers_body: CallersBody,
    limit: Limit,
    retries: u32,
    exchange: Exchange,
    trace: Rc<Trace>,
    /// The request that is being sent.
    made: Option<BuiltRequest>,
    is_renewed: bool,
    state: EngineState<'a>,
}

impl<'a, A: CallAccount> Engine<'a, A> {
    pub(in crate::flows) fn new(
        account: &'a A,
        prepared: Prepared<'a>,
        current: Current<'a>,
        body: Body<Streamed>,
        limit: Limit,
        trace: Rc<Trace>,
    ) -> Self {
        let callers_body = CallersBody {
            can_repeat: body.again().is_some(),
            body,
        };
        Self {
            account,
            prepared,
            current,
            callers_body,
            limit,
            retries: 0,
            exchange: Exchange::default(),
            trace,
            made: None,
            is_renewed: false,
            state: EngineState::Idle,
        }
    }

    pub(in crate::flows) fn loaded(&self) -> &Rc<LoadedAccount> {
        self.current.loaded()
    }

    pub(in crate::flows) fn errand(&self) -> Errand {
        self.prepared.subject().errand
    }

    /// The further tokens that the request carries.
    pub(in crate::flows) fn also_names(&self) -> Vec<String> {
        let method = &self.current.loaded().account.authentication_method;
        self.prepared.subject().also_names(method)
    }

    pub(in crate::flows) fn deadline(&self) -> Timestamp {
        self.limit.deadline
    }

    /// Takes an input and returns the next step.
    pub(in crate::flows) fn advance(&mut self, input: Input) -> Step {
        match (std::mem::replace(&mut self.state, EngineState::Idle), input) {
            (EngineState::Idle, Input::Begin) => self.start(),
            (EngineState::Reserving(superseded), Input::Reserved(Ok(()))) => {
                if superseded.is_some() {
                    self.note_retry();
                }
                self.state = EngineState::Connecting;
                Step::Connect
            }
            // A retry without time left would only hide the provider's answer.
            (EngineState::Reserving(Some(attempted)), Input::Reserved(Err(_))) => {
                self.settle(*attempted)
            }
            (EngineState::Reserving(None), Input::Reserved(Err(failure)))
            | (EngineState::Connecting, Input::Connected(Err(failure)))
            | (EngineState::Confirming(_), Input::RefusalConfirmed(Err(failure))) => {
                self.fail(failure)
            }
            (EngineState::Connecting, Input::Connected(Ok(now))) => self.connected(now),
            (EngineState::Sending(hop), Input::Answered(outcome)) => self.answered(*hop, outcome),
            (EngineState::Sending(hop), Input::Transferred(outcome)) => {
                self.transferred(&hop, outcome)
            }
            (EngineState::Sending(hop), Input::NotSent(failure)) => self.not_sent(&hop, failure),
            (EngineState::Reading(unread), Input::BodyRead(read)) => self.was_read(*unread, read),
            (EngineState::ReadingSmall(unread), Input::SmallBodyRead(bytes)) => {
                let (mut head, then) = *unread;
                if bytes.is_some() {
                    describe_buffered(&mut head.headers);
                }
                self.small_was_read(head, bytes, then)
            }
            (EngineState::Renewing(refused, renewal), Input::Renewed(renewed)) => {
                self.renewed(*refused, renewal, renewed)
            }
            (EngineState::Confirming(refusal), Input::RefusalConfirmed(Ok(is_final))) => {
                self.confirmed(refusal.0, is_final)
            }
            _ => self.fail(Failure::new(Code::Internal, "A call lost its way.")),
        }
    }

    /// Ends the call. A failure says whether a write was made.
    fn respond(&mut self, outcome: Result<EngineResponse<Streamed>, Failure>) -> Step {
        Step::Respond(outcome.map_err(|failure| self.trace.behind_write(failure)))
    }

    fn fail(&mut self, failure: Failure) -> Step {
        self.respond(Err(failure))
    }

    /// Reads the body of an answer, unless it is in memory.
    fn read(&mut self, answer: Answer, reading: Reading<'a>, after: AfterBody) -> Step {
        let Answer {
            status,
            headers,
            body,
        } = answer;
        let is_empty = matches!(body, Body::Empty);
        let is_unknown = !is_empty && coding::of_answer(&headers).is_err();
        let unread = Unread {
            head: Head { status, headers },
            reading,
            after,
        };
        if is_unknown {
            return self.was_read(unread, Err(ReplyError::Compressed.into()));
        }
        let room = self.account.room();
        match body {
            Body::Empty => self.was_read(unread, Ok((Bytes::new(), room))),
            Body::Bytes(bytes) => {
                let taken = body::take_answer(&bytes, &room);
                self.was_read(unread, taken.map(|()| (bytes, room)))
            }
            Body::Stream(Streamed) => {
                self.state = EngineState::Reading(Box::new(unread));
                Step::ReadBody
            }
        }
    }

    /// The same for a body that is used only if it is small.
    fn read_small(&mut self, answer: Answer, then: Then) -> Step {
        let Answer {
            status,
            headers,
            body,
        } = answer;
        let head = Head { status, headers };
        match body {
            Body::Empty => self.small_was_read(head, Some(Bytes::new()), then),
            Body::Bytes(bytes) => {
                let bytes = Some(bytes).filter(|bytes| bytes.len() <= KEPT_ANSWER_BYTES);
                self.small_was_read(head, bytes, then)
            }
            Body::Stream(Streamed) => {
                self.state = EngineState::ReadingSmall(Box::new((head, then)));
                Step::ReadSmallBody
            }
        }
    }

    fn was_read(&mut self, unread: Unread<'a>, read: Result<(Bytes, Room), Failure>) -> Step {
        let Unread {
            head,
            reading,
            after,
        } = unread;
        let buffered = self.buffered(&head, reading, read);
        match after {
            AfterBody::Limits(credentials) => self.limits_were_read(head, buffered, credentials),
            AfterBody::RateLimited(limits) => {
                let failure = self.responder().rate_limited(&head, buffered, &limits);
                self.fail(failure.unwrap_or_else(|failure| failure))
            }
            AfterBody::Redirect(failure) => {
                let failure = self.responder().behind_write(failure, buffered);
                self.attempt_failed(failure)
            }
            AfterBody::Response(what, then) => {
                let outcome = self.responder().finish(what, head, buffered);
                self.conclude(outcome, then)
            }
        }
    }

    fn small_was_read(&mut self, head: Head, bytes: Option<Bytes>, then: Then) -> Step {
        let reply = self.responder().without_secrets(head, bytes);
        self.conclude(Ok(EngineResponse::Single(reply)), then)
    }

    fn buffered(
        &self,
        head: &Head,
        reading: Reading<'a>,
        read: Result<(Bytes, Room), Failure>,
    ) -> Result<BufferedBody, TextError> {
        let (bytes, room) = read?;
        let bytes = body::decoded(&head.headers, bytes, room.answer_bytes(), &room)?;
        BufferedBody::of((bytes, room), &head.headers, reading, &self.account.room())
    }

    fn responder(&self) -> Responder<'_, 'a, A> {
        Responder::new(
            self.account,
            &self.prepared,
            &self.current,
            &self.exchange,
            &self.trace,
        )
    }
}
