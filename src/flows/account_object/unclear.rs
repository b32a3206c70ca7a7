//! Since when the token endpoint gives neither a token nor a reason that says who has to act. The moment is stored: the
//! object may be restarted many times within the hour that decides.

use crate::account::refusals::is_final;
use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::account_object::refused::has_same_credential;
use crate::flows::account_object::row::{Next, NextToken};
use crate::flows::account_object::{AccountObject, LoadedAccount, State};
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::oauth::TokenFailure;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS unclear_refusal \
    (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL)";

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Notes what the token endpoint answered for `began`: whether that means, by now, that its grant is dead. A clear
    /// answer ends the time that is counted; an endpoint that cannot answer leaves it as it is.
    pub(in crate::flows) fn note_refusal(
        &self,
        resolved: &ResolvedConfig,
        began: &LoadedAccount,
        failed: &TokenFailure,
    ) -> Result<bool, StorageFault> {
        if failed.needs_reauth() {
            return Ok(true);
        }
        if matches!(failed, TokenFailure::Transient { .. }) {
            return Ok(false);
        }
        if !failed.is_unclear() {
            self.forget_unclear()?;
            return Ok(false);
        }
        match self.state() {
            State::Here(now) if has_same_credential(resolved, &now, began) => {}
            _ => return Ok(false),
        }
        let now = self.outside.now();
        let since = match self.unclear_since()? {
            Some(since) => since,
            None => self.note_unclear(now)?,
        };
        Ok(is_final(since, now))
    }

    /// A token was had: the next unclear answer is the first.
    pub(in crate::flows) fn forget_unclear(&self) -> Result<(), StorageFault> {
        if self.has_table("unclear_refusal")? {
            self.storage.exec("DELETE FROM unclear_refusal", &[])?;
        }
        Ok(())
    }

    /// Ends the time where a change brings another credential, or the account back into use. Asked before the change is
    /// written, in the same turn.
    pub(in crate::flows) fn forget_unclear_by(&self, next: &Next) -> Result<(), Failure> {
        if self.unclear_since()?.is_some() && self.begins_again(next)? {
            self.forget_unclear()?;
        }
        Ok(())
    }

    fn begins_again(&self, next: &Next) -> Result<bool, Failure> {
        let Some(row) = self.read_row()? else {
            return Ok(true);
        };
        let has_other_token = match &next.token {
            NextToken::Stays => false,
            NextToken::Goes => row.token.is_some(),
            NextToken::Is(_) => true,
        };
        let was_active = row
            .account
            .is_some_and(|account| account.status == Status::Active);
        let is_back = next.account.status == Status::Active && !was_active;
        Ok(has_other_token || is_back || self.opened(next.sealed.as_deref())? != row.secrets)
    }

    fn unclear_since(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !self.has_table("unclear_refusal")? {
            return Ok(None);
        }
        let rows = self
            .storage
            .exec("SELECT since FROM unclear_refusal", &[])?;
        let since = rows.first().and_then(|row| row.first());
        Ok(since
            .and_then(SqlValue::as_integer)
            .map(Timestamp::from_millis))
    }

    fn note_unclear(&self, now: Timestamp) -> Result<Timestamp, StorageFault> {
        self.storage.exec(SCHEMA, &[])?;
        let statement = "INSERT INTO unclear_refusal (one, since) VALUES (1, ?)";
        self.storage.exec(statement, &[now.as_millis().into()])?;
        Ok(now)
    }
}
