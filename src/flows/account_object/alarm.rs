//! The object's one alarm: it finishes what a restart left half done, keeps the token fresh, trims; then
//! it is set to the next time there is something to do.

use std::rc::Rc;
use std::time::Duration;

use crate::error::Failure;
use crate::flows::account_object::ahead::next_refresh;
use crate::flows::account_object::{AccountObject, State};
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

/// Until what failed is tried again.
const RETRY: Duration = Duration::from_mins(1);
/// How long one ring delivers at most.
const TURN: Duration = Duration::from_secs(30);

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Rings again in a minute whatever happens in between, and at the right time when all went well.
    pub async fn alarm(self: &Rc<Self>) {
        self.alarm.set(None);
        match self.has_anything() {
            Ok(false) => return,
            Ok(true) => {}
            Err(fault) => self.log("alarm_failed", &fault.to_string()),
        }
        self.wake_later().await;
        if let Err(failure) = self.settle_all().await {
            self.log("account_not_settled", failure.code.as_str());
        }
        // Whatever stands in the way of the account, its events go out.
        let until = self.outside.now().plus(TURN);
        if let Err(failure) = self.deliver(until).await {
            self.log("events_not_delivered", failure.code.as_str());
        }
        self.plan().await;
    }

    async fn settle_all(self: &Rc<Self>) -> Result<(), Failure> {
        self.finish_pending().await?;
        self.settled().await?;
        self.finish_set_up().await;
        self.refresh_ahead().await;
        Ok(())
    }

    fn has_anything(&self) -> Result<bool, StorageFault> {
        Ok(self.has_table("account")? || self.has_table("login")? || self.has_outbox()?)
    }
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Something may be left undone: the alarm looks in a minute.
    pub(in crate::flows) async fn wake_later(&self) {
        self.wake_by(self.outside.now().plus(RETRY)).await;
    }

    /// The alarm rings then or before.
    pub(in crate::flows) async fn wake_by(&self, at: Timestamp) {
        if self.alarm.get().is_some_and(|set| set <= at) {
            return;
        }
        // Known before it is done: of two at once the later must not undo the earlier.
        let before = self.alarm.replace(Some(at));
        if let Err(fault) = self.storage.set_alarm(at).await {
            self.alarm.set(before);
            self.log("alarm_not_set", &fault.to_string());
        }
    }

    /// The alarm rings at the next time there is something to do, or soon when that cannot be told.
    pub(in crate::flows) async fn plan(&self) {
        if self.rest().await.is_err() {
            self.wake_later().await;
        }
    }

    /// Sets the alarm to the next time there is something to do; where nothing is left at all, nothing
    /// stays stored.
    pub(in crate::flows) async fn rest(&self) -> Result<(), Failure> {
        self.trim_logins()?;
        self.trim_outbox()?;
        self.trim_kept_answers()?;
        self.trim_log()?;
        if self.is_over()? {
            return Ok(self.erase_all().await?);
        }
        let next = self.next_due()?;
        self.alarm.set(None);
        match next {
            Some(at) => self.wake_by(at).await,
            None => self.storage.delete_alarm().await?,
        }
        Ok(())
    }

    /// Whoever wakes this object finds the alarm set: a restart may have come between a write and it.
    pub(in crate::flows) async fn set_a_missing_alarm(&self) -> Result<(), Failure> {
        let set = self.storage.alarm().await?;
        if set.is_some() {
            self.alarm.set(set);
        } else if let Some(at) = self.next_due()? {
            self.wake_by(at).await;
        }
        Ok(())
    }

    /// The next time there is something to do.
    fn next_due(&self) -> Result<Option<Timestamp>, Failure> {
        let now = self.outside.now();
        let row = self.read_row()?;
        let is_pending = row
            .as_ref()
            .is_some_and(|row| row.pending.is_some() || row.set_up.is_some());
        let refresh = match self.state() {
            State::Here(loaded) => {
                next_refresh(&loaded, now).map(|at| at.max(self.pauses.ahead.get()))
            }
            State::Missing | State::Unread => None,
        };
        let retry = is_pending.then(|| now.plus(RETRY));
        let events = [self.next_delivery()?, self.next_trim()?, self.next_end()?];
        let rest = [self.next_login()?, retry, refresh];
        let calls = [self.next_end_of_a_key()?, self.next_end_of_a_line()?];
        let all = events.into_iter().chain(rest).chain(calls);
        Ok(all.flatten().min())
    }

    /// Whether nothing is left of the account, of those who connect it, and of its events.
    fn is_over(&self) -> Result<bool, Failure> {
        let row = self.read_row()?;
        let is_kept = row.is_some_and(|row| row.account.is_some() || row.pending.is_some());
        Ok(!is_kept && self.next_login()?.is_none() && self.is_outbox_over()?)
    }

    /// Nothing is left at all.
    async fn erase_all(&self) -> Result<(), StorageFault> {
        self.has_open_outbox.set(false);
        self.has_kept_answers.set(false);
        self.kept_bytes.forget();
        self.forget_gathered();
        self.alarm.set(None);
        self.storage.erase().await
    }
}
