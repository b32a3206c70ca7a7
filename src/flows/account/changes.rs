//! How an account changes. What the index knows of it goes there first; the rest is one write.

use std::rc::Rc;

use serde_json::Value;

use crate::account::Account;
use crate::account::seal::key_id;
use crate::error::Failure;
use crate::flows::account::account_store::AccountStore;
use crate::flows::account::base::Base;
use crate::flows::account::contents::Contents;
use crate::flows::account::event::EventType;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::oauth_token::TokenStore;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::row::{Next, NextToken, Pending};
use crate::flows::account::rows::Rows;
use crate::flows::account::schedule::Schedule;
use crate::flows::account::set_up::SetUp;
use crate::flows::account::state::State;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::flows::messages::account::AccountView;
use crate::ports::{Outside, Storage};

/// Stores what becomes of the account.
pub(in crate::flows) struct Changes<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    store: Rc<AccountStore<O, S>>,
    token_store: Rc<TokenStore<O, S>>,
    outbox: Rc<Outbox<O, S>>,
    rows: Rc<Rows<O, S>>,
    schedule: Rc<Schedule<O, S>>,
}

impl<O: Outside, S: Storage> Changes<O, S> {
    pub(in crate::flows) fn new(
        record: &Rc<AccountRecord<O, S>>,
        store: &Rc<AccountStore<O, S>>,
        token_store: &Rc<TokenStore<O, S>>,
        outbox: &Rc<Outbox<O, S>>,
        rows: &Rc<Rows<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
        base: &Rc<Base<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            store: Rc::clone(store),
            token_store: Rc::clone(token_store),
            outbox: Rc::clone(outbox),
            rows: Rc::clone(rows),
            schedule: Rc::clone(schedule),
        }
    }

    /// The account as it counts.
    pub(in crate::flows) fn record(&self) -> &AccountRecord<O, S> {
        &self.record
    }

    /// Stores a new account; it counts when the index has it, and else was never there.
    pub(in crate::flows) async fn arrive(
        &self,
        resolved: &ResolvedConfig,
        stored: &Account,
        next: Next,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        self.store
            .insert(stored, &Pending::VerifiedWebhook(Box::new(next.clone())))?;
        self.schedule.wake_later().await;
        if let Err(failure) = self.record.index(resolved, &next).await {
            self.record.withdraw(stored.environment_id, &[]).await?;
            return Err(failure);
        }
        // Should the commit fail, the row still says what is pending: the next request reads it.
        self.store.set_state(State::Unread);
        self.rows.commit(&next)?;
        let loaded = self.record.reload()?;
        self.schedule.plan().await;
        Ok(loaded)
    }

    /// Stores it, where there is something to store; tells of it, where somebody sees a difference.
    pub(in crate::flows) async fn store(
        &self,
        loaded: &Rc<LoadedAccount>,
        account: Account,
        contents: &Contents,
        events: &[EventType],
    ) -> Result<AccountView, Failure> {
        let resolved = self.record.resolved_config_to_change(&account).await?;
        let next = self.next(&resolved, loaded, account, contents, &[])?;
        let seen = Account {
            updated_at: loaded.account.updated_at,
            ..next.account.clone()
        };
        let is_seen = seen != loaded.account || *contents.context() != loaded.context;
        if !is_seen && next.origins == loaded.origins {
            return self.record.view(loaded).await;
        }
        let next = if is_seen {
            self.next(&resolved, loaded, next.account, contents, events)?
        } else {
            next
        };
        let loaded = self.put(&resolved, loaded, &next).await?;
        self.record.view(&loaded).await
    }

    /// Stores what is not the context's: its status, and why.
    pub(in crate::flows) async fn put_account(
        &self,
        loaded: &Rc<LoadedAccount>,
        account: Account,
        events: &[EventType],
    ) -> Result<(), Failure> {
        let resolved = self.record.resolved_config(&account).await?;
        let contents = Contents::of(loaded);
        let next = self.next(&resolved, loaded, account, &contents, events)?;
        self.put(&resolved, loaded, &next).await.map(drop)
    }

    /// The account with this whole context as it will be. What is left of its set-up stays.
    pub(in crate::flows) fn next(
        &self,
        resolved: &ResolvedConfig,
        loaded: &LoadedAccount,
        account: Account,
        contents: &Contents,
        events: &[EventType],
    ) -> Result<Next, Failure> {
        let (public, secrets) = contents.split(&resolved.compiled);
        let account = Account {
            context: public,
            updated_at: self.base.outside().now(),
            ..account
        };
        let sealed = self.store.sealed(&secrets)?;
        let token = match contents.token() {
            Some(token) if loaded.token() == Some(&token) => NextToken::Stays,
            Some(token) => {
                let sealed = self.token_store.sealed(&token)?;
                sealed.map_or(NextToken::Goes, NextToken::Is)
            }
            None => NextToken::Goes,
        };
        let payload = resolved.view(account.clone()).shown();
        let events = events
            .iter()
            .map(|event| self.outbox.event(*event, &payload));
        let set_up = loaded.set_up.clone();
        let sealing_key = match (&sealed, &token) {
            (Some(sealed), _) | (None, NextToken::Is(sealed)) => Some(key_id(sealed).to_owned()),
            // The commit seals it under the first key, too.
            (None, NextToken::Stays) => self
                .base
                .outside()
                .settings()
                .keyring()?
                .ids()
                .next()
                .map(str::to_owned),
            (None, NextToken::Goes) => set_up.as_ref().and_then(SetUp::sealing_key),
        };
        Ok(Next {
            events: events.collect::<Result<_, _>>()?,
            sealed,
            token,
            sealing_key,
            set_up,
            link: None,
            origins: contents.origins(),
            account,
        })
    }

    /// Makes it count, the index first where that has something to learn.
    pub(in crate::flows) async fn put(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        next: &Next,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        if self.is_indexed_alike(resolved, loaded, next)? && !self.store.has_pending()? {
            self.rows.commit(next)?;
        } else {
            self.index_then_commit(resolved, loaded, next).await?;
        }
        let loaded = self.record.reload()?;
        self.schedule.plan().await;
        Ok(loaded)
    }

    /// When the index does not answer, it may have the change or not: what counts stays as it was, and the
    /// alarm tells the index so.
    async fn index_then_commit(
        &self,
        resolved: &ResolvedConfig,
        loaded: &LoadedAccount,
        next: &Next,
    ) -> Result<(), Failure> {
        self.store
            .note_pending(&Pending::Change(Box::new(next.clone())))?;
        self.schedule.wake_later().await;
        if let Err(failure) = self.record.index(resolved, next).await {
            let old = self.next(
                resolved,
                loaded,
                loaded.account.clone(),
                &Contents::of(loaded),
                &[],
            )?;
            self.store.note_pending(&Pending::Change(Box::new(old)))?;
            return Err(failure);
        }
        self.rows.commit(next)
    }

    /// Whether the index has nothing to learn.
    fn is_indexed_alike(
        &self,
        resolved: &ResolvedConfig,
        old: &LoadedAccount,
        next: &Next,
    ) -> Result<bool, Failure> {
        let (account, new) = (&old.account, &next.account);
        let found_by = self.record.lookup(resolved, old);
        Ok(next.link.is_none()
            && account.tenant_id == new.tenant_id
            && account.status == new.status
            && account.is_sandbox == new.is_sandbox
            && old.sealing_key == next.sealing_key
            && found_by == self.record.next_lookup(resolved, next)?)
    }
}

/// 422 when a value changes that says where, or for whom, the secrets of a credential are used.
pub(in crate::flows) fn refuse_host_keys(
    compiled: &Compiled,
    method: &str,
    old: &Value,
    new: &Value,
) -> Result<(), Failure> {
    let keys = compiled.config.aiming_keys(method);
    match keys.iter().find(|key| old.get(*key) != new.get(*key)) {
        None => Ok(()),
        Some(key) => Err(Failure::host_key(
            &format!("context.{key}"),
            "decides which host is called, or for whom a token is asked: it changes only together with new credentials (PATCH …/credentials)",
        )),
    }
}
