//! `last_forbidden_error`: the provider's last 403 answer. It is stored together with the log, a second after the
//! answer.

use std::rc::Rc;

use serde_json::Value;

use crate::account::Account;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::state::State;
use crate::flows::call::account_log::AccountLog;
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> AccountLog<O, S> {
    /// Queues a 403 answer, which is stored with the log.
    pub(super) fn queue_forbidden(&self, error: Value) {
        self.store.set_forbidden(error);
    }

    /// Stores the queued 403 answer. Waits for a change in progress; while a change is pending, the answer stays
    /// queued.
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
        if is_repeated(&loaded, &error) {
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

/// Whether the record has the same refusal already. A repeated refusal is not stored, so `at` is the time of the first
/// one in a row.
fn is_repeated(loaded: &LoadedAccount, error: &Value) -> bool {
    let same = |key: &str, old: &Value| old.get(key) == error.get(key);
    let keys = ["resource", "method", "message", "scopes", "missing_scopes"];
    let last = loaded.account.last_forbidden_error.as_ref();
    last.is_some_and(|old| keys.iter().all(|key| same(key, old)))
}
