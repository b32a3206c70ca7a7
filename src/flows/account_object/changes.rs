//! How an account changes. What the index knows of it goes there first; the rest is one write.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::events::EventType;
use super::lookup::lookup_of;
use super::oauth_token::split_token;
use super::row::{Next, NextToken, Pending};
use super::{AccountObject, Loaded};
use crate::account::Account;
use crate::account::seal::key_id;
use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::ask::{AccountChange, AccountView};
use crate::flows::effective::{Compiled, Effective};
use crate::flows::import_account::{check_context, check_tenant};
use crate::json as words;
use crate::ports::{Outside, Sees, Storage};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Changes what the caller may change; a value that decides the host is not among it.
    pub(super) async fn change(
        &self,
        sees: &Sees,
        change: AccountChange,
    ) -> Result<AccountView, Failure> {
        let _one_at_a_time = self.changing.lock().await;
        let loaded = self.visible(sees).await?;
        let effective = self.effective_to_change(&loaded.account).await?;
        let mut account = loaded.account.clone();
        let mut context = loaded.context.clone();
        if let Some(patch) = &change.context {
            check_context(patch)?;
            if matches!(sees, Sees::AccountToken(_)) {
                refuse_secrets(&effective.compiled, patch)?;
            }
            words::merge(&mut context, patch);
            check_context(&context)?;
            refuse_host_keys(&effective.compiled, &loaded.context, &context)?;
        }
        if let Some(tenant_id) = change.tenant_id {
            check_tenant(&tenant_id)?;
            account.tenant_id = tenant_id;
        }
        account.is_sandbox = change.is_sandbox.unwrap_or(account.is_sandbox);
        if let Some(patch) = &change.integration_override {
            self.change_override(&mut account, patch).await?;
        }
        self.store(&loaded, account, &context, &[EventType::Updated])
            .await
    }

    /// New credentials. Where they lead to another host, no secret stays that was meant for the old one.
    pub(super) async fn replace_credentials(
        &self,
        sees: &Sees,
        patch: &Value,
    ) -> Result<AccountView, Failure> {
        let _one_at_a_time = self.changing.lock().await;
        let loaded = self.visible(sees).await?;
        let effective = self.effective(&loaded.account).await?;
        check_context(patch)?;
        let mut context = loaded.context.clone();
        words::merge(&mut context, patch);
        if refuse_host_keys(&effective.compiled, &loaded.context, &context).is_err() {
            context = effective.compiled.split_context(&loaded.context).0;
            words::merge(&mut context, patch);
        }
        check_context(&context)?;
        let mut account = loaded.account.clone();
        effective
            .compiled
            .complete_context(&account.authentication_method, &mut context)?;
        let mut events = vec![EventType::Updated];
        if account.status == Status::NeedsReauth {
            account.status = Status::Active;
            events.push(EventType::Reactivated);
        }
        account.last_error = None;
        account.last_forbidden_error = None;
        self.store(&loaded, account, &context, &events).await
    }

    /// What the connect form need not ask for again.
    pub(super) async fn secret_names(&self, sees: &Sees) -> Result<Vec<String>, Failure> {
        let loaded = self.visible(sees).await?;
        let effective = self.effective(&loaded.account).await?;
        let (context, _) = split_token(loaded.context.clone());
        let (_, secrets) = effective.compiled.split_context(&context);
        let names = secrets
            .as_object()
            .map(|secrets| secrets.keys().cloned().collect());
        Ok(names.unwrap_or_default())
    }

    /// Seals its secrets under the first key; a change that is pending is finished first, under it.
    pub(super) async fn reseal(&self) -> Result<Option<String>, Failure> {
        let _one_at_a_time = self.changing.lock().await;
        self.visible(&Sees::All).await?;
        self.finish_what_is_pending().await?;
        self.reseal_row()?;
        Ok(self.reload()?.sealing_key.clone())
    }

    pub(super) async fn store(
        &self,
        loaded: &Rc<Loaded>,
        account: Account,
        context: &Value,
        events: &[EventType],
    ) -> Result<AccountView, Failure> {
        let effective = self.effective_to_change(&account).await?;
        let next = self.next(&effective, loaded, account, context, events)?;
        let loaded = self.put(&effective, loaded, &next).await?;
        self.view(&loaded).await
    }

    /// The account with this whole context as it will be. What is left of its set-up stays.
    pub(super) fn next(
        &self,
        effective: &Effective,
        loaded: &Loaded,
        account: Account,
        context: &Value,
        events: &[EventType],
    ) -> Result<Next, Failure> {
        let (context, token) = split_token(context.clone());
        let (public, secrets) = effective.compiled.split_context(&context);
        let account = Account {
            context: public,
            updated_at: self.outside.now(),
            ..account
        };
        let sealed = self.sealed(&secrets)?;
        let token = match token {
            Some(token) if loaded.token() == Some(&token) => NextToken::Stays,
            Some(token) => self
                .sealed_token(&token)?
                .map_or(NextToken::Goes, NextToken::Is),
            None => NextToken::Goes,
        };
        let payload = effective.view(account.clone()).shown();
        let events = events.iter().map(|event| self.event(*event, &payload));
        let sealing_key = match (&sealed, &token) {
            (Some(sealed), _) | (None, NextToken::Is(sealed)) => Some(key_id(sealed).to_owned()),
            // The commit seals it under the first key, too.
            (None, NextToken::Stays) => self
                .outside
                .settings()
                .keyring()?
                .ids()
                .next()
                .map(str::to_owned),
            (None, NextToken::Goes) => None,
        };
        Ok(Next {
            events: events.collect::<Result<_, _>>()?,
            sealed,
            token,
            sealing_key,
            set_up: loaded.set_up,
            link: None,
            account,
        })
    }

    /// Makes it count, the index first where that has something to learn.
    pub(super) async fn put(
        &self,
        effective: &Effective,
        loaded: &Rc<Loaded>,
        next: &Next,
    ) -> Result<Rc<Loaded>, Failure> {
        if self.is_indexed_alike(effective, loaded, next)? && !self.has_pending()? {
            self.commit_row(next)?;
        } else {
            self.index_then_commit(effective, loaded, next).await?;
        }
        let loaded = self.reload()?;
        self.plan().await;
        Ok(loaded)
    }

    /// When the index does not answer, it may have the change or not: what counts stays as it was, and the
    /// alarm tells the index so.
    async fn index_then_commit(
        &self,
        effective: &Effective,
        loaded: &Loaded,
        next: &Next,
    ) -> Result<(), Failure> {
        self.note_pending(&Pending::Change(Box::new(next.clone())))?;
        self.wake_later().await;
        if let Err(failure) = self.index(effective, next).await {
            let old = self.next(
                effective,
                loaded,
                loaded.account.clone(),
                &loaded.context,
                &[],
            )?;
            self.note_pending(&Pending::Change(Box::new(old)))?;
            return Err(failure);
        }
        self.commit_row(next)
    }

    /// Whether the index has nothing to learn.
    fn is_indexed_alike(
        &self,
        effective: &Effective,
        old: &Loaded,
        next: &Next,
    ) -> Result<bool, Failure> {
        let (account, new) = (&old.account, &next.account);
        let found_by = lookup_of(effective, &old.context);
        Ok(next.link.is_none()
            && account.tenant_id == new.tenant_id
            && account.status == new.status
            && account.is_sandbox == new.is_sandbox
            && old.sealing_key == next.sealing_key
            && found_by == self.next_lookup(effective, next)?)
    }
}

/// 422 when a value changes that scheme, host or port of any URL depends on.
pub(super) fn refuse_host_keys(
    compiled: &Compiled,
    old: &Value,
    new: &Value,
) -> Result<(), Failure> {
    let keys = compiled.config.origin_keys();
    match keys.iter().find(|key| old.get(*key) != new.get(*key)) {
        None => Ok(()),
        Some(key) => Err(Failure::host_key(
            &format!("context.{key}"),
            "decides which host is called: it changes only together with new credentials (PATCH …/credentials)",
        )),
    }
}

/// An account token may change no secrets.
fn refuse_secrets(compiled: &Compiled, patch: &Value) -> Result<(), Failure> {
    let (_, secrets) = compiled.split_context(patch);
    let has_none = secrets.as_object().is_none_or(Map::is_empty);
    has_none.then_some(()).ok_or_else(|| {
        Failure::invalid(
            "context",
            "holds a secret; credentials are changed by PATCH …/credentials",
        )
    })
}
