//! What the answer that counts comes to: what the caller gets, or a refusal of the account's credential, with 401 or with
//! what the file calls 401, whatever its status is. Then the credential is renewed, once.

use http::StatusCode;

use crate::error::{Code, Failure};
use crate::flows::account::renewal::Renewed;
use crate::flows::base::memory::Room;
use crate::flows::call::account::CallAccount;
use crate::flows::call::engine::protocol::{Answer, Renewal, Step, Streamed};
use crate::flows::call::engine::{AfterBody, Engine, EngineState};
use crate::flows::call::engine_response::EngineResponse;
use crate::flows::call::respond::Look;
use crate::flows::call::subject::{Errand, Plan};

/// A refusal of the credential.
pub(in crate::flows) enum Refused {
    /// By its status: its words are not read while a fresh credential is fetched.
    Unread(Answer),
    /// By what the file finds in it, with the memory that its words take.
    Found(
        Failure,
        #[expect(dead_code, reason = "holding it is its use")] Room,
    ),
}

/// What follows when it is known what the caller would get.
#[derive(Clone, Copy)]
pub(in crate::flows) struct Then {
    /// The status of the provider's answer.
    status: StatusCode,
    use_as: UseAs,
}

#[derive(Clone, Copy)]
enum UseAs {
    /// The answer: it may be a refusal of the credential.
    Answer,
    /// A refusal of the credential, which the caller gets.
    Refusal,
    /// The same where it is known that the account needs its customer.
    NeedsReauth,
    /// The same, which may be final: the credential cannot be renewed, or was.
    FinalRefusal,
}

impl<A: CallAccount> Engine<'_, A> {
    /// The answer that counts. A good one of the provider says that the credential is taken: not one in which the file
    /// finds a 401.
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

    /// The credential was refused. Another one may help, once.
    fn refused(&mut self, refused: Refused) -> Step {
        self.trace.mark_superseded();
        if self.is_renewed {
            return self.use_refusal(refused, UseAs::FinalRefusal);
        }
        // A redirect has said that the write was made: it is not made again for the page that was refused.
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

    /// A refusal that may be final. Only a method of the file is known well enough for its refusal to switch the account
    /// off, only where the credential is at home, and only where the file does not call it something else; on `/custom` any
    /// path may be asked for.
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

    /// Counts the words of a failure that is held. Where there is no memory for them, they are left out.
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

/// The provider's own words, when the account needs its customer.
fn needs_reauth(mut failure: Failure) -> Failure {
    if failure.remote.is_some() {
        failure.code = Code::NeedsReauth;
    }
    failure
}
