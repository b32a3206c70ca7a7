//! The account as it counts: what the object holds of it in memory, who can see it, and what it is called with.

use std::rc::Rc;

use serde_json::{Map, Value};
use tokio::sync::MutexGuard;

use crate::account::Account;
use crate::account::origin::Origins;
use crate::error::Failure;
use crate::flows::account::account_store::AccountStore;
use crate::flows::account::account_tokens::{AccountTokenStore, unknown_token};
use crate::flows::account::base::Base;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::oauth_token::TokenStore;
use crate::flows::account::redactor::LastRedactor;
use crate::flows::account::row::AccountRow;
use crate::flows::account::rows::Rows;
use crate::flows::account::schedule::Schedule;
use crate::flows::account::set_up::SetUp;
use crate::flows::account::state::State;
use crate::flows::config::resolved_config;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::account::AccountView;
use crate::ports::{Outside, Storage, StorageFault, Visibility};

/// The account as it counts.
pub(in crate::flows) struct AccountRecord<O, S> {
    pub(super) base: Rc<Base<O, S>>,
    pub(super) store: Rc<AccountStore<O, S>>,
    token_store: Rc<TokenStore<O, S>>,
    pub(super) rows: Rc<Rows<O, S>>,
    pub(super) schedule: Rc<Schedule<O, S>>,
    pub(super) account_tokens: Rc<AccountTokenStore<O, S>>,
    pub(super) last_redactor: Rc<LastRedactor>,
}

impl<O: Outside, S: Storage> AccountRecord<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        store: &Rc<AccountStore<O, S>>,
        token_store: &Rc<TokenStore<O, S>>,
        account_tokens: &Rc<AccountTokenStore<O, S>>,
        rows: &Rc<Rows<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
        last_redactor: &Rc<LastRedactor>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            store: Rc::clone(store),
            token_store: Rc::clone(token_store),
            rows: Rc::clone(rows),
            schedule: Rc::clone(schedule),
            account_tokens: Rc::clone(account_tokens),
            last_redactor: Rc::clone(last_redactor),
        }
    }

    pub(in crate::flows) fn state(&self) -> State {
        self.store.state()
    }

    /// Held by who changes the account.
    pub(in crate::flows) async fn lock_changing(&self) -> MutexGuard<'_, ()> {
        self.store.lock_changing().await
    }

    /// Whether the index may have something that does not count.
    pub(in crate::flows) fn has_pending(&self) -> Result<bool, StorageFault> {
        self.store.has_pending()
    }

    /// Whether the table of accounts was ever made.
    pub(in crate::flows) fn is_there(&self) -> Result<bool, StorageFault> {
        self.store.is_there()
    }

    /// Whether this storage ever held an account.
    pub(in crate::flows) fn was_stored(&self) -> Result<bool, Failure> {
        Ok(self.rows.read()?.is_some())
    }

    /// Changes the record alone, while no change is pending.
    pub(in crate::flows) fn amend(
        &self,
        account: &Account,
        set_up: Option<SetUp>,
        origins: Origins,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        self.store.amend(account, set_up, origins)?;
        self.reload()
    }

    /// The account as the row has it now, held in memory. Between the write before and this is no `.await`.
    pub(in crate::flows) fn reload(&self) -> Result<Rc<LoadedAccount>, Failure> {
        let row = self.rows.read()?;
        let gone = || Failure::not_found("integrated account");
        let loaded = row.and_then(AccountRow::into_loaded).ok_or_else(gone)?;
        self.store.set_state(State::Here(Rc::clone(&loaded)));
        Ok(loaded)
    }

    /// The account as it is now; nothing where it is gone.
    pub(in crate::flows) fn present(&self) -> Option<Rc<LoadedAccount>> {
        match self.state() {
            State::Here(loaded) => Some(loaded),
            State::Unread | State::Missing => None,
        }
    }

    /// Whether the account is still there: it may go while a call waits for its turn.
    pub fn is_here(&self) -> bool {
        self.state().is_here()
    }

    /// The account, if there is one that may be seen.
    pub async fn visible(&self, visibility: &Visibility) -> Result<Rc<LoadedAccount>, Failure> {
        let hidden = || Failure::not_found("integrated account");
        let loaded = self.settled().await?;
        let is_visible = match (visibility, &loaded) {
            (Visibility::Environment(own), Some(loaded)) => *own == loaded.account.environment_id,
            (Visibility::AccountToken(hash), _) if !self.account_tokens.has(hash)? => {
                return Err(unknown_token());
            }
            (Visibility::All | Visibility::AccountToken(_), Some(_)) => true,
            (_, None) => false,
        };
        loaded.filter(|_| is_visible).ok_or_else(hidden)
    }

    /// What the account's integration comes to, with the install's and its own changes.
    pub async fn resolved_config(&self, account: &Account) -> Result<ResolvedConfig, Failure> {
        resolved_config::load(self.base.outside(), self.base.isolate(), account).await
    }

    /// The same to look at and to change, also where an override does not let it be used.
    pub(in crate::flows) async fn resolved_config_to_change(
        &self,
        account: &Account,
    ) -> Result<ResolvedConfig, Failure> {
        resolved_config::load_to_change(self.base.outside(), self.base.isolate(), account).await
    }

    /// Stores a token that was just read from the provider and holds it, in one turn; nothing when the
    /// account has other credentials by now, or is gone.
    pub(in crate::flows) fn store_refreshed(
        &self,
        began: &LoadedAccount,
        token: &Value,
    ) -> Result<(), Failure> {
        let State::Here(now) = self.state() else {
            return Ok(());
        };
        if now.token() != began.token() {
            return Ok(());
        }
        if let Some(sealed) = self.token_store.sealed(token)? {
            self.token_store.write(&sealed)?;
            self.reload()?;
        }
        Ok(())
    }

    /// Stores what introspection said of a token, while the account still has that one.
    pub(in crate::flows) fn store_introspected(
        &self,
        asked: &Value,
        token: &Value,
    ) -> Result<(), Failure> {
        let has_it = matches!(&self.state(), State::Here(now) if now.token() == Some(asked));
        match self.token_store.sealed(token)? {
            Some(sealed) if has_it => {
                self.token_store.write(&sealed)?;
                self.reload().map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Also when the config cannot be compiled (a new version that does not fit an override): then
    /// without the context, for nobody can tell what in it is secret.
    pub(in crate::flows) async fn view(
        &self,
        loaded: &LoadedAccount,
    ) -> Result<AccountView, Failure> {
        let published =
            resolved_config::published(self.base.outside(), self.base.isolate(), &loaded.account)
                .await?;
        let context = match resolved_config::compiled(
            self.base.outside(),
            self.base.isolate(),
            &loaded.account,
            &published,
        ) {
            // Secret by today's file, too: a field may have become a password since it was stored.
            Ok(compiled) => loaded.public(&compiled),
            Err(_) => Value::Object(Map::new()),
        };
        Ok(AccountView {
            account: Account {
                context,
                ..loaded.account.clone()
            },
            integration: published.integration.view(),
        })
    }
}
