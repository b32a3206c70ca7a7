//! Settles an attempt: reads the provider's rate limits, then starts a retry or takes the answer as final.

use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use serde_json::Value;

use crate::error::{Code, Failure};
use crate::flows::base::moment::moment;
use crate::flows::call::account::CallAccount;
use crate::flows::call::buffered_body::{BodyNeed, BufferedBody, Reading, TextError};
use crate::flows::call::engine::protocol::{Answer, Step};
use crate::flows::call::engine::state::{AfterBody, Attempted, EngineState};
use crate::flows::call::engine::{Engine, Head};
use crate::flows::call::subject::{Errand, Plan};
use crate::media::coding;
use crate::ports::{Body, System};
use crate::proxy::redirect::Forward;
use crate::proxy::reply::{self, BodyHandling};
use crate::rate_limit;
use crate::retry::{self, AttemptOutcome, BodyReuse, RetryDecision, SentAttempt};

impl<'a, A: CallAccount> Engine<'a, A> {
    /// The attempt failed without a usable answer.
    pub(in crate::flows) fn attempt_failed(&mut self, failure: Failure) -> Step {
        let outcome = match failure.code {
            Code::Unreachable => AttemptOutcome::Unreachable,
            Code::Timeout => AttemptOutcome::TimedOut,
            _ => return self.fail(failure),
        };
        self.decide(outcome, Err(failure))
    }

    /// An answer arrived that is no redirect. Its body is read for the provider's limits only if an expression of the
    /// file needs it.
    pub(in crate::flows) fn arrived(&mut self, answer: Answer, credentials: Forward) -> Step {
        let reading = self.reading_for_limits(&answer);
        match reading {
            Some(reading) => self.read(answer, reading, AfterBody::Limits(credentials)),
            None => self.limits_are_known(answer, None, credentials),
        }
    }

    fn reading_for_limits(&self, answer: &Answer) -> Option<Reading<'a>> {
        let subject = self.prepared.subject();
        let Plan::Method { method, is_list } = subject.plan else {
            return None;
        };
        let needs_body = rate_limit::needs_body(subject.rate_limit(), answer.status);
        // The body of a 401 is not buffered while the credential is renewed.
        let is_needed = needs_body && answer.status != StatusCode::UNAUTHORIZED;
        if !is_needed || coding::of_answer(&answer.headers).is_err() {
            return None;
        }
        let kind = reply::kind(&answer.headers, method.api_response_format);
        let has_error = subject.error_expression().is_some();
        let is_read = answer.status.as_u16() >= 400
            || subject.errand != Errand::Call
            || (answer.status.is_success()
                && (is_list || reply::look(method, has_error, kind) == BodyHandling::Inside));
        is_read.then_some(Reading {
            kind,
            list: method.response_path.as_ref(),
            wanted: BodyNeed::Text,
        })
    }

    /// The body was read: as a value for expressions, and as bytes for the next step.
    pub(in crate::flows) fn limits_were_read(
        &mut self,
        head: Head,
        buffered: Result<BufferedBody, TextError>,
        credentials: Forward,
    ) -> Step {
        let Head {
            status,
            mut headers,
        } = head;
        let (body, value) = match buffered {
            Ok(mut buffered) => {
                // A body too large for a value is no error here: only the expressions miss it.
                let value = buffered.seen().ok();
                (Body::from_bytes(buffered.into_bytes()), value)
            }
            Err(TextError::Bytes(bytes, _)) => (Body::from_bytes(bytes), None),
            // The message of a refusal is optional.
            Err(TextError::Failed(_)) if status.as_u16() >= 400 => (Body::Empty, None),
            Err(TextError::Failed(failure)) => return self.fail(failure),
        };
        // The body is decoded.
        headers.remove(CONTENT_ENCODING);
        headers.remove(CONTENT_LENGTH);
        let answer = Answer {
            status,
            headers,
            body,
        };
        self.limits_are_known(answer, value.as_ref(), credentials)
    }

    /// Writes the limits into the answer's header fields for the caller, and pauses the account if no requests are
    /// left.
    fn limits_are_known(
        &mut self,
        mut answer: Answer,
        body: Option<&Value>,
        credentials: Forward,
    ) -> Step {
        let system = self.account.system();
        let file = self.prepared.subject().rate_limit();
        // An expression that needs an unread body is not evaluated: it could mistake the missing body for a rate limit.
        let is_unread = answer.status == StatusCode::UNAUTHORIZED
            && rate_limit::needs_body(file, answer.status);
        let known = rate_limit::RateLimitAnswer {
            status: answer.status,
            headers: &answer.headers,
            body,
        };
        let file = file.filter(|_| !is_unread);
        let limits = rate_limit::read(file, &known, system.now(), &moment(system));
        for (key, error) in &limits.faults {
            let reason = format!("{key}: {error}");
            self.responder().log("rate_limit_failed", &reason);
        }
        rate_limit::write(&mut answer.headers, &limits);
        // Another host after a redirect has its own limits.
        if let Some(wait) = limits.pause().filter(|_| credentials == Forward::Keep) {
            self.account.pause(wait);
        }
        // A write that was accepted is not made again.
        let accepts = answer.status.as_u16() < 400 && self.writes();
        let outcome = if limits.is_limited {
            self.trace.mark_superseded();
            AttemptOutcome::Limited(limits.wait)
        } else if limits.may_pass && !accepts {
            AttemptOutcome::Passing(limits.wait)
        } else {
            AttemptOutcome::Answered(answer.status, limits.wait)
        };
        self.decide(outcome, Ok((answer, limits)))
    }

    fn writes(&self) -> bool {
        let subject = self.prepared.subject();
        subject.purpose.writes(subject.method())
    }

    fn decide(&mut self, outcome: AttemptOutcome, attempted: Attempted) -> Step {
        let Some(made) = &self.made else {
            return self.settle(attempted);
        };
        let system = self.account.system();
        let tried = SentAttempt {
            method: &made.draft.method,
            body: if made.can_repeat {
                BodyReuse::Repeatable
            } else {
                BodyReuse::Once
            },
            retries: self.retries,
            allowed: self.limit.max_retries,
            left: self.limit.deadline.since(system.now()),
            random: system.random(),
        };
        match retry::decide(&tried, outcome) {
            RetryDecision::Again(after) => {
                self.state = EngineState::Reserving(Some(Box::new(attempted)));
                Step::Reserve { after }
            }
            RetryDecision::Settle => self.settle(attempted),
        }
    }

    /// Notes a retry: the answer before is superseded.
    pub(in crate::flows) fn note_retry(&mut self) {
        self.trace.mark_superseded();
        self.retries += 1;
    }

    /// Takes the result as final. An answer that means "too many requests" is a failure, except on `/custom`.
    pub(in crate::flows) fn settle(&mut self, attempted: Attempted) -> Step {
        self.made = None;
        let (answer, limits) = match attempted {
            Ok(answered) => answered,
            Err(failure) => return self.fail(failure),
        };
        match self.prepared.subject().plan {
            Plan::Method { method, .. } if limits.is_limited => {
                let reading = Reading {
                    kind: reply::kind(&answer.headers, method.api_response_format),
                    list: None,
                    wanted: BodyNeed::Text,
                };
                self.read(answer, reading, AfterBody::RateLimited(limits))
            }
            _ => self.received(answer),
        }
    }
}
