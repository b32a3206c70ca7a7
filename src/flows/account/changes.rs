//! Writes the changes of an account. A change of an indexed field goes to the index of the `Directory` first and is
//! committed once that has answered. Any other change is one write.

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
use crate::flows::account::oauth_token::without_old_also;
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

/// Writes the changes of the account.
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

    /// The committed account.
    pub(in crate::flows) fn record(&self) -> &AccountRecord<O, S> {
        &self.record
    }

    /// Creates the account. If the index refuses it, the object deletes it again.
    pub(in crate::flows) async fn create(
        &self,
        resolved: &ResolvedConfig,
        stored: &Account,
        next: Next,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        self.store
            .insert(stored, &Pending::NewAccount(Box::new(next.clone())))?;
        self.schedule.wake_later().await;
        if let Err(failure) = self.record.index(resolved, &next).await {
            self.record.withdraw(stored.environment_id, &[]).await?;
            return Err(failure);
        }
        // If the commit fails, the next request reads the pending change from the row and finishes it.
        self.store.set_state(State::Unread);
        self.rows.commit(&next)?;
        let loaded = self.record.reload()?;
        self.schedule.plan().await;
        Ok(loaded)
    }

    /// Stores the account if it differs from the stored one. The events are written only if callers see a difference.
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

    /// Stores fields of the record, such as the status and its reason. The context stays.
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

    /// The change to this account and this whole context. An unfinished set-up stays.
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
            Some(token) if loaded.token() == Some(&token) => NextToken::Keep,
            Some(token) => {
                let token = without_old_also(token, loaded.token());
                let sealed = self.token_store.sealed(&token)?;
                sealed.map_or(NextToken::Delete, NextToken::Replace)
            }
            None => NextToken::Delete,
        };
        let payload = resolved.view(account.clone()).shown();
        let events = events
            .iter()
            .map(|event| self.outbox.event(*event, &payload));
        let set_up = loaded.set_up.clone();
        let sealing_key = match (&sealed, &token) {
            (Some(sealed), _) | (None, NextToken::Replace(sealed)) => {
                Some(key_id(sealed).to_owned())
            }
            // The commit reseals the token with the first key.
            (None, NextToken::Keep) => self
                .base
                .outside()
                .settings()
                .keyring()?
                .ids()
                .next()
                .map(str::to_owned),
            (None, NextToken::Delete) => set_up.as_ref().and_then(SetUp::sealing_key),
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

    /// Commits the change. If it concerns an indexed field, the index gets it first.
    pub(in crate::flows) async fn put(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        next: &Next,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        if self.keeps_index_entry(resolved, loaded, next)? && !self.store.has_pending()? {
            self.rows.commit(next)?;
        } else {
            self.index_then_commit(resolved, loaded, next).await?;
        }
        let loaded = self.record.reload()?;
        self.schedule.plan().await;
        Ok(loaded)
    }

    /// If the index does not answer, it may or may not have the change. Then the object keeps the old account, and the
    /// alarm writes that one to the index again.
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

    /// Whether the change leaves the index entry as it is.
    fn keeps_index_entry(
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

/// Refuses (422) to change a value that decides where, or for whom, the secrets of a credential are used.
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
