//! When a token is refreshed before a call has to wait for it, and how long a refresh that failed is left alone.

use std::cell::Cell;
use std::time::Duration;

use serde_json::Value;

use crate::account::freshness;
use crate::account::status::Status;
use crate::flows::account::loaded::LoadedAccount;
use crate::time::Timestamp;

/// In use is an account that was called within a day.
const IN_USE: Duration = Duration::from_hours(24);
/// An idle one is refreshed so often.
pub(in crate::flows) const IDLE: Duration = Duration::from_hours(7 * 24);
/// The pause after a refresh that failed, doubled with each; while an old token serves, nobody is in a hurry.
const PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);
/// Between two refreshes by alarm. A token that lasts no longer is refreshed by the calls that need it: ahead of them it
/// would be asked for without end.
const LEAST_DISTANCE: Duration = Duration::from_mins(1);

/// Until when no refresh is tried.
#[derive(Debug)]
pub(in crate::flows) struct Pauses {
    /// By the alarm, or by a call whose token still lives.
    ahead: Cell<Timestamp>,
    /// By a call that has no usable token.
    calls: Cell<Timestamp>,
    failures: Cell<u32>,
}

impl Pauses {
    pub(in crate::flows) fn none() -> Self {
        let none = Timestamp::from_millis(0);
        Self {
            ahead: Cell::new(none),
            calls: Cell::new(none),
            failures: Cell::new(0),
        }
    }

    pub(in crate::flows) fn ahead(&self) -> Timestamp {
        self.ahead.get()
    }

    pub(in crate::flows) fn calls(&self) -> Timestamp {
        self.calls.get()
    }

    /// The alarm tries none before.
    pub(in crate::flows) fn pause_ahead(&self, until: Timestamp) {
        self.ahead.set(until);
    }

    /// There is a token again.
    pub(in crate::flows) fn end(&self) {
        self.ahead.set(Timestamp::from_millis(0));
        self.calls.set(Timestamp::from_millis(0));
        self.failures.set(0);
    }

    /// A refresh brought a token: the next one by alarm is not at once, however short its life.
    pub(in crate::flows) fn refreshed(&self, now: Timestamp) {
        self.end();
        self.ahead.set(now.plus(LEAST_DISTANCE));
    }

    /// A refresh failed.
    pub(in crate::flows) fn begin(&self, now: Timestamp, of_calls: Duration) {
        let failures = self.failures.get();
        self.failures.set(failures.saturating_add(1));
        let ahead = PAUSE
            .saturating_mul(1 << failures.min(10))
            .min(LONGEST_PAUSE);
        self.ahead.set(now.plus(ahead.max(of_calls)));
        self.calls.set(now.plus(of_calls));
    }
}

/// When the token is refreshed without anybody asking.
pub(in crate::flows) fn next_refresh(loaded: &LoadedAccount, now: Timestamp) -> Option<Timestamp> {
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
