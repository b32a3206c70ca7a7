//! The committed account: its copy in memory, who can see it, and the resolved config of its calls.

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
use crate::flows::account::mcp_tokens::McpTokenStore;
use crate::flows::account::oauth_token::TokenStore;
use crate::flows::account::redactor::LastRedactor;
use crate::flows::account::row::AccountRow;
use crate::flows::account::rows::Rows;
use crate::flows::account::schedule::Schedule;
use crate::flows::account::set_up::SetUp;
use crate::flows::account::state::State;
use crate::flows::account::used_file::UsedFile;
use crate::flows::config::resolved_config;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::account::AccountView;
use crate::ports::{Outside, Storage, StorageFault, Visibility};

/// The committed account.
pub(in crate::flows) struct AccountRecord<O, S> {
    pub(super) base: Rc<Base<O, S>>,
    pub(super) store: Rc<AccountStore<O, S>>,
    token_store: Rc<TokenStore<O, S>>,
    pub(super) rows: Rc<Rows<O, S>>,
    pub(super) schedule: Rc<Schedule<O, S>>,
    pub(super) account_tokens: Rc<AccountTokenStore<O, S>>,
    mcp_tokens: Rc<McpTokenStore<O, S>>,
    pub(super) last_redactor: Rc<LastRedactor>,
    used_file: UsedFile,
}

/// The tables of tokens that see this account alone.
pub(in crate::flows) struct OwnTokens<O, S> {
    pub(in crate::flows) account: Rc<AccountTokenStore<O, S>>,
    pub(in crate::flows) mcp: Rc<McpTokenStore<O, S>>,
}

impl<O: Outside, S: Storage> AccountRecord<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        store: &Rc<AccountStore<O, S>>,
        token_store: &Rc<TokenStore<O, S>>,
        tokens: &OwnTokens<O, S>,
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
            account_tokens: Rc::clone(&tokens.account),
            mcp_tokens: Rc::clone(&tokens.mcp),
            last_redactor: Rc::clone(last_redactor),
            used_file: UsedFile::default(),
        }
    }

    pub(in crate::flows) fn state(&self) -> State {
        self.store.state()
    }

    /// A flow holds this lock while it changes the account.
    pub(in crate::flows) async fn lock_changing(&self) -> MutexGuard<'_, ()> {
        self.store.lock_changing().await
    }

    /// Whether a change is pending, so that the index may differ from the row.
    pub(in crate::flows) fn has_pending(&self) -> Result<bool, StorageFault> {
        self.store.has_pending()
    }

    /// Whether the account's table exists.
    pub(in crate::flows) fn is_there(&self) -> Result<bool, StorageFault> {
        self.store.is_there()
    }

    /// Whether this storage ever held an account.
    pub(in crate::flows) fn was_stored(&self) -> Result<bool, Failure> {
        Ok(self.rows.read()?.is_some())
    }

    /// Writes the record alone, unless a change is pending.
    pub(in crate::flows) fn amend(
        &self,
        account: &Account,
        set_up: Option<SetUp>,
        origins: Origins,
    ) -> Result<Rc<LoadedAccount>, Failure> {
        self.store.amend(account, set_up, origins)?;
        self.reload()
    }

    /// Reads the row into memory. The caller has no `.await` between its write and this, so that no request sees the
    /// old account.
    pub(in crate::flows) fn reload(&self) -> Result<Rc<LoadedAccount>, Failure> {
        let row = self.rows.read()?;
        let gone = || Failure::not_found("integrated account");
        let loaded = row.and_then(AccountRow::into_loaded).ok_or_else(gone)?;
        self.store.set_state(State::Here(Rc::clone(&loaded)));
        Ok(loaded)
    }

    /// The account in memory; `None` if it was not read yet, or was deleted.
    pub(in crate::flows) fn present(&self) -> Option<Rc<LoadedAccount>> {
        match self.state() {
            State::Here(loaded) => Some(loaded),
            State::Unread | State::Missing => None,
        }
    }

    /// Whether the account still exists: it may be deleted while a call waits for its reserved time.
    pub fn is_here(&self) -> bool {
        self.state().is_here()
    }

    /// The account, if it exists and the caller may see it.
    pub async fn visible(&self, visibility: &Visibility) -> Result<Rc<LoadedAccount>, Failure> {
        let hidden = || Failure::not_found("integrated account");
        let loaded = self.settled().await?;
        let is_visible = match (visibility, &loaded) {
            (Visibility::Environment(own), Some(loaded)) => *own == loaded.account.environment_id,
            (Visibility::AccountToken(hash), _) if !self.account_tokens.has(hash)? => {
                return Err(unknown_token());
            }
            (Visibility::McpToken(hash), _) if self.mcp_tokens.find(hash)?.is_none() => {
                return Err(unknown_token());
            }
            (Visibility::All | Visibility::AccountToken(_) | Visibility::McpToken(_), Some(_)) => {
                true
            }
            (_, None) => false,
        };
        loaded.filter(|_| is_visible).ok_or_else(hidden)
    }

    /// The account's integration file, with the overrides of its install and its own.
    pub async fn resolved_config(&self, account: &Account) -> Result<ResolvedConfig, Failure> {
        let resolved =
            resolved_config::load(self.base.outside(), self.base.isolate(), account).await;
        resolved.inspect(|resolved| self.used_file.note(&resolved.compiled))
    }

    /// The file that the account's work used last.
    pub(in crate::flows) fn used_file(&self) -> &UsedFile {
        &self.used_file
    }

    /// The same for reading and editing, even if an override makes the config unusable for calls.
    pub(in crate::flows) async fn resolved_config_to_change(
        &self,
        account: &Account,
    ) -> Result<ResolvedConfig, Failure> {
        resolved_config::load_to_change(self.base.outside(), self.base.isolate(), account).await
    }

    /// Stores a token that the provider just returned, without an `.await` in between. Does nothing if the account was
    /// deleted, or has another token by now.
    pub(in crate::flows) fn store_refreshed(
        &self,
        before: &LoadedAccount,
        token: &Value,
    ) -> Result<(), Failure> {
        let State::Here(now) = self.state() else {
            return Ok(());
        };
        if now.token() != before.token() {
            return Ok(());
        }
        if let Some(sealed) = self.token_store.sealed(token)? {
            self.token_store.write(&sealed)?;
            self.reload()?;
        }
        Ok(())
    }

    /// Stores a token with what was added to it, such as what introspection returned for it (RFC 7662), if the account
    /// still has the one before.
    pub(in crate::flows) fn replace_token(
        &self,
        before: &Value,
        token: &Value,
    ) -> Result<(), Failure> {
        let is_current = matches!(&self.state(), State::Here(now) if now.token() == Some(before));
        match self.token_store.sealed(token)? {
            Some(sealed) if is_current => {
                self.token_store.write(&sealed)?;
                self.reload().map(drop)
            }
            _ => Ok(()),
        }
    }

    /// The account as callers see it. If the config cannot be compiled (a new version that does not fit an override),
    /// the context is left out, since only the config says which values are secret.
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
            // The current file counts, too: it may declare a field as a password that was public when it was stored.
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
