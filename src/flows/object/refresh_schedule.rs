//! Tokens of accounts in use are refreshed before anybody has to wait for it, those of idle ones weekly,
//! lest their refresh tokens lapse; and how long a refresh that failed is left alone.

use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;

use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::refresh_pauses::{IDLE, next_refresh};
use crate::flows::account::state::State;
use crate::flows::object::AccountObject;
use crate::ports::{Outside, Storage};

/// A use is noted when the last one noted is older.
const NOTED: Duration = Duration::from_hours(1);
/// A use is noted so long after the call began, which its answer shall not wait for.
const AFTER_THE_ANSWER: Duration = Duration::from_secs(1);
/// What a refresh that nobody waits for may take.
pub(in crate::flows) const AHEAD: Duration = Duration::from_secs(25);

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// By alarm: when it is due, before anybody has to wait for it.
    pub(in crate::flows) async fn refresh_ahead(self: &Rc<Self>) {
        let State::Here(loaded) = self.record.state() else {
            return;
        };
        let now = self.base.outside.now();
        let at = next_refresh(&loaded, now).map(|at| at.max(self.token_store.pauses().ahead()));
        if at.is_none_or(|at| at > now.plus(Duration::from_secs(1))) {
            return;
        }
        match self.grant(&loaded).await {
            Ok(Some(_)) => {}
            // Only the customer can give another.
            Ok(None) => return self.token_store.pauses().pause_ahead(now.plus(IDLE)),
            Err(failure) => return self.pause_refreshing(&failure),
        }
        // Whoever refreshes says why it failed.
        drop(self.refreshed(&loaded, now.plus(AHEAD)).await);
    }

    /// After the answer of a call, at most once an hour.
    pub fn note_use_of(self: &Rc<Self>, loaded: &LoadedAccount) {
        let now = self.base.outside.now();
        if loaded.used_at.is_none_or(|at| now < at.plus(NOTED)) || self.is_noting_use.replace(true)
        {
            return;
        }
        let object = Rc::clone(self);
        let work = async move {
            object.base.outside.sleep(AFTER_THE_ANSWER).await;
            object.is_noting_use.set(false);
            let noted = object.token_store.note_use().map_err(Failure::from);
            if noted.and_then(|()| object.record.reload()).is_ok() {
                object.schedule.plan().await;
            }
        };
        self.base.outside.go_on(work.boxed_local());
    }
}
