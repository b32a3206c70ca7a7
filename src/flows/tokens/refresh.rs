//! The refresh of tokens. Calls that need a token at the same time share one refresh. It continues when the call that
//! started it is cancelled, and the new token is stored in the event-loop tick in which it was read, before it is used.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;

use crate::account::freshness::Freshness;
use crate::error::{Code, Failure};
use crate::flows::account::base::Base;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::oauth_token::TokenStore;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::refresh_pauses::Pauses;
use crate::flows::account::schedule::Schedule;
use crate::flows::base::within::within;
use crate::flows::tokens::GrantLock;
use crate::flows::tokens::credential_actions::CredentialActions;
use crate::flows::tokens::credential_status::CredentialStatus;
use crate::flows::tokens::grant::{Attempt, Grant, TokenEndpoint};
use crate::flows::tokens::refresh_schedule::AHEAD;
use crate::flows::tokens::refused::Refusals;
use crate::oauth::TokenFailure;
use crate::ports::{Outside, Storage, Visibility};
use crate::time::Timestamp;

/// A refresh under way: `None` until it ends, then its outcome.
pub(in crate::flows) type Refreshing = watch::Receiver<Option<Result<(), Failure>>>;

/// Waits before the attempts of one refresh.
const ATTEMPTS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(3),
];
/// How long a call whose token has not expired waits for the next one.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// After a failure, calls without a usable token do not ask for one for this long.
pub(super) const PAUSE: Duration = Duration::from_secs(10);
/// The longest `retry-after` of a provider that is followed.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Refreshes the account's token, once at a time.
pub(in crate::flows) struct TokenRefresh<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    schedule: Rc<Schedule<O, S>>,
    endpoint: Rc<TokenEndpoint<O, S>>,
    status: Rc<CredentialStatus<O, S>>,
    token_store: Rc<TokenStore<O, S>>,
    refusals: Rc<Refusals>,
    grants: Rc<GrantLock>,
    /// The refresh under way. Its task clears this.
    refreshing: RefCell<Option<Refreshing>>,
}

impl<O: Outside, S: Storage> TokenRefresh<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
        endpoint: &Rc<TokenEndpoint<O, S>>,
        status: &Rc<CredentialStatus<O, S>>,
        token_store: &Rc<TokenStore<O, S>>,
        (refusals, grants): (&Rc<Refusals>, &Rc<GrantLock>),
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            schedule: Rc::clone(schedule),
            endpoint: Rc::clone(endpoint),
            status: Rc::clone(status),
            token_store: Rc::clone(token_store),
            refusals: Rc::clone(refusals),
            grants: Rc::clone(grants),
            refreshing: RefCell::new(None),
        }
    }

    pub(in crate::flows) fn pauses(&self) -> &Pauses {
        self.token_store.pauses()
    }

    /// The account with a usable token, which is refreshed first if needed.
    pub(in crate::flows) async fn fresh<A: CredentialActions>(
        self: &Rc<Self>,
        actions: &Rc<A>,
        loaded: Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        let now = self.base.outside().now();
        let is_usable = match loaded.token().map(|token| Freshness::of(token, now)) {
            Some(Freshness::Fresh | Freshness::Unknown) => return Ok(loaded),
            Some(Freshness::Due) if now < self.token_store.pauses().ahead() => return Ok(loaded),
            Some(Freshness::Due) => true,
            Some(Freshness::Expired) | None => false,
        };
        match self.grant(&loaded).await? {
            None => return Ok(loaded),
            // The `refresh_token` action may authenticate requests without a token.
            Some(Grant::Action) if loaded.token().is_none() => return Ok(loaded),
            Some(_) => {}
        }
        if is_usable {
            let deadline = deadline.min(now.plus(PATIENCE));
            return match self.refreshed(actions, &loaded, deadline).await {
                Err(failure) if failure.code != Code::NeedsReauth => Ok(loaded),
                outcome => outcome,
            };
        }
        let pause = self.token_store.pauses().calls().since(now);
        if pause.is_zero() || self.is_refreshing() {
            return self.refreshed(actions, &loaded, deadline).await;
        }
        let seconds = pause.as_secs().saturating_add(1);
        Err(token_endpoint("it has just failed").with_retry_after(seconds))
    }

    /// Refreshes the token of `loaded`, or joins the refresh under way. If the account has another token by now, it is returned
    /// as it is.
    pub(in crate::flows) async fn refreshed<A: CredentialActions>(
        self: &Rc<Self>,
        actions: &Rc<A>,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        let now = self.record.visible(&Visibility::All).await?;
        if !now.has_token_of(loaded) {
            return Ok(now);
        }
        let mut refreshing = self.join_refresh(actions, now);
        let wait = deadline.since(self.base.outside().now());
        let ended = refreshing.wait_for(Option::is_some);
        match within(self.base.outside(), wait, ended).await {
            Some(Ok(outcome)) => {
                if let Some(Err(failure)) = &*outcome {
                    return Err(failure.clone());
                }
            }
            Some(Err(_)) => return Err(token_endpoint("the refresh was interrupted")),
            None => return Err(token_endpoint("it has not answered in time")),
        }
        let loaded = self.record.visible(&Visibility::All).await?;
        loaded.account.status.check_callable()?;
        Ok(loaded)
    }

    /// Logs a failed refresh and delays the next: longer for the alarm than for calls, which have no other token.
    pub(super) fn pause_refreshing(&self, failure: &Failure) {
        self.base.log(
            "refresh_failed",
            &format!("{}: {}", failure.code.as_str(), failure.message),
        );
        let now = self.base.outside().now();
        let pauses = self.token_store.pauses();
        pauses.begin(now, pause_after(failure));
    }

    /// `POST /integrated-account/refresh-credentials`.
    pub(in crate::flows) async fn refresh<A: CredentialActions>(
        self: &Rc<Self>,
        actions: &Rc<A>,
        visibility: &Visibility,
    ) -> Result<(), Failure> {
        let loaded = self.record.visible(visibility).await?;
        if self.grant(&loaded).await?.is_none() {
            let method = &loaded.account.authentication_method;
            let message = format!(
                "The credential `{method}` of this account cannot be refreshed; import new ones by PATCH …/credentials."
            );
            return Err(Failure::new(Code::NotRefreshable, message));
        }
        let deadline = self.base.outside().now().plus(AHEAD);
        self.refreshed(actions, &loaded, deadline).await.map(drop)
    }

    pub(super) fn refreshing(&self) -> Option<Refreshing> {
        self.refreshing.borrow().clone()
    }

    pub(super) fn is_refreshing(&self) -> bool {
        self.refreshing().is_some()
    }

    pub(super) fn join_refresh<A: CredentialActions>(
        self: &Rc<Self>,
        actions: &Rc<A>,
        loaded: Rc<LoadedAccount>,
    ) -> Refreshing {
        if let Some(refreshing) = self.refreshing() {
            return refreshing;
        }
        let (sender, receiver) = watch::channel(None);
        self.refreshing.replace(Some(receiver.clone()));
        let (own, actions) = (Rc::clone(self), Rc::clone(actions));
        let work = async move {
            let outcome = own.refresh_now(&*actions, &loaded).await;
            own.refreshing.take();
            own.refusals.note_refresh_ended();
            match &outcome {
                Ok(()) => {
                    own.token_store.pauses().refreshed(own.base.outside().now());
                    own.refusals.note_new_token(own.base.outside().now());
                }
                Err(failure) => own.pause_refreshing(failure),
            }
            own.schedule.plan().await;
            // An error means that no call waits any more.
            drop(sender.send(Some(outcome)));
        };
        self.base.outside().spawn(work.boxed_local());
        receiver
    }

    /// One refresh, of at most three attempts.
    async fn refresh_now(
        &self,
        actions: &impl CredentialActions,
        loaded: &Rc<LoadedAccount>,
    ) -> Result<(), Failure> {
        // If the object stops now, the alarm starts the refresh again.
        self.schedule.wake_later().await;
        let _one_at_a_time = self.grants.lock().await;
        // A further token may have come with another refresh token.
        let now = self.record.present();
        let now = now.filter(|now| now.has_token_of(loaded));
        let loaded = now.as_ref().unwrap_or(loaded);
        let resolved = self.record.resolved_config(&loaded.account).await?;
        let Some(grant) = Grant::of(&resolved, loaded) else {
            return Err(Failure::new(
                Code::NotRefreshable,
                "There is nothing to refresh with.",
            ));
        };
        let mut last = token_endpoint("it was not asked");
        let mut asked_to_wait = None;
        for wait in ATTEMPTS {
            if asked_to_wait.is_some_and(|asked| asked > wait.as_secs()) {
                break;
            }
            self.base.outside().sleep(wait).await;
            let failed = match self
                .endpoint
                .obtain_token(actions, &resolved, loaded, grant)
                .await
            {
                Ok(()) => return self.status.accepted().await,
                Err(Attempt::Ours(failure)) => return Err(failure),
                Err(Attempt::Failed(failed)) => {
                    let redactor = self.record.redactor(&resolved.compiled, &loaded.context);
                    redactor.token_failure(failed)
                }
            };
            let TokenFailure::Transient { retry_after } = failed else {
                return Err(self.status.refused(&resolved, loaded, &failed).await?);
            };
            asked_to_wait = retry_after;
            last = token_endpoint("it did not answer, or asks to wait");
            last.retry_after = retry_after.or(last.retry_after);
        }
        Err(last)
    }

    /// How a token can be obtained for the account without the customer.
    pub(in crate::flows) async fn grant(
        &self,
        loaded: &LoadedAccount,
    ) -> Result<Option<Grant>, Failure> {
        Ok(Grant::of(
            &self.record.resolved_config(&loaded.account).await?,
            loaded,
        ))
    }
}

/// The failure of calls while the account must be connected again.
pub fn needs_reauth() -> Failure {
    Failure::from(crate::account::status::NotCallable::NeedsReauth)
}

/// The pause after this failure.
pub(super) fn pause_after(failure: &Failure) -> Duration {
    let asked = Duration::from_secs(failure.retry_after.unwrap_or(0));
    asked.clamp(PAUSE, LONGEST_PAUSE)
}

pub(in crate::flows) fn token_endpoint(why: &str) -> Failure {
    Failure::new(
        Code::TokenEndpoint,
        format!(
            "The account's token could not be refreshed: the provider's token endpoint: {why}."
        ),
    )
    .with_retry_after(5)
}
