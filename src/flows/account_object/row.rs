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
    /// The record as it will be.
    Change(Box<Account>),
    /// Nothing is left but to leave the index of this environment.
    Delete(EnvironmentId),
}

/// The row as it was read.
pub(super) struct AccountRow {
    pub(super) account: Option<Account>,
    pub(super) secrets: Value,
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
        let id = self.id.to_string();
        let secrets = match sealed.as_text() {
            Some(text) => sealed::open(&self.outside, context_secrets(&id), text)?,
            None => Value::Null,
        };
        Ok(Some(AccountRow {
            account: parsed(record)?,
            secrets,
            pending: parsed(pending)?,
        }))
    }

    /// Stores a new account, and the change that will make it count.
    pub(super) fn insert_row(
        &self,
        account: &Account,
        secrets: &Value,
        pending: &Pending,
    ) -> Result<(), Failure> {
        let id = self.id.to_string();
        let sealed = sealed::seal(&self.outside, context_secrets(&id), secrets)?;
        let values = [
            text_of(account)?,
            sealed.map_or(SqlValue::Null, SqlValue::Text),
            text_of(pending)?,
        ];
        self.storage.exec(SCHEMA, &[])?;
        let statement = "INSERT INTO account (one, record, sealed, pending) VALUES (1, ?, ?, ?)";
        Ok(self.storage.exec(statement, &values).map(drop)?)
    }

    /// The pending change counts from now on.
    pub(super) fn commit_row(&self, account: &Account) -> Result<(), StorageFault> {
        self.storage
            .exec(
                "UPDATE account SET record = ?, pending = NULL WHERE one = 1",
                &[text_of(account)?],
            )
            .map(drop)
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
