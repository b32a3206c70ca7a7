//! The object's one alarm: it finishes what a restart interrupted, refreshes the token, delivers events, works on a
//! slice of the syncs and trims. Then it is set to the next time that a component is due.

use std::time::Duration;

use crate::error::Failure;
use crate::flows::object::AccountObject;
use crate::ports::{Outside, Storage, StorageFault};

/// The longest time that one alarm delivers.
const DELIVERY_TIME: Duration = Duration::from_secs(30);

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Runs the alarm. It is set to a minute from now before the work, and to the next due time after it, so a failure in
    /// between does not stop it.
    pub async fn alarm(&self) {
        self.schedule.forget();
        match self.has_anything() {
            Ok(false) => return,
            Ok(true) => {}
            Err(fault) => self.base.log("alarm_failed", &fault.to_string()),
        }
        self.schedule.wake_later().await;
        if let Err(failure) = self.settle_all().await {
            self.base.log("account_not_settled", failure.code.as_str());
        }
        // Events are delivered even if the account could not be settled.
        let until = self.base.outside().now().plus(DELIVERY_TIME);
        if let Err(failure) = self.events.deliver(until).await {
            self.base.log("events_not_delivered", failure.code.as_str());
        }
        // Events come first: while a sync works, what else is due ends its slice.
        Box::pin(self.syncs.run_slice()).await;
        self.schedule.plan().await;
    }

    async fn settle_all(&self) -> Result<(), Failure> {
        self.record.finish_pending().await?;
        self.record.settled().await?;
        self.set_up.finish().await;
        let tokens = self.calls.tokens();
        tokens.schedule().refresh_ahead(&self.calls).await;
        Ok(())
    }

    fn has_anything(&self) -> Result<bool, StorageFault> {
        Ok(self.record.is_there()? || self.connect.has_logins()? || self.events.is_there()?)
    }
}
