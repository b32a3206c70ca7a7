//! Fresh tokens. However many calls need one, one request goes to the
//! provider; it goes on when the call that began it is gone, and its answer is stored in the turn it was
//! read in, before anybody uses it.

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
use crate::flows::tokens::credential_actions::CredentialActions;
use crate::flows::tokens::credential_status::CredentialStatus;
use crate::flows::tokens::grant::{Attempt, Grant, TokenEndpoint};
use crate::flows::tokens::refresh_schedule::AHEAD;
use crate::flows::tokens::refused::Refusals;
use crate::oauth::TokenFailure;
use crate::ports::{Outside, Storage, Visibility};
use crate::time::Timestamp;

/// What all who wait for a refresh hear: nothing yet, or how it ended.
pub(in crate::flows) type Refreshing = watch::Receiver<Option<Result<(), Failure>>>;

/// Waits before the attempts of one refresh.
const ATTEMPTS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(3),
];
/// A call whose token still lives waits this long for the next one.
const PATIENCE: Duration = Duration::from_secs(5);
/// After a refresh that failed, a call whose token is over waits for the next so long.
const PAUSE: Duration = Duration::from_secs(10);
/// A provider that asks for more is believed up to this.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Fresh tokens, by one refresh at a time.
pub(in crate::flows) struct TokenRefresh<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    schedule: Rc<Schedule<O, S>>,
    endpoint: Rc<TokenEndpoint<O, S>>,
    status: Rc<CredentialStatus<O, S>>,
    token_store: Rc<TokenStore<O, S>>,
    refusals: Rc<Refusals>,
    /// The refresh that is under way, for all who wait for it. Its task clears this.
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
        refusals: &Rc<Refusals>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            schedule: Rc::clone(schedule),
            endpoint: Rc::clone(endpoint),
            status: Rc::clone(status),
            token_store: Rc::clone(token_store),
            refusals: Rc::clone(refusals),
            refreshing: RefCell::new(None),
        }
    }

    /// Until when no refresh is tried.
    pub(in crate::flows) fn pauses(&self) -> &Pauses {
        self.token_store.pauses()
    }

    /// The account with a token that can be used: as it is, or refreshed first.
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
            // The file's own way may sign in by something else than a token.
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

    /// Refreshes, unless the token is another than `loaded` has by now; whoever asks meanwhile waits for
    /// the same one.
    pub(in crate::flows) async fn refreshed<A: CredentialActions>(
        self: &Rc<Self>,
        actions: &Rc<A>,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        let now = self.record.visible(&Visibility::All).await?;
        if now.token() != loaded.token() {
            return Ok(now);
        }
        let mut under_way = self.join_refresh(actions, now);
        let wait = deadline.since(self.base.outside().now());
        let ended = under_way.wait_for(Option::is_some);
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

    /// The next refresh waits a while: longer for the alarm than for a call, which has nothing else.
    pub(super) fn pause_refreshing(&self, failure: &Failure) {
        self.base.log(
            "refresh_failed",
            &format!("{}: {}", failure.code.as_str(), failure.message),
        );
        let now = self.base.outside().now();
        let asked = Duration::from_secs(failure.retry_after.unwrap_or(0));
        self.token_store
            .pauses()
            .begin(now, asked.clamp(PAUSE, LONGEST_PAUSE));
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
            let words = format!(
                "The credential `{method}` of this account cannot be refreshed; import new ones by PATCH …/credentials."
            );
            return Err(Failure::new(Code::NotRefreshable, words));
        }
        let deadline = self.base.outside().now().plus(AHEAD);
        self.refreshed(actions, &loaded, deadline).await.map(drop)
    }

    /// The refresh that is under way.
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
        if let Some(under_way) = self.refreshing() {
            return under_way;
        }
        let (tell, hear) = watch::channel(None);
        self.refreshing.replace(Some(hear.clone()));
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
            // Nobody may be waiting any more.
            drop(tell.send(Some(outcome)));
        };
        self.base.outside().spawn(work.boxed_local());
        hear
    }

    /// One refresh: at most three attempts.
    async fn refresh_now(
        &self,
        actions: &impl CredentialActions,
        loaded: &Rc<LoadedAccount>,
    ) -> Result<(), Failure> {
        // Should this be the last that is done here, the alarm goes on.
        self.schedule.wake_later().await;
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
                .ask_for_token(actions, &resolved, loaded, grant)
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

    /// Whether and how a token can be had for the account.
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

/// What a call hears whose account must be connected again.
pub fn needs_reauth() -> Failure {
    Failure::from(crate::account::status::NotCallable::NeedsReauth)
}

pub(super) fn token_endpoint(why: &str) -> Failure {
    Failure::new(
        Code::TokenEndpoint,
        format!(
            "The account's token could not be refreshed: the provider's token endpoint: {why}."
        ),
    )
    .with_retry_after(5)
}
