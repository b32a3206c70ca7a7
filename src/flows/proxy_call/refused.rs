//! An answer that refuses the account's credential: with 401, or with what the file calls 401, whatever its status is.

use crate::error::{Code, Failure, Speaker};
use crate::flows::base::memory::Room;
use crate::flows::proxy_call::outcome::Outcome;
use crate::flows::proxy_call::{Plan, Work};
use crate::ports::{Outside, Reply, Storage};

/// What an answer comes to.
pub(in crate::flows) enum Heard<S> {
    /// What the caller gets.
    Settled(Result<Outcome<S>, Failure>),
    /// It refuses the credential: another may help.
    Refused(Refused<S>),
}

/// A refusal of the credential.
pub(in crate::flows) enum Refused<S> {
    /// By its status: its words are not held while a fresh credential is fetched.
    Unread(Reply<S>),
    /// By what the file finds in it, with the memory that its words take.
    Found(
        Failure,
        #[expect(dead_code, reason = "holding it is its use")] Room,
    ),
}

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// What the answer comes to. A good one of the provider says that the credential is taken: not one in which the
    /// file finds a 401.
    pub(in crate::flows) async fn heard(&self, reply: Reply<O::Stream>) -> Heard<O::Stream> {
        if self.refuses_credential(&reply) {
            return Heard::Refused(Refused::Unread(reply));
        }
        let status = reply.status;
        match self.answer(reply).await {
            Err(mut failure) if self.finds_refusal(&failure) => {
                let room = self.room_of_words(&mut failure);
                Heard::Refused(Refused::Found(failure, room))
            }
            outcome => {
                self.note_accepted(status);
                Heard::Settled(outcome)
            }
        }
    }

    /// What the caller gets of a refusal.
    pub(in crate::flows) async fn told(
        &self,
        refused: Refused<O::Stream>,
    ) -> Result<Outcome<O::Stream>, Failure> {
        match refused {
            Refused::Unread(reply) => self.answer(reply).await,
            Refused::Found(failure, _) => Err(failure),
        }
    }

    /// The same, where the credential cannot be renewed, or was. Only a method of the file is known well enough for its
    /// refusal to switch the account off, only where the credential is at home, and only where the file does not call it
    /// something else; on `/custom` any path may be asked for.
    pub(in crate::flows) async fn judged(
        &self,
        refused: Refused<O::Stream>,
    ) -> Result<Outcome<O::Stream>, Failure> {
        let mut failure = match (self.told(refused).await, self.plan) {
            (Err(failure), Plan::Method { .. }) if self.is_at_home() => failure,
            (outcome, _) => return outcome,
        };
        if failure
            .remote
            .as_ref()
            .is_some_and(|said| said.status != 401)
        {
            return Err(failure);
        }
        let _room = self.room_of_words(&mut failure);
        let (loaded, deadline) = (self.loaded(), self.deadline);
        let is_off = self.object.confirm_refusal(loaded, deadline).await?;
        Err(if is_off {
            needs_reauth(failure)
        } else {
            failure
        })
    }

    /// Whether it is a 401 by the file's word, of the account's own provider, to a request that was signed in.
    pub(in crate::flows) fn finds_refusal(&self, failure: &Failure) -> bool {
        let says_401 = |failure: &Failure| {
            let said = failure.remote.as_ref();
            said.is_some_and(|said| said.status == 401 && said.speaker == Speaker::Provider)
        };
        failure.code == Code::Rejected && says_401(failure) && self.is_signed_in()
    }

    /// Counts the words of a failure that is held. Where there is no memory for them, they are left out.
    fn room_of_words(&self, failure: &mut Failure) -> Room {
        let room = self.object.isolate.room();
        if let Some(said) = &mut failure.remote
            && room.take(said.raw_response.len()).is_err()
        {
            said.raw_response = String::new();
        }
        room
    }
}

/// The provider's own words, when the account needs its customer.
pub(in crate::flows) fn needs_reauth(mut failure: Failure) -> Failure {
    if failure.remote.is_some() {
        failure.code = Code::NeedsReauth;
    }
    failure
}
