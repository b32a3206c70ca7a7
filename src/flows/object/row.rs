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
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::token_in_context::with_token;
use crate::flows::object::AccountObject;
use crate::flows::object::events::Event;
use crate::flows::object::oauth_token::StoredToken;
use crate::flows::object::stored::Stored;
use crate::ids::EnvironmentId;
use crate::json;
use crate::ports::{Outside, Storage, StorageFault};

/// A change on its way: stored here first, then in the index, then it counts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pending {
    /// A new account.
    VerifiedWebhook(Box<Next>),
    /// As it will be.
    Change(Box<Next>),
    /// Nothing is left but to leave the index of this environment.
    Delete(EnvironmentId),
}

/// An account as it will be, its secrets sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Next {
    pub(super) account: Account,
    pub(super) sealed: Option<String>,
    /// What becomes of the OAuth token.
    pub(super) token: NextToken,
    /// The id of the key its secrets rest under.
    pub(super) sealing_key: Option<String>,
    /// What is left to do before it is active.
    pub(super) set_up: Option<SetUp>,
    /// What is told of it.
    pub(super) events: Vec<Event>,
    /// The hash of the link token that is spent with it.
    pub(super) link: Option<String>,
    /// Who set what of its context.
    #[serde(default)]
    pub(super) origins: Origins,
}

/// What a change does to the OAuth token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NextToken {
    /// It stays as it is by then: it may be refreshed meanwhile.
    Stays,
    /// There is none any more.
    Goes,
    /// A new one, sealed.
    Is(String),
}

/// What is stored of an account in clear.
#[derive(Serialize, Deserialize)]
pub(super) struct Record<A> {
    #[serde(flatten)]
    pub(super) account: A,
    pub(super) set_up: Option<SetUp>,
    /// Absent in records from before there were any.
    #[serde(default)]
    pub(super) origins: Origins,
}

/// The row as it was read.
pub(super) struct AccountRow {
    pub(super) account: Option<Account>,
    pub(super) secrets: Value,
    pub(super) sealed: Option<String>,
    /// From the table of its own: [`AccountObject::read_row`].
    pub(super) token: Option<StoredToken>,
    pub(super) set_up: Option<SetUp>,
    pub(super) origins: Origins,
    pub(super) pending: Option<Pending>,
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

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// The row with the token; `None` when this storage never held one.
    pub(super) fn read_row(&self) -> Result<Option<AccountRow>, Failure> {
        let Some(row) = self.record.read()? else {
            return Ok(None);
        };
        let token = self.tokens.read()?;
        Ok(Some(AccountRow { token, ..row }))
    }

    /// From now on this counts, and nothing is pending.
    pub(super) fn commit_row(&self, next: &Next) -> Result<(), Failure> {
        self.forget_unclear_by(next)?;
        self.record.commit(next)?;
        match &next.token {
            NextToken::Stays => {}
            NextToken::Goes => self.tokens.clear()?,
            NextToken::Is(sealed) => {
                self.tokens.write(sealed)?;
                self.tokens.pauses().end();
            }
        }
        // The index names one key for both: the first.
        self.tokens.reseal()?;
        let environment = next.account.environment_id;
        Ok(self.outbox.write_events(environment, &next.events)?)
    }

    /// Everything of the account goes at once; only the way out of the index is left, and the events.
    pub(super) fn wipe_row(
        &self,
        environment: EnvironmentId,
        events: &[Event],
    ) -> Result<(), StorageFault> {
        let components = self.components().stored;
        components
            .iter()
            .try_for_each(|one| one.wipe(environment))?;
        self.outbox.write_events(environment, events)
    }
}
