//! Account tokens: a caller's browser may call the one account for a quarter of an hour. Only hash and
//! expiry are kept, here.

use std::rc::Rc;

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

/// The account's own tokens.
pub(in crate::flows) struct AccountTokenStore<O, S> {
    base: Rc<Base<O, S>>,
}

impl<O: Outside, S: Storage> AccountTokenStore<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
        }
    }

    /// Keeps a token's hash.
    fn insert(&self, hash: &str, until: Timestamp) -> Result<(), StorageFault> {
        sql::run(self.base.storage(), SCHEMA, &[])?;
        self.trim()?;
        let values = [hash.into(), until.as_millis().into()];
        let statement = "INSERT INTO account_token (hash, until) VALUES (?, ?)";
        sql::run(self.base.storage(), statement, &values)
    }

    /// Whether a token of this hash is good now.
    pub(in crate::flows) fn has(&self, hash: &str) -> Result<bool, StorageFault> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(false);
        }
        let values = [hash.into(), self.base.outside().now().as_millis().into()];
        let statement = "SELECT hash FROM account_token WHERE hash = ? AND until > ?";
        sql::exists(self.base.storage(), statement, &values)
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
        // An expired hash is good for nothing: the next ring, or the next token, deletes it.
        Ok(None)
    }

    fn reseal(&self) -> Result<(), Failure> {
        // A hash is not sealed.
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
    /// Keeps a token's hash, for a caller who may see the account by another token.
    pub(in crate::flows) async fn issue_token(
        &self,
        visibility: &Visibility,
        hash: &str,
        until: Timestamp,
    ) -> Result<(), Failure> {
        if matches!(visibility, Visibility::AccountToken(_)) {
            return Err(unknown_token());
        }
        self.visible(visibility).await?;
        Ok(self.account_tokens.insert(hash, until)?)
    }
}

pub(in crate::flows) fn unknown_token() -> Failure {
    Failure::new(
        Code::Unauthenticated,
        "The token is unknown, revoked or expired.",
    )
}
