//! The one row an account's storage holds: the record as it counts, its sealed secrets, and the change
//! that counts once the `Directory` has answered.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AccountObject;
use crate::account::Account;
use crate::account::seal::{Kind, Place};
use crate::error::Failure;
use crate::flows::sealed;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS account \
    (one INTEGER PRIMARY KEY CHECK (one = 1), record TEXT, sealed TEXT, pending TEXT)";

/// A change on its way: stored here first, then in the index, then it counts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pending {
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
}

/// The row as it was read.
pub(super) struct AccountRow {
    pub(super) account: Option<Account>,
    pub(super) secrets: Value,
    pub(super) sealed: Option<String>,
    pub(super) pending: Option<Pending>,
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// The row; `None` when this storage never held one.
    pub(super) fn read_row(&self) -> Result<Option<AccountRow>, Failure> {
        let tables = self.storage.exec(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'account'",
            &[],
        )?;
        if tables.is_empty() {
            return Ok(None);
        }
        let rows = self.storage.exec(
            "SELECT record, sealed, pending FROM account WHERE one = 1",
            &[],
        )?;
        let Some([record, sealed, pending]) = rows.first().map(Vec::as_slice) else {
            return Ok(None);
        };
        let secrets = self.opened(sealed.as_text())?;
        Ok(Some(AccountRow {
            account: parsed(record)?,
            secrets,
            sealed: sealed.as_text().map(str::to_owned),
            pending: parsed(pending)?,
        }))
    }

    /// Stores a new account, and the change that will make it count.
    pub(super) fn insert_row(
        &self,
        account: &Account,
        pending: &Pending,
    ) -> Result<(), StorageFault> {
        self.storage.exec(SCHEMA, &[])?;
        let statement = "INSERT INTO account (one, record, sealed, pending) VALUES (1, ?, NULL, ?)";
        self.storage
            .exec(statement, &[text_of(account)?, text_of(pending)?])
            .map(drop)
    }

    /// Notes what will count.
    pub(super) fn note_pending(&self, pending: &Pending) -> Result<(), StorageFault> {
        self.storage
            .exec(
                "UPDATE account SET pending = ? WHERE one = 1",
                &[text_of(pending)?],
            )
            .map(drop)
    }

    /// From now on this counts, and nothing is pending.
    pub(super) fn commit_row(&self, next: &Next) -> Result<(), StorageFault> {
        let sealed = next.sealed.clone().map_or(SqlValue::Null, SqlValue::Text);
        let statement = "UPDATE account SET record = ?, sealed = ?, pending = NULL WHERE one = 1";
        self.storage
            .exec(statement, &[text_of(&next.account)?, sealed])
            .map(drop)
    }

    /// The secret half of the context, sealed for this account.
    pub(super) fn sealed(&self, secrets: &Value) -> Result<Option<String>, Failure> {
        sealed::seal(
            &self.outside,
            context_secrets(&self.id.to_string()),
            secrets,
        )
    }

    /// The secrets under the first key; what counts, and what is still pending.
    pub(super) fn reseal_row(&self) -> Result<Option<String>, Failure> {
        let row = self
            .read_row()?
            .ok_or_else(|| Failure::not_found("integrated account"))?;
        let id = self.id.to_string();
        let new = sealed::resealed(&self.outside, context_secrets(&id), row.sealed.as_deref())?;
        if let Some(text) = &new {
            self.storage.exec(
                "UPDATE account SET sealed = ? WHERE one = 1",
                &[text.as_str().into()],
            )?;
        }
        Ok(new.or(row.sealed))
    }

    /// What [`Self::sealed`] made.
    pub(super) fn opened(&self, text: Option<&str>) -> Result<Value, Failure> {
        let id = self.id.to_string();
        text.map_or(Ok(Value::Null), |text| {
            sealed::open(&self.outside, context_secrets(&id), text)
        })
    }

    /// Everything of the account goes at once; only the way out of the index is left.
    pub(super) fn wipe_row(&self, pending: &Pending) -> Result<(), StorageFault> {
        let statement =
            "UPDATE account SET record = NULL, sealed = NULL, pending = ? WHERE one = 1";
        self.storage.exec(statement, &[text_of(pending)?]).map(drop)
    }
}

fn context_secrets(id: &str) -> Place<'_> {
    Place {
        kind: Kind::Account,
        id,
        field: "context",
    }
}

fn text_of(value: &impl Serialize) -> Result<SqlValue, StorageFault> {
    serde_json::to_string(value)
        .map(SqlValue::Text)
        .map_err(|error| StorageFault(error.to_string()))
}

fn parsed<T: serde::de::DeserializeOwned>(value: &SqlValue) -> Result<Option<T>, StorageFault> {
    let parsed = value.as_text().map(serde_json::from_str).transpose();
    parsed.map_err(|error| StorageFault(format!("the account's row cannot be read: {error}")))
}
