//! Leased calls: a front Worker sends the calls of an account itself, with what the account's object has leased to it.
//! A lease is in the isolate's memory only, for at most [`LEASE`](crate::settings::LEASE). What leased calls leave
//! behind goes to the object in batches, after the answers. `lending` is the object's side.

pub(in crate::flows) mod account;
mod call;
mod known_config;
mod leases;
mod lent;
mod reports;
mod requests;

use std::rc::Rc;

use futures_util::FutureExt;

use crate::error::Failure;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::lease::{Lease, LeaseMessage, LeaseUse};
use crate::flows::messages::send_to_account;
use crate::ids::{AccountId, Region};
use crate::ports::{Outside, Visibility};

pub use call::{LeasedRequest, call};
pub use leases::Leases;
pub use lent::Lent;

/// Requests a lease that an object offers, after the answer of this call.
pub fn request_lease<O: Outside>(
    outside: &O,
    leases: &Rc<Leases>,
    id: AccountId,
    visibility: &Visibility,
) {
    let now = outside.now();
    if id.placement().region() == Region::Eu
        || leases.current(id, visibility, now).is_some()
        || !leases.may_request(id, now)
    {
        return;
    }
    let message =
        AccountMessage::LeasedCalls(LeaseMessage::Lease(visibility.clone(), LeaseUse::Calls));
    let (own, leases, visibility) = (outside.clone(), Rc::clone(leases), visibility.clone());
    let work = async move {
        // The object's time begins later, so the lease never lasts longer than the object allows.
        let (at, ends) = (own.now(), leases.ends(id));
        // A failure is logged where it occurs, and the next calls go to the object.
        if let Ok(Some(lease)) = send_to_account::<Option<Lease>>(&own, id, &message).await {
            let lent = Rc::new(Lent::new(lease, at, &visibility));
            leases.keep(id, &lent, ends, own.now());
        }
    };
    outside.spawn(work.boxed_local());
}

/// The failure of a call whose lease has ended, and whose account is not leased any more.
pub(in crate::flows) fn ended() -> Failure {
    Failure::busy("The account changed during this call, and the request was not sent. Try again.")
}
