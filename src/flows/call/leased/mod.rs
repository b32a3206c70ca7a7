//! Leased calls: a front Worker sends the calls of an account itself, with what the account's object has leased to it.
//! A lease is in the isolate's memory only, for at most [`LEASE`](crate::settings::LEASE). What leased calls leave
//! behind goes to the object in batches, after the answers. `lending` is the object's side.

pub(in crate::flows) mod account;
mod call;
mod lent;
mod reports;

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::FutureExt;
use http::HeaderMap;

use crate::flows::base::byte_cache::ByteCache;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::lease::{Lease, LeaseUse};
use crate::flows::messages::send_to_account;
use crate::ids::{AccountId, Region};
use crate::ports::{Outside, Pages, Visibility};
use crate::settings::{LEASE_REQUEST_PAUSE, LEASES_BYTES, SMALL_CACHE_BYTES};
use crate::time::Timestamp;

pub use call::{LeasedRequest, call};
pub use lent::Lent;
use reports::Reports;

/// The leases of one isolate, and the reports that are not sent yet.
pub struct Leases {
    lent: RefCell<ByteCache<AccountId, Rc<Lent>>>,
    /// When a lease was last requested, so that many first calls make one request.
    requested: RefCell<ByteCache<AccountId, Timestamp>>,
    reports: Reports,
}

impl Default for Leases {
    fn default() -> Self {
        Self {
            lent: RefCell::new(ByteCache::new(LEASES_BYTES)),
            requested: RefCell::new(ByteCache::new(SMALL_CACHE_BYTES)),
            reports: Reports::default(),
        }
    }
}

impl Leases {
    /// The lease that a call may use. Calls with an `Idempotency-Key`, lists of all pages and calls with an account
    /// token go to the object.
    pub fn usable(
        &self,
        id: AccountId,
        now: Timestamp,
        visibility: &Visibility,
        (headers, pages): (&HeaderMap, Pages),
    ) -> Option<Rc<Lent>> {
        if pages == Pages::All || headers.contains_key("idempotency-key") {
            return None;
        }
        let lent = self.current(id, now)?;
        lent.is_visible(visibility).then_some(lent)
    }

    fn current(&self, id: AccountId, now: Timestamp) -> Option<Rc<Lent>> {
        let mut all = self.lent.borrow_mut();
        all.get(&id).filter(|lent| lent.is_valid(now)).cloned()
    }

    /// Ends the lease of an account in this isolate.
    pub fn end(&self, id: AccountId) {
        self.lent.borrow_mut().remove(&id);
    }

    fn keep(&self, id: AccountId, lent: &Rc<Lent>, now: Timestamp) {
        if lent.is_valid(now) {
            let mut all = self.lent.borrow_mut();
            all.put(id, lent.bytes(), Rc::clone(lent));
        }
    }

    /// Counts a request for a lease, unless one was made a moment ago.
    fn may_request(&self, id: AccountId, now: Timestamp) -> bool {
        let mut requested = self.requested.borrow_mut();
        let is_recent = |at: &Timestamp| now < at.plus(LEASE_REQUEST_PAUSE);
        if requested.get(&id).is_some_and(is_recent) {
            return false;
        }
        requested.put(id, 0, now);
        true
    }
}

/// Requests a lease that an object offers, after the answer of this call.
pub fn request_lease<O: Outside>(
    outside: &O,
    leases: &Rc<Leases>,
    id: AccountId,
    visibility: &Visibility,
) {
    let now = outside.now();
    if matches!(visibility, Visibility::AccountToken(_))
        || id.placement().region() == Region::Eu
        || leases.current(id, now).is_some()
        || !leases.may_request(id, now)
    {
        return;
    }
    let message = AccountMessage::Lease(visibility.clone(), LeaseUse::Calls);
    let (own, leases) = (outside.clone(), Rc::clone(leases));
    let work = async move {
        // The object's time begins later, so the lease never lasts longer than the object allows.
        let at = own.now();
        // A failure is logged where it occurs, and the next calls go to the object.
        if let Ok(Some(lease)) = send_to_account::<Option<Lease>>(&own, id, &message).await {
            leases.keep(id, &Rc::new(Lent::new(lease, at)), own.now());
        }
    };
    outside.spawn(work.boxed_local());
}
