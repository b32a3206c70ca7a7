//! The leases of one isolate.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use http::HeaderMap;

use super::lent::Lent;
use super::reports::Reports;
use crate::flows::base::byte_cache::ByteCache;
use crate::ids::AccountId;
use crate::ports::{Pages, Visibility};
use crate::settings::{LEASE_REQUEST_PAUSE, LEASES_BYTES, SMALL_CACHE_BYTES};
use crate::time::Timestamp;

/// The leases of one isolate, and the reports that are not sent yet.
pub struct Leases {
    lent: RefCell<ByteCache<AccountId, Rc<Lent>>>,
    /// Every lease that a call may have: also those of one call, and those that another one replaced.
    in_use: RefCell<Vec<Weak<Lent>>>,
    /// When a lease was last requested, so that many first calls make one request.
    requested: RefCell<ByteCache<AccountId, Timestamp>>,
    /// How often this isolate ended the leases of an account: a lease that was requested before is not kept.
    ends: RefCell<ByteCache<AccountId, u64>>,
    pub(super) reports: Reports,
}

impl Default for Leases {
    fn default() -> Self {
        Self {
            lent: RefCell::new(ByteCache::new(LEASES_BYTES)),
            in_use: RefCell::default(),
            requested: RefCell::new(ByteCache::new(SMALL_CACHE_BYTES)),
            ends: RefCell::new(ByteCache::new(SMALL_CACHE_BYTES)),
            reports: Reports::default(),
        }
    }
}

impl Leases {
    /// The lease that a call may use. Calls with an `Idempotency-Key` and lists of all pages go to the object.
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
        self.current(id, visibility, now)
    }

    pub(super) fn current(
        &self,
        id: AccountId,
        visibility: &Visibility,
        now: Timestamp,
    ) -> Option<Rc<Lent>> {
        let mut all = self.lent.borrow_mut();
        let lent = all.get(&id)?;
        (lent.is_valid(now) && lent.is_visible(visibility, now)).then(|| Rc::clone(lent))
    }

    /// Ends the lease of an account in this isolate, also for the calls that have it.
    pub fn end(&self, id: AccountId) {
        let count = self.ends(id);
        self.ends.borrow_mut().put(id, 0, count + 1);
        self.lent.borrow_mut().remove(&id);
        let in_use = self.in_use.borrow();
        let own = in_use.iter().filter_map(Weak::upgrade);
        own.filter(|lent| lent.loaded.account.id == id)
            .for_each(|lent| lent.end());
    }

    /// Ends it after the provider refused this lease's credential, unless the account has another one by now.
    pub(super) fn end_refused(&self, id: AccountId, refused: &Lent) {
        refused.end();
        let mut all = self.lent.borrow_mut();
        let is_same = |lent: &Rc<Lent>| lent.credential == refused.credential;
        if all.get(&id).is_some_and(is_same) {
            all.remove(&id).inspect(|lent| lent.end());
        }
    }

    /// The count of ends, for [`Leases::keep`].
    pub(super) fn ends(&self, id: AccountId) -> u64 {
        self.ends.borrow_mut().get(&id).copied().unwrap_or(0)
    }

    /// Keeps a lease for all calls, if it is not of one call. It has ended if leases of the account were ended since
    /// `ends` was counted: the object may have given it before.
    pub(super) fn keep(&self, id: AccountId, lent: &Rc<Lent>, ends: u64, now: Timestamp) {
        if self.ends(id) != ends {
            lent.end();
        }
        let mut in_use = self.in_use.borrow_mut();
        in_use.retain(|lent| lent.strong_count() > 0);
        in_use.push(Rc::downgrade(lent));
        if !lent.is_shared() || !lent.is_valid(now) {
            return;
        }
        let mut all = self.lent.borrow_mut();
        if let Some(before) = all.get(&id) {
            lent.adopt_tokens(before, now);
        }
        all.put(id, lent.bytes(), Rc::clone(lent));
    }

    /// Counts a request for a lease, unless one was made a moment ago.
    pub(super) fn may_request(&self, id: AccountId, now: Timestamp) -> bool {
        let mut requested = self.requested.borrow_mut();
        let is_recent = |at: &Timestamp| now < at.plus(LEASE_REQUEST_PAUSE);
        if requested.get(&id).is_some_and(is_recent) {
            return false;
        }
        requested.put(id, 0, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::flows::call::engine::tests::records::{NOW, account, account_id};
    use crate::flows::messages::lease::{CredentialDigest, Lease};
    use crate::settings::LEASE;

    fn start() -> Timestamp {
        Timestamp::from_millis(NOW)
    }

    fn lent(credential: &str, valid: Duration) -> Rc<Lent> {
        let lease = Lease {
            credential: CredentialDigest(credential.to_owned()),
            account: account(),
            context: json!({}),
            sealed: json!(null),
            valid,
            token_valid: Some(valid),
            install_version: 1,
            integration_version: 1,
        };
        let visibility = Visibility::AccountToken(credential.to_owned());
        Rc::new(Lent::new(lease, start(), &visibility))
    }

    fn is_leased(leases: &Leases) -> bool {
        leases
            .current(account_id(), &Visibility::All, start())
            .is_some()
    }

    #[test]
    fn a_lease_that_was_requested_before_an_end_is_not_kept() {
        let leases = Leases::default();
        let ends = leases.ends(account_id());
        leases.end(account_id());
        let late = lent("a", LEASE);
        leases.keep(account_id(), &late, ends, start());
        assert!(!is_leased(&leases) && !late.is_valid(start()));
        let ends = leases.ends(account_id());
        leases.keep(account_id(), &lent("a", LEASE), ends, start());
        assert!(is_leased(&leases));
    }

    #[test]
    fn an_end_counts_for_the_calls_that_have_the_lease() {
        let (leases, held) = (Leases::default(), lent("a", LEASE));
        leases.keep(account_id(), &held, 0, start());
        leases.end(account_id());
        assert!(!held.is_valid(start()));
    }

    #[test]
    fn an_end_counts_for_a_lease_of_one_call_and_for_one_that_was_replaced() {
        let leases = Leases::default();
        let all = [
            lent("a", Duration::ZERO),
            lent("b", LEASE),
            lent("c", LEASE),
        ];
        for own in &all {
            leases.keep(account_id(), own, 0, start());
        }
        assert!(all.iter().all(|own| own.is_valid(start())));
        leases.end(account_id());
        assert!(!all.iter().any(|own| own.is_valid(start())));
    }

    #[test]
    fn leases_that_no_call_has_any_more_are_not_remembered() {
        let leases = Leases::default();
        for _ in 0..100 {
            leases.keep(account_id(), &lent("a", Duration::ZERO), 0, start());
        }
        assert_eq!(leases.in_use.borrow().len(), 1);
    }

    #[test]
    fn a_refusal_ends_the_leases_of_that_credential_only() {
        let (leases, next) = (Leases::default(), lent("b", LEASE));
        leases.keep(account_id(), &next, 0, start());
        leases.end_refused(account_id(), &lent("a", LEASE));
        assert!(is_leased(&leases));
        leases.end_refused(account_id(), &lent("b", LEASE));
        assert!(!is_leased(&leases) && !next.is_valid(start()));
    }

    #[test]
    fn a_lease_for_one_call_is_not_kept() {
        let (leases, own) = (Leases::default(), lent("a", Duration::ZERO));
        leases.keep(account_id(), &own, 0, start());
        assert!(own.is_valid(start()) && !is_leased(&leases));
    }

    #[test]
    fn a_lease_lasts_thirty_seconds_at_most() {
        let lent = lent("a", LEASE * 2);
        assert!(lent.is_valid(start().plus(Duration::from_millis(29_999))));
        assert!(!lent.is_valid(start().plus(Duration::from_secs(30))));
    }

    #[test]
    fn the_account_tokens_of_the_lease_before_stay_until_they_end() {
        let leases = Leases::default();
        leases.keep(account_id(), &lent("a", LEASE), 0, start());
        leases.keep(account_id(), &lent("b", LEASE), 0, start());
        let has = |hash: &str, now| {
            let mut all = leases.lent.borrow_mut();
            let lent = all.get(&account_id()).unwrap();
            lent.is_visible(&Visibility::AccountToken(hash.to_owned()), now)
        };
        assert!(has("a", start()) && has("b", start()) && !has("c", start()));
        assert!(!has("a", start().plus(LEASE)));
    }
}
