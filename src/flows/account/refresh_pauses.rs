//! When the alarm refreshes a token so that no call waits for it, and the pauses after a failed refresh.

use std::cell::Cell;
use std::time::Duration;

use serde_json::Value;

use crate::account::freshness;
use crate::account::status::Status;
use crate::flows::account::loaded::LoadedAccount;
use crate::time::Timestamp;

/// An account is in use if it was called within this time.
const IN_USE: Duration = Duration::from_hours(24);
/// How often the token of an idle account is refreshed.
pub(in crate::flows) const IDLE: Duration = Duration::from_hours(7 * 24);
/// The pause after a failed refresh, while the old token is still valid. Each further failure doubles it.
const PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);
/// The shortest time between two refreshes by the alarm. A token that expires sooner is refreshed by the calls that
/// need it; the alarm would request it without end.
const LEAST_DISTANCE: Duration = Duration::from_mins(1);

/// The times before which no refresh is tried.
#[derive(Debug)]
pub(in crate::flows) struct Pauses {
    /// For the alarm, and for calls whose token is still valid.
    ahead: Cell<Timestamp>,
    /// For calls without a usable token.
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

    /// The alarm tries no refresh before this time.
    pub(in crate::flows) fn pause_ahead(&self, until: Timestamp) {
        self.ahead.set(until);
    }

    /// Ends all pauses, since the account has a token again.
    pub(in crate::flows) fn end(&self) {
        self.ahead.set(Timestamp::from_millis(0));
        self.calls.set(Timestamp::from_millis(0));
        self.failures.set(0);
    }

    /// Ends all pauses after a successful refresh. The alarm still waits for the shortest time between two refreshes.
    pub(in crate::flows) fn refreshed(&self, now: Timestamp) {
        self.end();
        self.ahead.set(now.plus(LEAST_DISTANCE));
    }

    /// Starts the pauses after a failed refresh.
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

/// When the alarm refreshes the token.
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
        // The provider named no expiry. An unused refresh token may expire all the same.
        None => {
            token.get("refresh_token").and_then(Value::as_str)?;
            weekly()?
        }
    };
    Some(at.max(now))
}
