//! The object's one alarm: it finishes what a restart left half done, keeps the token fresh, trims; then
//! it is set to the next time there is something to do.

use std::rc::Rc;
use std::time::Duration;

use super::ahead::next_refresh;
use super::{AccountObject, State};
use crate::error::Failure;
use crate::ports::{Outside, Storage};
use crate::time::Timestamp;

/// Until what failed is tried again.
const RETRY: Duration = Duration::from_mins(1);

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Rings again in a minute whatever happens in between, and at the right time when all went well.
    pub async fn alarm(self: &Rc<Self>) {
        self.alarm.set(None);
        match self
            .has_table("account")
            .and_then(|has| Ok(has || self.has_table("login")?))
        {
            Ok(false) => return,
            Ok(true) => {}
            Err(fault) => self.log("alarm_failed", &fault.to_string()),
        }
        self.wake_later().await;
        if let Err(failure) = self.work_off().await {
            self.log("account_not_settled", failure.code.as_str());
        }
    }

    async fn work_off(self: &Rc<Self>) -> Result<(), Failure> {
        self.finish_pending().await?;
        self.settled().await?;
        self.finish_set_up().await;
        self.refresh_ahead().await;
        self.rest().await
    }
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Something may be left undone: the alarm looks in a minute.
    pub(super) async fn wake_later(&self) {
        self.wake_by(self.outside.now().plus(RETRY)).await;
    }

    /// The alarm rings then or before.
    pub(super) async fn wake_by(&self, at: Timestamp) {
        if self.alarm.get().is_some_and(|set| set <= at) {
            return;
        }
        match self.storage.set_alarm(at).await {
            Ok(()) => self.alarm.set(Some(at)),
            Err(fault) => self.log("alarm_not_set", &fault.to_string()),
        }
    }

    /// The alarm rings at the next time there is something to do, or soon when that cannot be told.
    pub(super) async fn plan(&self) {
        if self.rest().await.is_err() {
            self.wake_later().await;
        }
    }

    /// Sets the alarm to the next time there is something to do; where nothing is left at all, nothing
    /// stays stored.
    pub(super) async fn rest(&self) -> Result<(), Failure> {
        let now = self.outside.now();
        let events = self.trim_events()?;
        let logins = self.trim_logins()?;
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
        let next = [events, logins, retry, refresh].into_iter().flatten().min();
        let is_kept = row.is_some_and(|row| row.account.is_some() || row.pending.is_some());
        match next {
            None if is_kept => {
                self.storage.delete_alarm().await?;
                self.alarm.set(None);
            }
            None => {
                self.storage.erase().await?;
                self.alarm.set(None);
            }
            Some(at) => {
                self.alarm.set(None);
                self.wake_by(at).await;
            }
        }
        Ok(())
    }
}
