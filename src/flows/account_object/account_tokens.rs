//! Account tokens: a caller's browser may call the one account for a quarter of an hour. Only hash and
//! expiry are kept, here.

use crate::error::Failure;
use crate::flows::account_object::{AccountObject, unknown_token};
use crate::ports::{Outside, Sees, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS account_token (hash TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID";

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Keeps a token's hash; those that are over go.
    pub(in crate::flows) async fn issue_token(
        &self,
        sees: &Sees,
        hash: &str,
        until: Timestamp,
    ) -> Result<(), Failure> {
        if matches!(sees, Sees::AccountToken(_)) {
            return Err(unknown_token());
        }
        self.visible(sees).await?;
        self.storage.exec(SCHEMA, &[])?;
        self.storage.exec(
            "DELETE FROM account_token WHERE until <= ?",
            &[self.outside.now().as_millis().into()],
        )?;
        let values: [SqlValue; 2] = [hash.into(), until.as_millis().into()];
        Ok(self
            .storage
            .exec(
                "INSERT INTO account_token (hash, until) VALUES (?, ?)",
                &values,
            )
            .map(drop)?)
    }

    /// Whether a token of this hash is good now.
    pub(in crate::flows) fn knows_token(&self, hash: &str) -> Result<bool, StorageFault> {
        let tables = self.storage.exec(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'account_token'",
            &[],
        )?;
        if tables.is_empty() {
            return Ok(false);
        }
        let values: [SqlValue; 2] = [hash.into(), self.outside.now().as_millis().into()];
        let rows = self.storage.exec(
            "SELECT hash FROM account_token WHERE hash = ? AND until > ?",
            &values,
        )?;
        Ok(!rows.is_empty())
    }
}
