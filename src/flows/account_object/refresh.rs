//! Fresh tokens (4-api.md, "Tokens kept fresh"). However many calls need one, one request goes to the
//! provider; it goes on when the call that began it is gone, and its answer is stored in the turn it was
//! read in, before anybody uses it.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::sync::watch;

use super::events::EventType;
use super::grant::{Attempt, Grant};
use super::{AccountObject, Loaded, State};
use crate::account::Account;
use crate::account::freshness::{self, Freshness};
use crate::account::status::Status;
use crate::error::{Code, Failure};
use crate::oauth::TokenFailure;
use crate::ports::{Outside, Sees, Storage};
use crate::time::Timestamp;

/// What all who wait for a refresh hear: nothing yet, or how it ended.
pub(super) type Refreshing = watch::Receiver<Option<Result<(), Failure>>>;

/// Waits before the attempts of one refresh.
const ATTEMPTS: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(3),
];
/// After a refresh that failed, the old token is used this long before the next; twice as long each time.
const PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(30);
/// An account in use is refreshed ahead of time; in use is one called within a day.
const IN_USE: Duration = Duration::from_hours(24);
/// An idle one is refreshed so often, lest its refresh token lapse.
const IDLE: Duration = Duration::from_hours(7 * 24);
/// Refreshes in a row that gave neither a token nor a reason.
const MOST_UNREADABLE: u32 = 4;
/// A use is noted when the last one noted is older.
const NOTED: Duration = Duration::from_hours(1);
/// What `last_error` says of an account whose credential cannot be refreshed.
const REFUSED: &str = "The provider refused the credential (401).";
/// What a refresh that nobody waits for may take.
const AHEAD: Duration = Duration::from_secs(25);

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// The account with a token that can be used: as it is, or refreshed first.
    pub async fn fresh(
        self: &Rc<Self>,
        loaded: Rc<Loaded>,
        deadline: Timestamp,
    ) -> Result<Rc<Loaded>, Failure> {
        self.note_use_of(&loaded);
        let now = self.outside.now();
        let is_usable = match loaded.token().map(|token| Freshness::of(token, now)) {
            Some(Freshness::Fresh | Freshness::Unknown) => return Ok(loaded),
            Some(Freshness::Due) if now < self.refresh_after.get() => return Ok(loaded),
            Some(Freshness::Due) => true,
            Some(Freshness::Expired) | None => false,
        };
        if self.grant(&loaded).await?.is_none() {
            return Ok(loaded);
        }
        match self.refreshed(&loaded, deadline).await {
            Err(failure) if is_usable && failure.code != Code::NeedsReauth => Ok(loaded),
            outcome => outcome,
        }
    }

    /// Refreshes, unless the token is another than `loaded` has by now; whoever asks meanwhile waits for
    /// the same one.
    pub async fn refreshed(
        self: &Rc<Self>,
        loaded: &Rc<Loaded>,
        deadline: Timestamp,
    ) -> Result<Rc<Loaded>, Failure> {
        let now = self.visible(&Sees::All).await?;
        if now.token() != loaded.token() {
            return Ok(now);
        }
        let mut under_way = self.join_refresh(now);
        let wait = deadline.since(self.outside.now());
        let (ended, too_late) = (
            pin!(under_way.wait_for(Option::is_some)),
            pin!(self.outside.sleep(wait)),
        );
        match select(ended, too_late).await {
            Either::Left((Ok(outcome), _)) => {
                if let Some(Err(failure)) = &*outcome {
                    return Err(failure.clone());
                }
            }
            Either::Left((Err(_), _)) => return Err(token_endpoint("the refresh was interrupted")),
            Either::Right(_) => return Err(token_endpoint("it has not answered in time")),
        }
        let loaded = self.visible(&Sees::All).await?;
        loaded.account.status.check_callable()?;
        Ok(loaded)
    }

    /// After a refusal by the provider (401): refreshed, or the account needs its customer.
    pub async fn refreshed_after_refusal(
        self: &Rc<Self>,
        loaded: &Rc<Loaded>,
        deadline: Timestamp,
    ) -> Result<Rc<Loaded>, Failure> {
        if self.grant(loaded).await?.is_none() && self.is_as(loaded) {
            self.needs_reauth(loaded, REFUSED).await?;
            return Err(needs_reauth());
        }
        self.refreshed(loaded, deadline).await
    }

    /// After a refusal of a call that cannot be sent again.
    pub fn refresh_for_next(self: &Rc<Self>, loaded: &Rc<Loaded>) {
        if self.is_as(loaded) && loaded.token().is_some() {
            drop(self.join_refresh(Rc::clone(loaded)));
        }
    }

    /// Whether it has the credential that `loaded` has.
    fn is_as(&self, loaded: &Loaded) -> bool {
        matches!(&self.state(), State::Here(now) if now.context == loaded.context)
    }

    /// `POST /integrated-account/refresh-credentials`.
    pub(super) async fn refresh(self: &Rc<Self>, sees: &Sees) -> Result<(), Failure> {
        let loaded = self.visible(sees).await?;
        if self.grant(&loaded).await?.is_none() {
            let method = &loaded.account.authentication_method;
            let words = format!(
                "The credential `{method}` of this account cannot be refreshed; import new ones by PATCH …/credentials."
            );
            return Err(Failure::new(Code::NotRefreshable, words));
        }
        let deadline = self.outside.now().plus(AHEAD);
        self.refreshed(&loaded, deadline).await.map(drop)
    }

    /// By alarm: when it is due, before anybody has to wait for it.
    pub(super) async fn refresh_ahead(self: &Rc<Self>) {
        let State::Here(loaded) = self.state() else {
            return;
        };
        let now = self.outside.now();
        if next_refresh(&loaded, now).is_none_or(|at| at > now.plus(Duration::from_secs(1))) {
            return;
        }
        match self.grant(&loaded).await {
            Ok(Some(_)) => {}
            Ok(None) => return self.refresh_after.set(now.plus(IDLE)),
            Err(failure) => return self.pause_refreshing(&failure),
        }
        // Whoever refreshes says why it failed.
        drop(self.refreshed(&loaded, now.plus(AHEAD)).await);
    }

    fn pause_refreshing(&self, failure: &Failure) {
        self.log(
            "refresh_failed",
            &format!("{}: {}", failure.code.as_str(), failure.message),
        );
        let failures = self.refresh_failures.get();
        self.refresh_failures.set(failures.saturating_add(1));
        let pause = PAUSE
            .saturating_mul(1 << failures.min(10))
            .min(LONGEST_PAUSE);
        self.refresh_after.set(self.outside.now().plus(pause));
    }

    fn join_refresh(self: &Rc<Self>, loaded: Rc<Loaded>) -> Refreshing {
        if let Some(under_way) = &*self.refreshing.borrow() {
            return under_way.clone();
        }
        let (tell, hear) = watch::channel(None);
        self.refreshing.replace(Some(hear.clone()));
        let object = Rc::clone(self);
        let work = async move {
            let outcome = object.refresh_now(&loaded).await;
            object.refreshing.replace(None);
            match &outcome {
                Ok(()) => object.refresh_failures.set(0),
                Err(failure) => object.pause_refreshing(failure),
            }
            object.plan().await;
            // Nobody may be waiting any more.
            drop(tell.send(Some(outcome)));
        };
        self.outside.go_on(work.boxed_local());
        hear
    }

    /// One refresh: at most three attempts.
    async fn refresh_now(&self, loaded: &Loaded) -> Result<(), Failure> {
        // Should this be the last that is done here, the alarm goes on.
        self.wake_later().await;
        let effective = self.effective(&loaded.account).await?;
        let Some(grant) = Grant::of(&effective, loaded) else {
            return Err(Failure::new(
                Code::NotRefreshable,
                "There is nothing to refresh with.",
            ));
        };
        let mut last = token_endpoint("it was not asked");
        for wait in ATTEMPTS {
            self.outside.sleep(wait).await;
            match self.ask_for_token(&effective, loaded, grant).await {
                Ok(()) => return self.reactivate().await,
                Err(failed) => match failed {
                    Attempt::Failed(TokenFailure::Transient { .. }) => {
                        last = token_endpoint("it did not answer, or asks to wait");
                    }
                    Attempt::Failed(refused) if refused.needs_reauth() => {
                        self.needs_reauth(loaded, &refused.to_string()).await?;
                        return Err(needs_reauth());
                    }
                    // No code at all, and again and again: what the provider means is no.
                    Attempt::Failed(other @ TokenFailure::Unreadable(_))
                        if self.refresh_failures.get() >= MOST_UNREADABLE =>
                    {
                        self.needs_reauth(loaded, &other.to_string()).await?;
                        return Err(needs_reauth());
                    }
                    Attempt::Failed(other) => return Err(token_endpoint(&other.to_string())),
                    Attempt::Ours(failure) => return Err(failure),
                },
            }
        }
        Err(last)
    }

    /// The provider no longer accepts the credential of `began`; nothing where it is another by now.
    pub async fn needs_reauth(&self, began: &Loaded, why: &str) -> Result<(), Failure> {
        let _one_at_a_time = self.changing.lock().await;
        let loaded = self.visible(&Sees::All).await?;
        if loaded.account.status != Status::Active || loaded.context != began.context {
            return Ok(());
        }
        let effective = self.effective(&loaded.account).await?;
        let account = Account {
            status: Status::NeedsReauth,
            last_error: Some(why.to_owned()),
            ..loaded.account.clone()
        };
        let events = [EventType::AuthenticationError];
        let next = self.next(&effective, &loaded, account, &loaded.context, &events)?;
        self.put(&effective, &loaded, &next).await.map(drop)
    }

    /// A token was had for an account that seemed to need its customer.
    async fn reactivate(&self) -> Result<(), Failure> {
        let _one_at_a_time = self.changing.lock().await;
        let loaded = self.visible(&Sees::All).await?;
        if loaded.account.status != Status::NeedsReauth {
            return Ok(());
        }
        let effective = self.effective(&loaded.account).await?;
        let account = Account {
            status: Status::Active,
            last_error: None,
            ..loaded.account.clone()
        };
        let events = [EventType::Reactivated];
        let next = self.next(&effective, &loaded, account, &loaded.context, &events)?;
        self.put(&effective, &loaded, &next).await.map(drop)
    }

    /// Whether and how a token can be had for the account.
    async fn grant(&self, loaded: &Loaded) -> Result<Option<Grant>, Failure> {
        Ok(Grant::of(&self.effective(&loaded.account).await?, loaded))
    }

    /// After the answer, at most once an hour: an account in use is refreshed ahead of time.
    fn note_use_of(self: &Rc<Self>, loaded: &Loaded) {
        let now = self.outside.now();
        let is_noted = loaded.used_at.is_none_or(|at| now < at.plus(NOTED));
        let has_end = loaded
            .token()
            .is_some_and(|token| freshness::expires_at(token).is_some());
        if is_noted || !has_end {
            return;
        }
        let object = Rc::clone(self);
        let work = async move {
            let noted = object
                .note_use()
                .map_err(Failure::from)
                .and_then(|()| object.reload());
            if noted.is_ok() {
                object.plan().await;
            }
        };
        self.outside.go_on(work.boxed_local());
    }
}

/// When the token is refreshed without anybody asking.
pub(super) fn next_refresh(loaded: &Loaded, now: Timestamp) -> Option<Timestamp> {
    if loaded.account.status != Status::Active {
        return None;
    }
    let due = freshness::due_at(loaded.token()?)?;
    let is_in_use = loaded.used_at.is_some_and(|at| now < at.plus(IN_USE));
    let at = if is_in_use {
        due
    } else {
        due.max(loaded.token_stored_at?.plus(IDLE))
    };
    Some(at.max(now))
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
