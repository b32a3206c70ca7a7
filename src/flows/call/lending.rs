//! The object's side of leased calls: it leases the account to front Workers, renews a refused credential for them, and
//! takes what their calls leave behind. `leased` is the other side. Of a lease nothing is kept here, so a restart of the
//! object loses nothing.

use std::rc::Rc;
use std::time::Duration;

use serde_json::json;

use crate::account::Account;
use crate::account::freshness::due_at;
use crate::crypto;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::renewal::Renewed;
use crate::flows::call::account::{CallAccount, LiveAccount};
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::call::leased::ended;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::lease::{
    CredentialDigest, Lease, LeaseReport, LeaseUse, RefusedLease, RenewedLease,
};
use crate::ids::Region;
use crate::ports::{Outside, Storage, Visibility};
use crate::settings::{LEASE, LEASED_CALL};

/// The token and the stored secrets: what a refusal is about. Other changes do not make another credential.
fn digest_of(loaded: &LoadedAccount) -> CredentialDigest {
    let secrets = json!([loaded.token(), loaded.sealed]).to_string();
    CredentialDigest(crypto::sha256_hex(secrets.as_bytes()))
}

impl<O: Outside, S: Storage> AccountCalls<O, S> {
    /// Whether the install and the place of the account allow leases at all.
    pub(super) fn may_lease(&self, account: &Account, resolved: &ResolvedConfig) -> bool {
        let config = &resolved.compiled.config;
        resolved.install.edge_calls
            && resolved.install.is_enabled
            // Only the object obtains further tokens.
            && !config.has_also_for(&account.authentication_method)
            && !account.is_sandbox
            && account.region != Region::Eu
            && account.id.placement().region() != Region::Eu
            && self.system().settings().account_rate.is_none()
    }

    /// Whether front Workers may request a lease now. For a call without `edge_calls` it reads one flag.
    pub(in crate::flows) fn offers_lease(&self) -> bool {
        self.is_leasable()
            && self
                .record()
                .present()
                .is_some_and(|loaded| !self.valid(&loaded).is_zero())
    }

    /// How long all calls may use a lease; zero while they go to the object.
    fn valid(&self, loaded: &LoadedAccount) -> Duration {
        let now = self.system().now();
        if loaded.account.status.check_callable().is_err()
            || !self.limiter().paused(now).is_zero()
            || self.token_wait(loaded).is_some()
        {
            return Duration::ZERO;
        }
        let due = loaded.token().and_then(due_at);
        due.map_or(LEASE, |due| due.since(now).min(LEASE))
    }

    /// A lease; `None` where the account's calls go to the object. A call under way gets one also while the others go to
    /// the object.
    pub(in crate::flows) async fn lease(
        self: &Rc<Self>,
        visibility: &Visibility,
        purpose: LeaseUse,
    ) -> Result<Option<Lease>, Failure> {
        let loaded = self.record().visible(visibility).await?;
        if purpose == LeaseUse::ThisCall {
            self.make_ready(visibility, loaded).await?;
        }
        let lease = self.current_lease(visibility).await?;
        Ok(lease.filter(|lease| purpose == LeaseUse::ThisCall || !lease.valid.is_zero()))
    }

    /// Waits until a call can be sent with the account's token.
    async fn make_ready(
        self: &Rc<Self>,
        visibility: &Visibility,
        loaded: Rc<LoadedAccount>,
    ) -> Result<(), Failure> {
        let deadline = self.system().now().plus(LEASED_CALL);
        loaded.account.status.check_callable()?;
        self.fresh(loaded, deadline).await?;
        let loaded = self.record().visible(visibility).await?;
        match self.token_wait(&loaded) {
            Some(wait) => self.wait_for_token(wait, &loaded, deadline).await,
            None => Ok(()),
        }
    }

    /// A lease of the account as it is now, if it may be leased at all.
    async fn current_lease(&self, visibility: &Visibility) -> Result<Option<Lease>, Failure> {
        let before = self.record().visible(visibility).await?;
        let resolved = self.resolved_config(&before.account).await?;
        if !resolved.install.is_enabled {
            return Err(Failure::install_disabled());
        }
        // The config was awaited: the account may have changed.
        let loaded = self.record().visible(visibility).await?;
        loaded.account.status.check_callable()?;
        if !self.may_lease(&loaded.account, &resolved) {
            return Ok(None);
        }
        self.tokens().schedule().note_use_of(&loaded);
        Ok(Some(Lease {
            credential: digest_of(&loaded),
            account: loaded.account.clone(),
            context: loaded.context.clone(),
            sealed: loaded.sealed.clone(),
            valid: self.valid(&loaded),
            token_valid: self.record().token_valid(visibility)?,
            install_version: resolved.install.version,
            integration_version: resolved.integration.version,
        }))
    }

    /// Another credential after a refusal. All refusals share the account's one refresh.
    pub(in crate::flows) async fn renew_lease(
        self: &Rc<Self>,
        visibility: &Visibility,
        refused: RefusedLease,
    ) -> Result<RenewedLease, Failure> {
        let now = self.record().visible(visibility).await?;
        now.account.status.check_callable()?;
        let renewed = if digest_of(&now) != refused.credential {
            // The account has another credential by now: the call is sent once more with that.
            Renewed::Fresh(now)
        } else if refused.can_repeat {
            let deadline = self.system().now().plus(refused.left);
            self.renew(&now, deadline).await?
        } else {
            self.renew_for_next(&now).await?
        };
        match renewed {
            Renewed::Fresh(_) if refused.can_repeat => {
                let lease = self.current_lease(visibility).await?;
                Ok(RenewedLease::Fresh(Box::new(lease.ok_or_else(ended)?)))
            }
            Renewed::Fresh(_) | Renewed::NotNow => Ok(RenewedLease::NotNow),
            Renewed::Never => Ok(RenewedLease::Never),
        }
    }

    /// Whether a refusal is confirmed; never for a credential that the account no longer has.
    pub(in crate::flows) async fn confirm_refused_lease(
        self: &Rc<Self>,
        visibility: &Visibility,
        refused: RefusedLease,
    ) -> Result<bool, Failure> {
        let now = self.record().visible(visibility).await?;
        if digest_of(&now) != refused.credential {
            return Ok(false);
        }
        let deadline = self.system().now().plus(refused.left);
        self.confirm_refusal(&now, deadline).await
    }

    /// Takes what leased calls leave behind. What they learnt about an outdated credential is dropped, and everything
    /// about a deleted account.
    pub(in crate::flows) async fn take_report(
        self: &Rc<Self>,
        report: LeaseReport,
    ) -> Result<(), Failure> {
        if let Some(wait) = report.pause {
            self.pause(wait);
        }
        // The object may have been evicted while front Workers made its calls.
        let Some(now) = self.record().settled().await? else {
            return Ok(());
        };
        let teaches = report.is_accepted || report.is_renewal_helpful;
        if teaches && digest_of(&now) == report.credential {
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
        Ok(())
    }
}
