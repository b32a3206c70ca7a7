//! Since when the token endpoint gives neither a token nor a reason that says who has to act. The moment is stored: the
//! object may be restarted many times within the hour that decides.

use std::rc::Rc;

use crate::account::refusals::is_final;
use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::state::State;
use crate::flows::base::sql;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::object::AccountObject;
use crate::flows::object::base::Base;
use crate::flows::object::refused::has_same_credential;
use crate::flows::object::row::{Next, NextToken};
use crate::flows::object::stored::Stored;
use crate::ids::EnvironmentId;
use crate::oauth::TokenFailure;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

const TABLE: &str = "unclear_refusal";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS unclear_refusal \
    (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL)";

/// The first of the token endpoint's unclear answers in a row.
pub(super) struct UnclearRefusals<O, S> {
    base: Rc<Base<O, S>>,
}

impl<O: Outside, S: Storage> UnclearRefusals<O, S> {
    pub(super) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
        }
    }

    /// A token was had, or the answer is clear: the next unclear answer is the first.
    pub(super) fn forget(&self) -> Result<(), StorageFault> {
        sql::clear(&self.base.storage, TABLE)
    }

    fn since(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !sql::has_table(&self.base.storage, TABLE)? {
            return Ok(None);
        }
        sql::one(&self.base.storage, "SELECT since FROM unclear_refusal", &[])
    }

    /// Since when, this answer counted.
    fn note(&self, now: Timestamp) -> Result<Timestamp, StorageFault> {
        if let Some(since) = self.since()? {
            return Ok(since);
        }
        sql::run(&self.base.storage, SCHEMA, &[])?;
        let statement = "INSERT INTO unclear_refusal (one, since) VALUES (1, ?)";
        sql::run(&self.base.storage, statement, &[now.as_millis().into()])?;
        Ok(now)
    }
}

impl<O: Outside, S: Storage> Stored for UnclearRefusals<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        // It counts until a clear answer, however long that takes.
        Ok(())
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        Ok(None)
    }

    fn reseal(&self) -> Result<(), Failure> {
        // A moment is no secret.
        Ok(())
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        self.forget()
    }

    fn reset(&self) {}
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Notes what the token endpoint answered for `began`: whether that means, by now, that its grant is dead. A clear
    /// answer ends the time that is counted; an endpoint that cannot answer leaves it as it is.
    pub(super) fn note_refusal(
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
            self.unclear_refusals.forget()?;
            return Ok(false);
        }
        match self.record.state() {
            State::Here(now) if has_same_credential(resolved, &now, began) => {}
            _ => return Ok(false),
        }
        let now = self.base.outside.now();
        Ok(is_final(self.unclear_refusals.note(now)?, now))
    }

    /// Ends the time where a change brings another credential, or the account back into use. Asked before the change is
    /// written, in the same write.
    pub(super) fn forget_unclear_by(&self, next: &Next) -> Result<(), Failure> {
        if self.unclear_refusals.since()?.is_some() && self.begins_again(next)? {
            self.unclear_refusals.forget()?;
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
        let secrets = self.record.opened(next.sealed.as_deref())?;
        Ok(has_other_token || is_back || secrets != row.secrets)
    }
}
