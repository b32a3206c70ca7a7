//! What a leased call asks of its account's object: another lease, and another credential.

use std::rc::Rc;

use serde::de::DeserializeOwned;

use super::account::LeasedAccount;
use super::ended;
use super::lent::Lent;
use crate::error::Failure;
use crate::flows::account::renewal::Renewed;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::lease::{Lease, LeaseMessage, LeaseUse, RefusedLease, RenewedLease};
use crate::flows::messages::send_to_account;
use crate::ports::Outside;
use crate::time::Timestamp;

impl<O: Outside> LeasedAccount<O> {
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        message: AccountMessage,
    ) -> Result<T, Failure> {
        send_to_account(&self.outside, self.id, &message).await
    }

    /// Asks the object, and uses the lease in its answer from now on.
    async fn replace<T: DeserializeOwned>(
        &self,
        message: AccountMessage,
        lease_in: impl FnOnce(T) -> Result<Lease, Renewed>,
    ) -> Result<Result<Rc<Lent>, Renewed>, Failure> {
        let (at, ends) = (self.outside.now(), self.leases.ends(self.id));
        let lease = match lease_in(self.ask(message).await?) {
            Ok(lease) => lease,
            Err(renewed) => return Ok(Err(renewed)),
        };
        let lent = Rc::new(Lent::new(lease, at, &self.visibility));
        let now = self.outside.now();
        self.leases.keep(self.id, &lent, ends, now);
        self.lent.replace(Rc::clone(&lent));
        Ok(Ok(lent))
    }

    /// A lease for this call, after its own has ended.
    pub(super) async fn lease_again(&self) -> Result<Rc<Lent>, Failure> {
        let message = AccountMessage::LeasedCalls(LeaseMessage::Lease(
            self.visibility.clone(),
            LeaseUse::ThisCall,
        ));
        let lease_in = |lease: Option<Lease>| lease.ok_or(Renewed::Never);
        self.replace(message, lease_in).await?.map_err(|_| ended())
    }

    /// A refused credential ends the lease.
    pub(super) fn refused(&self, deadline: Timestamp, can_repeat: bool) -> RefusedLease {
        let lent = self.lent();
        self.leases.end_refused(self.id, &lent);
        RefusedLease {
            credential: lent.credential.clone(),
            can_repeat,
            left: deadline.since(self.outside.now()),
        }
    }

    pub(super) async fn renewed(&self, refused: RefusedLease) -> Result<Renewed, Failure> {
        let message =
            AccountMessage::LeasedCalls(LeaseMessage::RenewLease(self.visibility.clone(), refused));
        let lease_in = |renewed| match renewed {
            RenewedLease::Fresh(lease) => Ok(*lease),
            RenewedLease::Never => Err(Renewed::Never),
            RenewedLease::NotNow => Err(Renewed::NotNow),
        };
        Ok(match self.replace(message, lease_in).await? {
            Ok(lent) => Renewed::Fresh(Rc::clone(&lent.loaded)),
            Err(renewed) => renewed,
        })
    }
}
