//! Handles the final answer: it becomes the caller's response, or it refuses the account's credential. A refusal has
//! the status 401, or the file's `error_expression` maps it to 401. Then the credential is renewed once.

use http::StatusCode;

use crate::error::{Code, Failure};
use crate::flows::account::renewal::Renewed;
use crate::flows::base::memory::Room;
use crate::flows::call::account::CallAccount;
use crate::flows::call::engine::Engine;
use crate::flows::call::engine::protocol::{Answer, Renewal, Step, Streamed};
use crate::flows::call::engine::state::{AfterBody, EngineState};
use crate::flows::call::engine_response::EngineResponse;
use crate::flows::call::respond::Look;
use crate::flows::call::subject::{Errand, Plan};

/// A refusal of the credential.
pub(in crate::flows) enum Refused {
    /// A refusal by its status. Its body is not read while the credential is renewed.
    Unread(Answer),
    /// A refusal that the file finds in the answer, with the memory of its message.
    Found(
        Failure,
        #[expect(dead_code, reason = "holding it is its use")] Room,
    ),
}

/// What to do once the caller's response is known.
#[derive(Clone, Copy)]
pub(in crate::flows) struct Then {
    /// The status of the provider's answer.
    status: StatusCode,
    use_as: UseAs,
}

#[derive(Clone, Copy)]
enum UseAs {
    /// Respond with the answer, unless it refuses the credential.
    Answer,
    /// Respond with the refusal of the credential.
    Refusal,
    /// The same for an account that is known to need its customer.
    NeedsReauth,
    /// The same for a refusal that may be final: the credential cannot be renewed, or was renewed already.
    FinalRefusal,
}

impl<A: CallAccount> Engine<'_, A> {
    /// Takes the final answer. A success of the provider shows that it accepts the credential, unless the file finds a
    /// 401 in the answer.
    pub(in crate::flows) fn received(&mut self, answer: Answer) -> Step {
        if self.errand() == Errand::Call && self.responder().refuses_credential(answer.status) {
            return self.refused(Refused::Unread(answer));
        }
        self.look(answer, UseAs::Answer)
    }

    fn look(&mut self, answer: Answer, use_as: UseAs) -> Step {
        let status = answer.status;
        let then = Then { status, use_as };
        match self.responder().look(answer) {
            Look::Done(outcome) => self.conclude(*outcome, then),
            Look::Read(what, reading, answer) => {
                self.read(answer, reading, AfterBody::Response(what, then))
            }
            Look::ReadSmall(answer) => self.read_small(answer, then),
        }
    }

    pub(in crate::flows) fn conclude(
        &mut self,
        mut outcome: Result<EngineResponse<Streamed>, Failure>,
        then: Then,
    ) -> Step {
        if let Some(headers) = outcome.as_mut().ok().and_then(EngineResponse::headers) {
            self.responder().clean(headers, then.status);
        }
        match then.use_as {
            UseAs::Answer => self.use_answer(outcome, then.status),
            UseAs::Refusal => self.respond(outcome),
            UseAs::NeedsReauth => self.respond(outcome.map_err(needs_reauth)),
            UseAs::FinalRefusal => self.judge(outcome),
        }
    }

    fn use_answer(
        &mut self,
        outcome: Result<EngineResponse<Streamed>, Failure>,
        status: StatusCode,
    ) -> Step {
        let responder = self.responder();
        let is_refusal = |failure: &Failure| responder.finds_refusal(failure);
        let is_refused = outcome.as_ref().is_err_and(is_refusal);
        match outcome {
            Err(mut failure) if is_refused && self.errand() == Errand::Call => {
                let room = self.room_of_words(&mut failure);
                self.refused(Refused::Found(failure, room))
            }
            outcome => {
                if !is_refused && responder.is_accepted(status) {
                    self.account.note_credential_accepted();
                }
                if self.is_renewed {
                    self.account.note_renewal_helped();
                }
                self.respond(outcome)
            }
        }
    }

    /// Handles a refused credential: it is renewed once.
    fn refused(&mut self, refused: Refused) -> Step {
        self.trace.mark_superseded();
        if self.is_renewed {
            return self.use_refusal(refused, UseAs::FinalRefusal);
        }
        // If a redirect showed that the write was made, the write is not repeated for a refused page after it.
        let can_repeat = self.callers_body.can_repeat && self.trace.done().is_none();
        let renewal = if can_repeat {
            Renewal::ThisCall
        } else {
            Renewal::NextCall
        };
        self.state = EngineState::Renewing(Box::new(refused), renewal);
        Step::Renew(renewal)
    }

    pub(in crate::flows) fn renewed(
        &mut self,
        refused: Refused,
        renewal: Renewal,
        renewed: Result<Renewed, Failure>,
    ) -> Step {
        match renewed {
            Ok(Renewed::Fresh(fresh)) if renewal == Renewal::ThisCall => {
                drop(refused);
                self.current.set(fresh);
                self.is_renewed = true;
                self.start()
            }
            Ok(Renewed::Never) => self.use_refusal(refused, UseAs::FinalRefusal),
            Ok(Renewed::NotNow | Renewed::Fresh(_)) => self.use_refusal(refused, UseAs::Refusal),
            Err(failure) if failure.code == Code::NeedsReauth => {
                self.use_refusal(refused, UseAs::NeedsReauth)
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn use_refusal(&mut self, refused: Refused, use_as: UseAs) -> Step {
        match (refused, use_as) {
            (Refused::Unread(answer), use_as) => self.look(answer, use_as),
            (Refused::Found(failure, _), UseAs::FinalRefusal) => self.judge(Err(failure)),
            (Refused::Found(failure, _), UseAs::NeedsReauth) => self.fail(needs_reauth(failure)),
            (Refused::Found(failure, _), UseAs::Refusal | UseAs::Answer) => self.fail(failure),
        }
    }

    /// Judges a refusal that may be final. It can deactivate the account only for a method of the file, at the
    /// credential's own origin, and unless the file maps the answer to another error. A call of `/custom` may name any
    /// path, so its refusal proves nothing.
    fn judge(&mut self, outcome: Result<EngineResponse<Streamed>, Failure>) -> Step {
        let mut failure = match (outcome, self.prepared.subject().plan) {
            (Err(failure), Plan::Method { .. }) if self.responder().is_at_home() => failure,
            (outcome, _) => return self.respond(outcome),
        };
        let remote = failure.remote.as_ref();
        if remote.is_some_and(|remote| remote.status != 401) {
            return self.fail(failure);
        }
        let room = self.room_of_words(&mut failure);
        self.state = EngineState::Confirming(Box::new((failure, room)));
        Step::ConfirmRefusal
    }

    pub(in crate::flows) fn confirmed(&mut self, failure: Failure, is_final: bool) -> Step {
        self.fail(if is_final {
            needs_reauth(failure)
        } else {
            failure
        })
    }

    /// Counts the memory of a buffered failure's message. The message is left out if there is no memory for it.
    fn room_of_words(&self, failure: &mut Failure) -> Room {
        let room = self.account.room();
        if let Some(remote) = &mut failure.remote
            && room.take(remote.raw_response.len()).is_err()
        {
            remote.raw_response = String::new();
        }
        room
    }
}

/// The failure for an account that needs its customer. It keeps the provider's message.
fn needs_reauth(mut failure: Failure) -> Failure {
    if failure.remote.is_some() {
        failure.code = Code::NeedsReauth;
    }
    failure
}
