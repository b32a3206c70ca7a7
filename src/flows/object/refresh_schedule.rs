//! Tokens of accounts in use are refreshed before anybody has to wait for it, those of idle ones weekly,
//! lest their refresh tokens lapse; and how long a refresh that failed is left alone.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value;

use crate::account::freshness;
use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::state::State;
use crate::flows::object::AccountObject;
use crate::ports::{Outside, Storage};
use crate::time::Timestamp;

/// In use is an account that was called within a day.
const IN_USE: Duration = Duration::from_hours(24);
/// An idle one is refreshed so often.
const IDLE: Duration = Duration::from_hours(7 * 24);
/// A use is noted when the last one noted is older.
const NOTED: Duration = Duration::from_hours(1);
/// A use is noted so long after the call began, which its answer shall not wait for.
const AFTER_THE_ANSWER: Duration = Duration::from_secs(1);
/// What a refresh that nobody waits for may take.
pub(super) const AHEAD: Duration = Duration::from_secs(25);
/// The pause after a refresh that failed, doubled with each; while an old token serves, nobody is in a hurry.
const PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);

/// Between two refreshes by alarm. A token that lasts no longer is refreshed by the calls that need it: ahead of them it
/// would be asked for without end.
const LEAST_DISTANCE: Duration = Duration::from_mins(1);

/// Until when no refresh is tried.
#[derive(Debug)]
pub(super) struct Pauses {
    /// By the alarm, or by a call whose token still lives.
    ahead: Cell<Timestamp>,
    /// By a call that has no usable token.
    calls: Cell<Timestamp>,
    failures: Cell<u32>,
}

impl Pauses {
    pub(super) fn none() -> Self {
        let none = Timestamp::from_millis(0);
        Self {
            ahead: Cell::new(none),
            calls: Cell::new(none),
            failures: Cell::new(0),
        }
    }

    pub(super) fn ahead(&self) -> Timestamp {
        self.ahead.get()
    }

    pub(super) fn calls(&self) -> Timestamp {
        self.calls.get()
    }

    /// The alarm tries none before.
    pub(super) fn pause_ahead(&self, until: Timestamp) {
        self.ahead.set(until);
    }

    /// There is a token again.
    pub(super) fn end(&self) {
        self.ahead.set(Timestamp::from_millis(0));
        self.calls.set(Timestamp::from_millis(0));
        self.failures.set(0);
    }

    /// A refresh brought a token: the next one by alarm is not at once, however short its life.
    pub(super) fn refreshed(&self, now: Timestamp) {
        self.end();
        self.ahead.set(now.plus(LEAST_DISTANCE));
    }

    /// A refresh failed.
    pub(super) fn begin(&self, now: Timestamp, of_calls: Duration) {
        let failures = self.failures.get();
        self.failures.set(failures.saturating_add(1));
        let ahead = PAUSE
            .saturating_mul(1 << failures.min(10))
            .min(LONGEST_PAUSE);
        self.ahead.set(now.plus(ahead.max(of_calls)));
        self.calls.set(now.plus(of_calls));
    }
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// By alarm: when it is due, before anybody has to wait for it.
    pub(super) async fn refresh_ahead(self: &Rc<Self>) {
        let State::Here(loaded) = self.record.state() else {
            return;
        };
        let now = self.base.outside.now();
        let at = next_refresh(&loaded, now).map(|at| at.max(self.tokens.pauses().ahead()));
        if at.is_none_or(|at| at > now.plus(Duration::from_secs(1))) {
            return;
        }
        match self.grant(&loaded).await {
            Ok(Some(_)) => {}
            // Only the customer can give another.
            Ok(None) => return self.tokens.pauses().pause_ahead(now.plus(IDLE)),
            Err(failure) => return self.pause_refreshing(&failure),
        }
        // Whoever refreshes says why it failed.
        drop(self.refreshed(&loaded, now.plus(AHEAD)).await);
    }

    /// After the answer of a call, at most once an hour.
    pub fn note_use_of(self: &Rc<Self>, loaded: &LoadedAccount) {
        let now = self.base.outside.now();
        if loaded.used_at.is_none_or(|at| now < at.plus(NOTED)) || !self.tokens.begin_noting_use() {
            return;
        }
        let object = Rc::clone(self);
        let work = async move {
            object.base.outside.sleep(AFTER_THE_ANSWER).await;
            let noted = object.tokens.note_use().map_err(Failure::from);
            if noted.and_then(|()| object.reload()).is_ok() {
                object.plan().await;
            }
        };
        self.base.outside.spawn(work.boxed_local());
    }
}

/// When the token is refreshed without anybody asking.
pub(super) fn next_refresh(loaded: &LoadedAccount, now: Timestamp) -> Option<Timestamp> {
    let token = loaded.token()?;
    if loaded.account.status != Status::Active {
        return None;
    }
    let weekly = || Some(loaded.token_stored_at?.plus(IDLE));
    let is_in_use = loaded.used_at.is_some_and(|at| now < at.plus(IN_USE));
    let at = match freshness::due_at(token) {
        Some(due) if is_in_use => due,
        Some(due) => due.max(weekly()?),
        // Nobody knows when it ends: its refresh token may.
        None => {
            token.get("refresh_token").and_then(Value::as_str)?;
            weekly()?
        }
    };
    Some(at.max(now))
}
