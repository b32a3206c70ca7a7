//! The one row an account's storage holds: the record as it counts, its sealed secrets, and the change
//! that counts once the `Directory` has answered. The OAuth token has a row of its own, so that storing
//! a new one waits for nothing; events are stored in the same write as the change they tell of.

use crate::flows::account::set_up::SetUp;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::Account;
use crate::account::origin::Origins;
use crate::account::seal::key_id;
use crate::flows::account::event::Event;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::oauth_token::StoredToken;
use crate::flows::account::token_in_context::with_token;
use crate::ids::EnvironmentId;
use crate::json;

/// A change on its way: stored here first, then in the index, then it counts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::flows) enum Pending {
    /// A new account.
    VerifiedWebhook(Box<Next>),
    /// As it will be.
    Change(Box<Next>),
    /// Nothing is left but to leave the index of this environment.
    Delete(EnvironmentId),
}

/// An account as it will be, its secrets sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::flows) struct Next {
    pub(in crate::flows) account: Account,
    pub(in crate::flows) sealed: Option<String>,
    /// What becomes of the OAuth token.
    pub(in crate::flows) token: NextToken,
    /// The id of the key its secrets rest under.
    pub(in crate::flows) sealing_key: Option<String>,
    /// What is left to do before it is active.
    pub(in crate::flows) set_up: Option<SetUp>,
    /// What is told of it.
    pub(in crate::flows) events: Vec<Event>,
    /// The hash of the link token that is spent with it.
    pub(in crate::flows) link: Option<String>,
    /// Who set what of its context.
    #[serde(default)]
    pub(in crate::flows) origins: Origins,
}

/// What a change does to the OAuth token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::flows) enum NextToken {
    /// It stays as it is by then: it may be refreshed meanwhile.
    Stays,
    /// There is none any more.
    Goes,
    /// A new one, sealed.
    Is(String),
}

/// What is stored of an account in clear.
#[derive(Serialize, Deserialize)]
pub(in crate::flows) struct Record<A> {
    #[serde(flatten)]
    pub(in crate::flows) account: A,
    pub(in crate::flows) set_up: Option<SetUp>,
    /// Absent in records from before there were any.
    #[serde(default)]
    pub(in crate::flows) origins: Origins,
}

/// The row as it was read.
pub(in crate::flows) struct AccountRow {
    pub(in crate::flows) account: Option<Account>,
    pub(in crate::flows) secrets: Value,
    pub(in crate::flows) sealed: Option<String>,
    /// From the table of its own: [`Rows::read`].
    pub(in crate::flows) token: Option<StoredToken>,
    pub(in crate::flows) set_up: Option<SetUp>,
    pub(in crate::flows) origins: Origins,
    pub(in crate::flows) pending: Option<Pending>,
}

impl AccountRow {
    /// `None` when the row holds no account.
    pub(super) fn into_loaded(self) -> Option<Rc<LoadedAccount>> {
        let account = self.account?;
        let mut context = account.context.clone();
        if self.secrets.is_object() {
            json::merge(&mut context, &self.secrets);
        }
        if let Some(token) = &self.token {
            with_token(&mut context, &token.value);
        }
        let sealed = self.sealed.as_deref();
        let sealed = sealed.or(self.token.as_ref().map(|token| token.sealed.as_str()));
        let of_pending = self.set_up.as_ref().and_then(SetUp::sealing_key);
        Some(Rc::new(LoadedAccount {
            sealing_key: sealed.map(|text| key_id(text).to_owned()).or(of_pending),
            sealed: self.secrets,
            origins: self.origins,
            set_up: self.set_up,
            token_stored_at: self.token.as_ref().map(|token| token.stored_at),
            used_at: self.token.as_ref().map(|token| token.used_at),
            account,
            context,
        }))
    }
}
