//! Handling of a refused credential (401): a refresh, or an account that is disabled until its customer connects it again.
//! The refusal is confirmed first, by the file's `validation` or by a second refusal.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Mutex;

use crate::account::refusals::{RefusedRefreshes, Suspicion};
use crate::error::{AnsweredBy, Failure};
use crate::flows::account::base::Base;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::renewal::Renewed;
use crate::flows::account::state::State;
use crate::flows::account::stored::InMemory;
use crate::flows::base::within::within;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::tokens::also_failures::AlsoFailures;
use crate::flows::tokens::credential_actions::{CredentialActions, VALIDATION};
use crate::flows::tokens::credential_status::{CredentialStatus, has_same_credential};
use crate::flows::tokens::refresh::{TokenRefresh, token_endpoint};
use crate::flows::tokens::suspicion::SuspicionStore;
use crate::ports::{Outside, Storage, Visibility};
use crate::settings::{CONFIRMATION_PAUSE, CONFIRMATION_TIMEOUT};
use crate::time::Timestamp;

/// The `last_error` of an account whose credential is refused.
const REFUSED: &str = "The provider refused the credential (401).";

/// Refusals, in memory only. The first refusal is also stored (`SuspicionStore`).
#[derive(Default)]
pub(in crate::flows) struct Refusals {
    refreshes: Cell<RefusedRefreshes>,
    /// Whether the refresh under way was started for a refusal. Until it ends, calls do not send the refused token.
    wants_refresh: Cell<bool>,
    /// The last run of `validation`. Locked while one runs.
    last_validation: Mutex<Option<ValidationRun>>,
    /// Why further tokens could not be obtained.
    pub(super) also: AlsoFailures,
}

/// A run of `validation`.
#[derive(Clone, Copy)]
struct ValidationRun {
    at: Timestamp,
    /// When the account had last been changed.
    changed_at: Timestamp,
    verdict: Verdict,
}

/// What a run of `validation` shows about the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The provider refused it again.
    Refused,
    /// The provider accepted it.
    Accepted,
    /// The run failed for another reason, or timed out.
    Unclear,
    /// The file has no `validation`, or it sent no request.
    Silent,
}

impl InMemory for Refusals {
    /// `wants_refresh` is cleared by the refresh under way, and a run of `validation` under way holds the lock.
    fn reset(&self) {
        self.refreshes.set(RefusedRefreshes::default());
        self.also.clear();
        if let Ok(mut last_validation) = self.last_validation.try_lock() {
            *last_validation = None;
        }
    }
}

impl Refusals {
    pub(super) fn note_refresh_ended(&self) {
        self.wants_refresh.set(false);
    }

    pub(super) fn wants_refresh(&self) -> bool {
        self.wants_refresh.get()
    }

    pub(super) fn note_new_token(&self, now: Timestamp) {
        self.also.clear();
        self.refreshes
            .set(self.refreshes.get().after_new_token(now));
    }
}

/// Handles refusals of the account's credential.
pub(in crate::flows) struct RefusedCredential<O, S> {
    pub(super) base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    pub(super) refresh: Rc<TokenRefresh<O, S>>,
    status: Rc<CredentialStatus<O, S>>,
    suspicions: Rc<SuspicionStore<O, S>>,
    pub(super) refusals: Rc<Refusals>,
}

impl<O: Outside, S: Storage> RefusedCredential<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        refresh: &Rc<TokenRefresh<O, S>>,
        status: &Rc<CredentialStatus<O, S>>,
        suspicions: &Rc<SuspicionStore<O, S>>,
        refusals: &Rc<Refusals>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            refresh: Rc::clone(refresh),
            status: Rc::clone(status),
            suspicions: Rc::clone(suspicions),
            refusals: Rc::clone(refusals),
        }
    }

    /// Ends the suspicion after the provider accepted the credential.
    pub(in crate::flows) fn note_credential_accepted(&self) {
        self.suspicions.keep(Suspicion::default());
    }

    /// After a refusal: the other credential that the account has by now, or a refreshed one. `RefusedRefreshes` limits how
    /// often: an endpoint that refuses every token must not cause a refresh for each call.
    pub(in crate::flows) async fn renewed_after_refusal<A: CredentialActions>(
        &self,
        actions: &Rc<A>,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Renewed, Failure> {
        let now = self.record.visible(&Visibility::All).await?;
        let resolved = self.record.resolved_config(&now.account).await?;
        if !has_same_credential(&resolved, &now, refused) {
            now.account.status.check_callable()?;
            return Ok(Renewed::Fresh(now));
        }
        if self.refresh.grant(refused).await?.is_none() {
            return Ok(Renewed::Never);
        }
        if !self.refresh.is_refreshing() && !self.begin_refused_refresh() {
            return self.not_now();
        }
        self.refusals.wants_refresh.set(true);
        self.refresh
            .refreshed(actions, refused, deadline)
            .await
            .map(Renewed::Fresh)
    }

    /// While the token endpoint fails, the refusal cannot be judged: the caller tries again later.
    fn not_now(&self) -> Result<Renewed, Failure> {
        let pause = self
            .refresh
            .pauses()
            .calls()
            .since(self.base.outside().now());
        if pause.is_zero() {
            return Ok(Renewed::NotNow);
        }
        let seconds = pause.as_secs().saturating_add(1);
        Err(token_endpoint("it has just failed").with_retry_after(seconds))
    }

    /// Starts a refresh after a refused call that cannot be repeated.
    pub(in crate::flows) async fn renew_for_next<A: CredentialActions>(
        &self,
        actions: &Rc<A>,
        refused: &Rc<LoadedAccount>,
    ) -> Result<Renewed, Failure> {
        if self.refresh.grant(refused).await?.is_none() {
            return Ok(Renewed::Never);
        }
        let has_token = |now: &LoadedAccount| now.token().is_some() && now.has_token_of(refused);
        if matches!(&self.record.state(), State::Here(now) if has_token(now))
            && !self.refresh.is_refreshing()
            && self.begin_refused_refresh()
        {
            self.refusals.wants_refresh.set(true);
            drop(self.refresh.join_refresh(actions, Rc::clone(refused)));
        }
        Ok(Renewed::NotNow)
    }

    /// Notes that a refused call succeeded with the new token.
    pub(in crate::flows) fn note_renewal_helped(&self) {
        let helped = self
            .refusals
            .refreshes
            .get()
            .help(self.base.outside().now());
        self.refusals.refreshes.set(helped);
    }

    fn begin_refused_refresh(&self) -> bool {
        let (refreshes, now) = (&self.refusals.refreshes, self.base.outside().now());
        let is_due = refreshes.get().is_due(now);
        if is_due {
            refreshes.set(refreshes.get().begin(now));
        }
        is_due
    }

    /// Confirms a refusal. Returns whether it is confirmed; then the account needs its customer.
    pub(in crate::flows) async fn confirm_refusal(
        &self,
        actions: &impl CredentialActions,
        refused: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<bool, Failure> {
        let resolved = self.record.resolved_config(&refused.account).await?;
        let is_confirmed = match self.verdict(actions, refused, &resolved, deadline).await {
            Verdict::Refused => true,
            Verdict::Silent => self.is_second_refusal(refused),
            Verdict::Accepted | Verdict::Unclear => false,
        };
        if !is_confirmed {
            return Ok(false);
        }
        self.status.needs_reauth(refused, REFUSED).await
    }

    fn is_second_refusal(&self, refused: &LoadedAccount) -> bool {
        let suspicion = self.suspicions.get();
        let (suspicion, is_second) =
            suspicion.refuse(self.base.outside().now(), refused.account.updated_at);
        self.suspicions.keep(suspicion);
        is_second
    }

    /// The verdict of `validation`, which runs at most once a minute for all calls.
    async fn verdict(
        &self,
        actions: &impl CredentialActions,
        refused: &Rc<LoadedAccount>,
        resolved: &ResolvedConfig,
        deadline: Timestamp,
    ) -> Verdict {
        if !resolved.compiled.config.actions.contains_key(VALIDATION) {
            return Verdict::Silent;
        }
        let wait = deadline.since(self.base.outside().now());
        let run = self.run_validation(actions, refused, resolved);
        let verdict = within(self.base.outside(), wait, run).await;
        verdict.unwrap_or(Verdict::Unclear)
    }

    async fn run_validation(
        &self,
        actions: &impl CredentialActions,
        refused: &Rc<LoadedAccount>,
        resolved: &ResolvedConfig,
    ) -> Verdict {
        let mut last_validation = self.refusals.last_validation.lock().await;
        let (now, changed_at) = (self.base.outside().now(), refused.account.updated_at);
        if let Some(last) = *last_validation
            && last.changed_at == changed_at
            && now < last.at.plus(CONFIRMATION_PAUSE)
        {
            return last.verdict;
        }
        let mut this = ValidationRun {
            at: now,
            changed_at,
            verdict: Verdict::Unclear,
        };
        // Noted before it runs: a run whose caller disconnects counts too.
        *last_validation = Some(this);
        let deadline = now.plus(CONFIRMATION_TIMEOUT);
        let outcome = actions.validate(resolved, refused, deadline).await;
        this.verdict = verdict_of(&outcome);
        if this.verdict == Verdict::Unclear {
            let code = outcome.err().map(|failure| failure.code.as_str());
            self.base
                .log("refusal_not_confirmed", code.unwrap_or_default());
        }
        *last_validation = Some(this);
        this.verdict
    }
}

fn verdict_of(outcome: &Result<usize, Failure>) -> Verdict {
    match outcome {
        Ok(0) => Verdict::Silent,
        Ok(_) => Verdict::Accepted,
        Err(failure) => match &failure.remote {
            Some(remote) if remote.status == 401 && remote.answered_by == AnsweredBy::Provider => {
                Verdict::Refused
            }
            _ => Verdict::Unclear,
        },
    }
}
