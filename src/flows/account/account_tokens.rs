//! Account tokens: each lets a customer's browser call one account for 15 minutes. The account's object stores their
//! hashes and expiry times.

use std::rc::Rc;
use std::time::Duration;

use crate::error::{Code, Failure};
use crate::flows::account::base::Base;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::sql;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault, Visibility};
use crate::time::Timestamp;

const TABLE: &str = "account_token";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS account_token (hash TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID";

/// The table of the account's tokens.
pub(in crate::flows) struct AccountTokenStore<O, S> {
    base: Rc<Base<O, S>>,
}

impl<O: Outside, S: Storage> AccountTokenStore<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
        }
    }

    /// Stores a token's hash.
    fn insert(&self, hash: &str, until: Timestamp) -> Result<(), StorageFault> {
        sql::run(self.base.storage(), SCHEMA, &[])?;
        self.trim()?;
        let values = [hash.into(), until.as_millis().into()];
        let statement = "INSERT INTO account_token (hash, until) VALUES (?, ?)";
        sql::run(self.base.storage(), statement, &values)
    }

    /// Whether a token with this hash exists and has not expired.
    pub(in crate::flows) fn has(&self, hash: &str) -> Result<bool, StorageFault> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(false);
        }
        let values = [hash.into(), self.base.outside().now().as_millis().into()];
        let statement = "SELECT hash FROM account_token WHERE hash = ? AND until > ?";
        sql::exists(self.base.storage(), statement, &values)
    }

    /// How long the token with this hash is still valid.
    fn valid(&self, hash: &str) -> Result<Duration, StorageFault> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(Duration::ZERO);
        }
        let statement = "SELECT until FROM account_token WHERE hash = ?";
        let until: Option<i64> = sql::one(self.base.storage(), statement, &[hash.into()])?;
        let until = Timestamp::from_millis(until.unwrap_or(0));
        let now = self.base.outside().now();
        Ok(until.since(now))
    }
}

impl<O: Outside, S: Storage> Stored for AccountTokenStore<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(());
        }
        let statement = "DELETE FROM account_token WHERE until <= ?";
        let now = self.base.outside().now().as_millis();
        sql::run(self.base.storage(), statement, &[now.into()])
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        // No alarm is needed: `has` ignores expired hashes, and the next alarm or the next token deletes them.
        Ok(None)
    }

    fn reseal(&self) -> Result<(), Failure> {
        // Hashes are not sealed.
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        // Its rows are deleted with the storage.
        Ok(true)
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        sql::clear(self.base.storage(), TABLE)
    }

    fn reset(&self) {}
}

impl<O: Outside, S: Storage> AccountRecord<O, S> {
    /// Stores the hash of a new token. An account token cannot issue another one.
    pub(in crate::flows) async fn issue_token(
        &self,
        visibility: &Visibility,
        hash: &str,
        until: Timestamp,
    ) -> Result<(), Failure> {
        if visibility.is_of_one_account() {
            return Err(unknown_token());
        }
        self.visible(visibility).await?;
        Ok(self.account_tokens.insert(hash, until)?)
    }

    /// How long the caller's account token is still valid; `None` for a caller with another token.
    pub(in crate::flows) fn token_valid(
        &self,
        visibility: &Visibility,
    ) -> Result<Option<Duration>, StorageFault> {
        match visibility {
            Visibility::AccountToken(hash) => self.account_tokens.valid(hash).map(Some),
            // No lease is for it.
            Visibility::McpToken(_) => Ok(Some(Duration::ZERO)),
            Visibility::All | Visibility::Environment(_) => Ok(None),
        }
    }
}

pub(in crate::flows) fn unknown_token() -> Failure {
    Failure::new(
        Code::Unauthenticated,
        "The token is unknown, revoked or expired.",
    )
}
