//! `last_forbidden_error`: what the provider refused last because it is not allowed (403). Noted with the log, some
//! seconds after the answer.

use std::rc::Rc;

use serde_json::Value;

use crate::account::Account;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::state::State;
use crate::flows::call::account_log::AccountLog;
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> AccountLog<O, S> {
    /// Takes a refusal, to be written with the log.
    pub(super) fn gather_forbidden(&self, error: Value) {
        self.store.set_forbidden(error);
    }

    /// Whatever else is changing of the account comes first; where that is not done yet, the next time.
    pub(super) async fn write_forbidden(&self) -> Result<(), Failure> {
        if !self.store.has_forbidden() {
            return Ok(());
        }
        let _one_at_a_time = self.record.lock_changing().await;
        let State::Here(loaded) = self.record.state() else {
            return Ok(());
        };
        if self.record.has_pending()? {
            return Ok(());
        }
        let Some(error) = self.store.take_forbidden() else {
            return Ok(());
        };
        if is_told(&loaded, &error) {
            return Ok(());
        }
        let account = Account {
            last_forbidden_error: Some(error),
            ..loaded.account.clone()
        };
        let _: Rc<LoadedAccount> =
            self.record
                .amend(&account, loaded.set_up.clone(), loaded.origins.clone())?;
        Ok(())
    }
}

/// The same refusal again needs no write each time: `at` is when it was first seen in a row.
fn is_told(loaded: &LoadedAccount, error: &Value) -> bool {
    let same = |key: &str, old: &Value| old.get(key) == error.get(key);
    let keys = ["resource", "method", "message", "scopes", "missing_scopes"];
    let told = loaded.account.last_forbidden_error.as_ref();
    told.is_some_and(|old| keys.iter().all(|key| same(key, old)))
}
