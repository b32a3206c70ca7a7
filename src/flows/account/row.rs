//! The one row in an account's storage: the committed record, its sealed secrets, and the change that is committed once
//! the `Directory` has answered. The OAuth token has its own row, so that a new one is stored at once. Events are
//! stored in the same write as the change that they report.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::Account;
use crate::account::origin::Origins;
use crate::account::seal::key_id;
use crate::flows::account::event::Event;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::oauth_token::StoredToken;
use crate::flows::account::set_up::SetUp;
use crate::flows::account::token_in_context::with_token;
use crate::ids::EnvironmentId;
use crate::json;

/// A pending change. The object stores it here first, then in the index, then commits it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::flows) enum Pending {
    /// A new account.
    // `verified_webhook` is the tag of a row that was stored while a rename had changed it.
    #[serde(rename = "arrival", alias = "verified_webhook")]
    NewAccount(Box<Next>),
    /// The changed account.
    Change(Box<Next>),
    /// A deletion. Only the entry in the index of this environment is left.
    Delete(EnvironmentId),
}

/// The state of an account after a change, with sealed secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::flows) struct Next {
    pub(in crate::flows) account: Account,
    pub(in crate::flows) sealed: Option<String>,
    pub(in crate::flows) token: NextToken,
    /// The id of the key that its secrets are sealed with.
    pub(in crate::flows) sealing_key: Option<String>,
    /// The set-up that has to finish before it is active.
    pub(in crate::flows) set_up: Option<SetUp>,
    /// The events that report the change.
    pub(in crate::flows) events: Vec<Event>,
    /// The hash of the link token that this change uses up.
    pub(in crate::flows) link: Option<String>,
    /// Who set each value of the context.
    #[serde(default)]
    pub(in crate::flows) origins: Origins,
}

/// What a change does to the OAuth token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::flows) enum NextToken {
    /// The stored token stays. A refresh may replace it before the commit.
    #[serde(rename = "stays")]
    Keep,
    /// The token is deleted.
    #[serde(rename = "goes")]
    Delete,
    /// This sealed token replaces it.
    #[serde(rename = "is")]
    Replace(String),
}

/// The part of an account that is stored in clear.
#[derive(Serialize, Deserialize)]
pub(in crate::flows) struct Record<A> {
    #[serde(flatten)]
    pub(in crate::flows) account: A,
    pub(in crate::flows) set_up: Option<SetUp>,
    /// Absent in records that were stored before origins existed.
    #[serde(default)]
    pub(in crate::flows) origins: Origins,
}

pub(in crate::flows) struct AccountRow {
    pub(in crate::flows) account: Option<Account>,
    pub(in crate::flows) secrets: Value,
    pub(in crate::flows) sealed: Option<String>,
    /// From its own table, by `Rows::read`.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A known tag fails at its first missing field, an unknown one at the tag.
    #[test]
    fn a_pending_change_of_earlier_versions_can_be_read() {
        for tag in ["arrival", "verified_webhook", "change"] {
            let read: Result<Pending, _> = serde_json::from_str(&format!(r#"{{"{tag}":{{}}}}"#));
            let error = read.unwrap_err().to_string();
            assert!(error.starts_with("missing field"), "{tag}: {error}");
        }
        for tag in [r#""stays""#, r#""goes""#, r#"{"is":"sealed"}"#] {
            let read: Result<NextToken, _> = serde_json::from_str(tag);
            assert!(read.is_ok(), "{tag}");
        }
    }
}
