//! `last_forbidden_error`: what the provider refused last because it is not allowed (403). Noted with the log, some
//! seconds after the answer.

use std::rc::Rc;

use serde_json::Value;

use crate::account::Account;
use crate::error::Failure;
use crate::flows::account_object::log::Gathered;
use crate::flows::account_object::{AccountObject, LoadedAccount, State};
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Takes a refusal, to be written with the log.
    pub(in crate::flows) fn gather_forbidden(&self, error: Value) {
        let Gathered { forbidden, .. } = &self.gathered;
        forbidden.replace(Some(error));
    }

    /// Whatever else is changing of the account comes first; where that is not done yet, the next time.
    pub(in crate::flows) async fn write_forbidden(&self) -> Result<(), Failure> {
        if self.gathered.forbidden.borrow().is_none() {
            return Ok(());
        }
        let _one_at_a_time = self.changing.lock().await;
        let State::Here(loaded) = self.state() else {
            return Ok(());
        };
        if self.has_pending()? {
            return Ok(());
        }
        let Some(error) = self.gathered.forbidden.take() else {
            return Ok(());
        };
        if is_told(&loaded, &error) {
            return Ok(());
        }
        let account = Account {
            last_forbidden_error: Some(error),
            ..loaded.account.clone()
        };
        self.amend_record(&account, loaded.set_up.clone(), loaded.origins.clone())?;
        let _: Rc<LoadedAccount> = self.reload()?;
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
