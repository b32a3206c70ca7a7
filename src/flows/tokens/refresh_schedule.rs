//! Refreshes by the alarm: for accounts in use before the token expires, so that no call waits; for idle accounts weekly,
//! so that the refresh token does not expire.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;

use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::oauth_token::TokenStore;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::refresh_pauses::{IDLE, next_refresh};
use crate::flows::account::schedule::Schedule;
use crate::flows::account::state::State;
use crate::flows::tokens::credential_actions::CredentialActions;
use crate::flows::tokens::refresh::TokenRefresh;
use crate::ports::{Outside, Storage};

/// The least time between two stored uses.
const NOTED: Duration = Duration::from_hours(1);
/// The wait before a use is stored, so that the call's answer does not wait for the write.
const AFTER_THE_ANSWER: Duration = Duration::from_secs(1);
/// The time limit of a refresh that no call waits for.
pub(in crate::flows) const AHEAD: Duration = Duration::from_secs(25);

/// Refreshes that no call asks for.
pub(in crate::flows) struct RefreshSchedule<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    schedule: Rc<Schedule<O, S>>,
    refresh: Rc<TokenRefresh<O, S>>,
    token_store: Rc<TokenStore<O, S>>,
    /// Set while a task is about to store a use. The task clears it.
    is_noting_use: Cell<bool>,
}

impl<O: Outside, S: Storage> RefreshSchedule<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
        refresh: &Rc<TokenRefresh<O, S>>,
        token_store: &Rc<TokenStore<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            schedule: Rc::clone(schedule),
            refresh: Rc::clone(refresh),
            token_store: Rc::clone(token_store),
            is_noting_use: Cell::new(false),
        }
    }

    /// For the alarm: refreshes the token if that is due.
    pub(in crate::flows) async fn refresh_ahead<A: CredentialActions>(&self, actions: &Rc<A>) {
        let State::Here(loaded) = self.record.state() else {
            return;
        };
        let now = self.base.outside().now();
        let at = next_refresh(&loaded, now).map(|at| at.max(self.token_store.pauses().ahead()));
        if at.is_none_or(|at| at > now.plus(Duration::from_secs(1))) {
            return;
        }
        match self.refresh.grant(&loaded).await {
            Ok(Some(_)) => {}
            // Only the customer can give a new credential.
            Ok(None) => return self.token_store.pauses().pause_ahead(now.plus(IDLE)),
            Err(failure) => return self.refresh.pause_refreshing(&failure),
        }
        // The refresh logs why it failed.
        drop(
            self.refresh
                .refreshed(actions, &loaded, now.plus(AHEAD))
                .await,
        );
    }

    /// Stores that the account was used, after the call's answer and at most once an hour.
    pub(in crate::flows) fn note_use_of(self: &Rc<Self>, loaded: &LoadedAccount) {
        let now = self.base.outside().now();
        if loaded.used_at.is_none_or(|at| now < at.plus(NOTED)) || self.is_noting_use.replace(true)
        {
            return;
        }
        let own = Rc::clone(self);
        let work = async move {
            own.base.outside().sleep(AFTER_THE_ANSWER).await;
            own.is_noting_use.set(false);
            let noted = own.token_store.note_use().map_err(Failure::from);
            if noted.and_then(|()| own.record.reload()).is_ok() {
                own.schedule.plan().await;
            }
        };
        self.base.outside().spawn(work.boxed_local());
    }
}
