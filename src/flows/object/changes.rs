//! How an account changes. What the index knows of it goes there first; the rest is one write.

use std::rc::Rc;

use serde_json::Value;

use crate::account::Account;
use crate::account::origin::Origin;
use crate::account::seal::key_id;
use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::set_up::SetUp;
use crate::flows::base::context_limits::{check_context, check_patch, check_tenant};
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::flows::messages::account::{AccountChange, AccountView};
use crate::flows::object::contents::Contents;
use crate::flows::object::events::EventType;
use crate::flows::object::row::{Next, NextToken, Pending};
use crate::flows::object::{AccountObject, unknown_token};
use crate::ports::{Outside, Storage, Visibility};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Changes what the caller may change; a value that says where or for whom secrets are used is not among it.
    pub(super) async fn change(
        &self,
        visibility: &Visibility,
        change: AccountChange,
    ) -> Result<AccountView, Failure> {
        if matches!(visibility, Visibility::AccountToken(_)) {
            return Err(unknown_token());
        }
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.visible(visibility).await?;
        let resolved = self.resolved_config_to_change(&loaded.account).await?;
        let mut account = loaded.account.clone();
        let mut contents = Contents::of(&loaded);
        if let Some(patch) = &change.context {
            check_patch(patch)?;
            resolved.compiled.refuse_padded(patch, &loaded.sealed)?;
            contents.write(Origin::Operator, patch)?;
            check_context(contents.context())?;
            let method = &account.authentication_method;
            refuse_host_keys(
                &resolved.compiled,
                method,
                &loaded.context,
                contents.context(),
            )?;
        }
        if let Some(tenant_id) = change.tenant_id {
            check_tenant(&tenant_id)?;
            account.tenant_id = tenant_id;
        }
        account.is_sandbox = change.is_sandbox.unwrap_or(account.is_sandbox);
        if let Some(patch) = &change.integration_override {
            self.change_override(&mut account, patch).await?;
        }
        self.store(&loaded, account, &contents, &[EventType::Updated])
            .await
    }

    /// New credentials. Where they lead to another host, no secret stays that was meant for the old one.
    pub(super) async fn replace_credentials(
        &self,
        visibility: &Visibility,
        patch: &Value,
    ) -> Result<AccountView, Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.visible(visibility).await?;
        let resolved = self.resolved_config(&loaded.account).await?;
        check_patch(patch)?;
        let compiled = &resolved.compiled;
        let mut account = loaded.account.clone();
        let method = account.authentication_method.clone();
        compiled.refuse_padded(patch, &loaded.sealed)?;
        let mut contents = Contents::of(&loaded);
        contents.give(Origin::Operator, patch)?;
        if refuse_host_keys(compiled, &method, &loaded.context, contents.context()).is_err() {
            contents = Contents::of(&loaded);
            contents.drop_secrets(compiled);
            contents.give(Origin::Operator, patch)?;
        }
        check_context(contents.context())?;
        contents.complete(|context| compiled.complete_context(&method, context))?;
        let mut events = vec![EventType::Updated];
        if account.status == Status::NeedsReauth {
            account.status = Status::Active;
            events.push(EventType::Reactivated);
        }
        account.last_error = None;
        account.last_forbidden_error = None;
        self.store(&loaded, account, &contents, &events).await
    }

    /// Stores it, where there is something to store; tells of it, where somebody sees a difference.
    pub(super) async fn store(
        &self,
        loaded: &Rc<LoadedAccount>,
        account: Account,
        contents: &Contents,
        events: &[EventType],
    ) -> Result<AccountView, Failure> {
        let resolved = self.resolved_config_to_change(&account).await?;
        let next = self.next(&resolved, loaded, account, contents, &[])?;
        let seen = Account {
            updated_at: loaded.account.updated_at,
            ..next.account.clone()
        };
        let is_seen = seen != loaded.account || *contents.context() != loaded.context;
        if !is_seen && next.origins == loaded.origins {
            return self.view(loaded).await;
        }
        let next = if is_seen {
            self.next(&resolved, loaded, next.account, contents, events)?
        } else {
            next
        };
        let loaded = self.put(&resolved, loaded, &next).await?;
        self.view(&loaded).await
    }

    /// Stores what is not the context's: its status, and why.
    pub(super) async fn put_account(
        &self,
        loaded: &Rc<LoadedAccount>,
        account: Account,
        events: &[EventType],
    ) -> Result<(), Failure> {
        let resolved = self.resolved_config(&account).await?;
        let contents = Contents::of(loaded);
        let next = self.next(&resolved, loaded, account, &contents, events)?;
        self.put(&resolved, loaded, &next).await.map(drop)
    }

    /// The account with this whole context as it will be. What is left of its set-up stays.
    pub(super) fn next(
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
            updated_at: self.base.outside.now(),
            ..account
        };
        let sealed = self.record.sealed(&secrets)?;
        let token = match contents.token() {
            Some(token) if loaded.token() == Some(&token) => NextToken::Stays,
            Some(token) => {
                let sealed = self.tokens.sealed(&token)?;
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
                .outside
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
    pub(super) async fn put(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        next: &Next,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        if self.is_indexed_alike(resolved, loaded, next)? && !self.record.has_pending()? {
            self.commit_row(next)?;
        } else {
            self.index_then_commit(resolved, loaded, next).await?;
        }
        let loaded = self.reload()?;
        self.plan().await;
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
        self.record
            .note_pending(&Pending::Change(Box::new(next.clone())))?;
        self.wake_later().await;
        if let Err(failure) = self.index(resolved, next).await {
            let old = self.next(
                resolved,
                loaded,
                loaded.account.clone(),
                &Contents::of(loaded),
                &[],
            )?;
            self.record.note_pending(&Pending::Change(Box::new(old)))?;
            return Err(failure);
        }
        self.commit_row(next)
    }

    /// Whether the index has nothing to learn.
    fn is_indexed_alike(
        &self,
        resolved: &ResolvedConfig,
        old: &LoadedAccount,
        next: &Next,
    ) -> Result<bool, Failure> {
        let (account, new) = (&old.account, &next.account);
        let found_by = self.lookup(resolved, old);
        Ok(next.link.is_none()
            && account.tenant_id == new.tenant_id
            && account.status == new.status
            && account.is_sandbox == new.is_sandbox
            && old.sealing_key == next.sealing_key
            && found_by == self.next_lookup(resolved, next)?)
    }
}

/// 422 when a value changes that says where, or for whom, the secrets of a credential are used.
pub(super) fn refuse_host_keys(
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
