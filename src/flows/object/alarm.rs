//! The object's one alarm: it finishes what a restart left half done, keeps the token fresh, trims; then
//! it is set to the next time there is something to do.

use std::time::Duration;

use crate::error::Failure;
use crate::flows::object::AccountObject;
use crate::ports::{Outside, Storage, StorageFault};

/// How long one ring delivers at most.
const TURN: Duration = Duration::from_secs(30);

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Rings again in a minute whatever happens in between, and at the right time when all went well.
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
        // Whatever stands in the way of the account, its events go out.
        let until = self.base.outside().now().plus(TURN);
        if let Err(failure) = self.events.deliver(until).await {
            self.base.log("events_not_delivered", failure.code.as_str());
        }
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
