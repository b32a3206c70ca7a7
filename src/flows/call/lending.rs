//! The object's side of leased calls: it leases the account to front Workers, renews a refused credential for them, and
//! takes what their calls leave behind. `leased` is the other side.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::account::freshness::due_at;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::renewal::Renewed;
use crate::flows::account::stored::InMemory;
use crate::flows::base::records::InstallRecord;
use crate::flows::call::account::{CallAccount, LiveAccount};
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::config::isolate::Cached;
use crate::flows::messages::lease::{Lease, LeaseReport, LeaseUse, RefusedLease, RenewedLease};
use crate::ids::Region;
use crate::ports::{Outside, Storage, Visibility};
use crate::settings::{LEASE, LEASED_CALL};

/// The leases of the account's current record. A change of the record makes them outdated: their numbers are forgotten.
#[derive(Default)]
pub(in crate::flows) struct LentLeases {
    number: Cell<u64>,
    of: RefCell<Option<Rc<LoadedAccount>>>,
}

impl InMemory for LentLeases {
    fn reset(&self) {
        self.of.take();
    }
}

impl LentLeases {
    /// The number of the record's leases. `first` is larger than all numbers before a restart of the object.
    fn number(&self, loaded: &Rc<LoadedAccount>, first: u64) -> u64 {
        let mut of = self.of.borrow_mut();
        if !of.as_ref().is_some_and(|of| Rc::ptr_eq(of, loaded)) {
            *of = Some(Rc::clone(loaded));
            self.number.set(first.max(self.number.get() + 1));
        }
        self.number.get()
    }

    /// The record that was leased under this number, unless it has changed.
    fn leased(&self, number: u64, now: Option<&Rc<LoadedAccount>>) -> Option<Rc<LoadedAccount>> {
        let of = self.of.borrow().clone()?;
        (self.number.get() == number && now.is_some_and(|now| Rc::ptr_eq(now, &of))).then_some(of)
    }
}

impl<O: Outside, S: Storage> AccountCalls<O, S> {
    /// Whether front Workers may request a lease now. It reads only what is in memory.
    pub(in crate::flows) fn offers_lease(&self) -> bool {
        let now = self.system().now();
        let Some(loaded) = self.record().present() else {
            return false;
        };
        let install = loaded.account.environment_integration_id.to_string();
        match self.isolate().installs.get(&install, now) {
            Some(Cached::Present(install)) => !self.valid(&loaded, &install).is_zero(),
            Some(Cached::Deleted) | None => false,
        }
    }

    /// How long the account may be leased; zero where its calls go to the object.
    fn valid(&self, loaded: &LoadedAccount, install: &InstallRecord) -> Duration {
        let now = self.system().now();
        let account = &loaded.account;
        let is_leasable = install.is_enabled
            && install.edge_calls
            && account.region != Region::Eu
            && account.id.placement().region() != Region::Eu
            && account.status.check_callable().is_ok()
            && !account.is_sandbox
            && self.system().settings().account_rate.is_none()
            && self.limiter().paused(now).is_zero()
            && self.token_wait(loaded).is_none();
        if !is_leasable {
            return Duration::ZERO;
        }
        let due = loaded.token().and_then(due_at);
        due.map_or(LEASE, |due| due.since(now).min(LEASE))
    }

    /// A lease, if the account may be leased. A call under way gets one for itself in any case.
    pub(in crate::flows) async fn lease(
        self: &Rc<Self>,
        visibility: &Visibility,
        purpose: LeaseUse,
    ) -> Result<Option<Lease>, Failure> {
        let loaded = self.record().visible(visibility).await?;
        if purpose == LeaseUse::Calls {
            let lease = self.lease_of(&loaded).await?;
            return Ok(Some(lease).filter(|lease| !lease.valid.is_zero()));
        }
        loaded.account.status.check_callable()?;
        let deadline = self.system().now().plus(LEASED_CALL);
        let loaded = self.fresh(loaded, deadline).await?;
        self.lease_of(&loaded).await.map(Some)
    }

    async fn lease_of(&self, loaded: &Rc<LoadedAccount>) -> Result<Lease, Failure> {
        let resolved = self.resolved_config(&loaded.account).await?;
        if !resolved.install.is_enabled {
            return Err(Failure::install_disabled());
        }
        self.tokens().schedule().note_use_of(loaded);
        let first = u64::try_from(self.system().now().as_millis()).unwrap_or(0);
        Ok(Lease {
            number: self.lent.number(loaded, first),
            account: loaded.account.clone(),
            context: loaded.context.clone(),
            sealed: loaded.sealed.clone(),
            valid: self.valid(loaded, &resolved.install),
            install_version: resolved.install.version,
            integration_version: resolved.integration.version,
        })
    }

    /// Another credential after a refusal. All refusals share the account's one refresh.
    pub(in crate::flows) async fn renew_lease(
        self: &Rc<Self>,
        visibility: &Visibility,
        refused: RefusedLease,
    ) -> Result<RenewedLease, Failure> {
        let now = self.record().visible(visibility).await?;
        now.account.status.check_callable()?;
        let Some(leased) = self.lent.leased(refused.number, Some(&now)) else {
            // The record has changed since: the call is sent once more as the account is now.
            return self.fresh_lease(&now, refused).await;
        };
        let deadline = self.system().now().plus(refused.left);
        let renewed = if refused.can_repeat {
            self.renew(&leased, deadline).await?
        } else {
            self.renew_for_next(&leased).await?
        };
        match renewed {
            Renewed::Fresh(fresh) => self.fresh_lease(&fresh, refused).await,
            Renewed::Never => Ok(RenewedLease::Never),
            Renewed::NotNow => Ok(RenewedLease::NotNow),
        }
    }

    async fn fresh_lease(
        &self,
        loaded: &Rc<LoadedAccount>,
        refused: RefusedLease,
    ) -> Result<RenewedLease, Failure> {
        if !refused.can_repeat {
            return Ok(RenewedLease::NotNow);
        }
        let lease = self.lease_of(loaded).await?;
        Ok(RenewedLease::Fresh(Box::new(lease)))
    }

    /// Whether a refusal is confirmed; never for a lease that is outdated.
    pub(in crate::flows) async fn confirm_refused_lease(
        self: &Rc<Self>,
        visibility: &Visibility,
        refused: RefusedLease,
    ) -> Result<bool, Failure> {
        let now = self.record().visible(visibility).await?;
        let Some(leased) = self.lent.leased(refused.number, Some(&now)) else {
            return Ok(false);
        };
        let deadline = self.system().now().plus(refused.left);
        self.confirm_refusal(&leased, deadline).await
    }

    /// Takes what leased calls leave behind. What they learnt about an outdated credential is dropped.
    pub(in crate::flows) fn take_report(self: &Rc<Self>, report: LeaseReport) {
        if let Some(wait) = report.pause {
            self.pause(wait);
        }
        let Some(now) = self.record().present() else {
            return;
        };
        if self.lent.leased(report.number, Some(&now)).is_some() {
            if report.is_accepted {
                self.note_credential_accepted();
            }
            if report.is_renewal_helpful {
                self.note_renewal_helped();
            }
        }
        self.note_use(&now);
        if let Some(refusal) = report.forbidden {
            self.write_forbidden(refusal);
        }
        for line in report.lines {
            self.write_log(line);
        }
    }
}
