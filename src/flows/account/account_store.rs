//! The table with the account's row, and the copy of it in the object's memory.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard};

use crate::account::Account;
use crate::account::origin::Origins;
use crate::account::seal::{SealKind, SealPlace};
use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::lookup::held_place;
use crate::flows::account::row::{AccountRow, Next, Pending, Record};
use crate::flows::account::set_up::SetUp;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::{sealed, sql};
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

const TABLE: &str = "account";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS account \
    (one INTEGER PRIMARY KEY CHECK (one = 1), record TEXT, sealed TEXT, pending TEXT)";

/// The delay before the object retries a pending change.
const RETRY: Duration = Duration::from_mins(1);

/// The account's row in storage, and its state in memory.
pub(in crate::flows) struct AccountStore<O, S> {
    base: Rc<Base<O, S>>,
    state: RefCell<State>,
    /// Only one request at a time finishes a change that a restart interrupted.
    settling: Mutex<()>,
    /// Only one request at a time changes the account, so that no change overwrites another.
    changing: Mutex<()>,
}

impl<O: Outside, S: Storage> AccountStore<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            state: RefCell::new(State::Unread),
            settling: Mutex::new(()),
            changing: Mutex::new(()),
        }
    }

    pub(in crate::flows) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(super) fn set_state(&self, state: State) {
        self.state.replace(state);
    }

    /// A flow holds this lock while it changes the account.
    pub(in crate::flows) async fn lock_changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// A flow holds this lock while it finishes a pending change.
    pub(super) async fn lock_settling(&self) -> MutexGuard<'_, ()> {
        self.settling.lock().await
    }

    /// Whether the table exists.
    pub(in crate::flows) fn is_there(&self) -> Result<bool, StorageFault> {
        sql::has_table(self.base.storage(), TABLE)
    }

    /// The row without the token; `None` if this storage never held an account.
    pub(in crate::flows) fn read(&self) -> Result<Option<AccountRow>, Failure> {
        if !self.is_there()? {
            return Ok(None);
        }
        let statement = "SELECT record, sealed, pending FROM account WHERE one = 1";
        let row: Option<(Option<String>, Option<String>, Option<String>)> =
            sql::first(self.base.storage(), statement, &[])?;
        let Some((record, sealed, pending)) = row else {
            return Ok(None);
        };
        let secrets = self.opened(sealed.as_deref())?;
        let record: Option<Record<Account>> = parsed(record.as_deref())?;
        let (account, set_up, origins) = match record {
            Some(record) => (Some(record.account), record.set_up, record.origins),
            None => (None, None, Origins::default()),
        };
        Ok(Some(AccountRow {
            account,
            set_up,
            origins,
            secrets,
            sealed,
            token: None,
            pending: parsed(pending.as_deref())?,
        }))
    }

    /// Stores a new account with the pending change that will commit it.
    pub(in crate::flows) fn insert(
        &self,
        account: &Account,
        pending: &Pending,
    ) -> Result<(), StorageFault> {
        sql::run(self.base.storage(), SCHEMA, &[])?;
        let statement = "INSERT INTO account (one, record, sealed, pending) VALUES (1, ?, NULL, ?)";
        let record = Record {
            account,
            set_up: None,
            origins: Origins::default(),
        };
        let values = [sql::json(&record)?, sql::json(pending)?];
        sql::run(self.base.storage(), statement, &values)
    }

    /// Whether a change is pending, so that the index may differ from the row.
    pub(in crate::flows) fn has_pending(&self) -> Result<bool, StorageFault> {
        let statement = "SELECT 1 FROM account WHERE pending IS NOT NULL";
        sql::exists(self.base.storage(), statement, &[])
    }

    /// Writes the record alone. Does nothing while a change is pending, since its commit would overwrite this one.
    pub(in crate::flows) fn amend(
        &self,
        account: &Account,
        set_up: Option<SetUp>,
        origins: Origins,
    ) -> Result<(), StorageFault> {
        let record = Record {
            account,
            set_up,
            origins,
        };
        let statement = "UPDATE account SET record = ? WHERE one = 1 AND pending IS NULL";
        sql::run(self.base.storage(), statement, &[sql::json(&record)?])
    }

    pub(super) fn note_pending(&self, pending: &Pending) -> Result<(), StorageFault> {
        let statement = "UPDATE account SET pending = ? WHERE one = 1";
        sql::run(self.base.storage(), statement, &[sql::json(pending)?])
    }

    /// Stores this account and clears the pending change.
    pub(super) fn commit(&self, next: &Next) -> Result<(), StorageFault> {
        let statement = "UPDATE account SET record = ?, sealed = ?, pending = NULL WHERE one = 1";
        let record = Record {
            account: &next.account,
            set_up: next.set_up.clone(),
            origins: next.origins.clone(),
        };
        let values = [sql::json(&record)?, sql::nullable(next.sealed.clone())];
        sql::run(self.base.storage(), statement, &values)
    }

    /// Clears the pending change, which was refused or is done.
    pub(super) fn drop_pending(&self) -> Result<(), StorageFault> {
        let statement = "UPDATE account SET pending = NULL WHERE one = 1";
        sql::run(self.base.storage(), statement, &[])
    }

    /// The secret half of the context, sealed for this account.
    pub(in crate::flows) fn sealed(&self, secrets: &Value) -> Result<Option<String>, Failure> {
        let id = self.base.id().to_string();
        sealed::seal(self.base.outside(), context_secrets(&id), secrets)
    }

    /// Opens what [`Self::sealed`] returned.
    pub(in crate::flows) fn opened(&self, text: Option<&str>) -> Result<Value, Failure> {
        let id = self.base.id().to_string();
        text.map_or(Ok(Value::Null), |text| {
            sealed::open(self.base.outside(), context_secrets(&id), text)
        })
    }

    /// Reseals the lookup value that is held while a new credential is tried.
    fn reseal_held(&self, row: AccountRow) -> Result<(), Failure> {
        let (Some(account), Some(set_up)) = (&row.account, row.set_up) else {
            return Ok(());
        };
        let (id, held) = (self.base.id().to_string(), set_up.found_by.as_deref());
        let Some(new) = sealed::resealed(self.base.outside(), held_place(&id), held)? else {
            return Ok(());
        };
        let set_up = SetUp {
            found_by: Some(new),
            ..set_up
        };
        Ok(self.amend(account, Some(set_up), row.origins)?)
    }
}

impl<O: Outside, S: Storage> Stored for AccountStore<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        // An account has no expiry.
        Ok(())
    }

    fn next_due(&self, state: &State) -> Result<Option<Timestamp>, Failure> {
        let is_unfinished = |row: AccountRow| row.pending.is_some() || row.set_up.is_some();
        let retry = match state {
            // The row is not opened again.
            State::Here(loaded) => loaded.set_up.is_some() || self.has_pending()?,
            State::Missing | State::Unread => self.read()?.is_some_and(is_unfinished),
        };
        Ok(retry.then(|| self.base.outside().now().plus(RETRY)))
    }

    /// Does not reseal a pending change: the caller finishes it first.
    fn reseal(&self) -> Result<(), Failure> {
        let row = self.read()?;
        let row = row.ok_or_else(|| Failure::not_found("integrated account"))?;
        let (id, old) = (self.base.id().to_string(), row.sealed.as_deref());
        if let Some(new) = sealed::resealed(self.base.outside(), context_secrets(&id), old)? {
            let statement = "UPDATE account SET sealed = ? WHERE one = 1";
            sql::run(self.base.storage(), statement, &[new.into()])?;
        }
        self.reseal_held(row)
    }

    fn is_over(&self) -> Result<bool, Failure> {
        let kept = "SELECT 1 FROM account WHERE record IS NOT NULL OR pending IS NOT NULL";
        Ok(!self.is_there()? || !sql::exists(self.base.storage(), kept, &[])?)
    }

    /// Keeps the environment alone: the alarm needs it to remove the account from the index.
    fn wipe(&self, environment: EnvironmentId) -> Result<(), StorageFault> {
        let statement =
            "UPDATE account SET record = NULL, sealed = NULL, pending = ? WHERE one = 1";
        let pending = Pending::Delete(environment);
        sql::run(self.base.storage(), statement, &[sql::json(&pending)?])
    }

    /// The state is `Missing` before the storage is erased, and stays so.
    fn reset(&self) {}
}

fn context_secrets(id: &str) -> SealPlace<'_> {
    SealPlace {
        kind: SealKind::Account,
        id,
        field: "context",
    }
}

fn parsed<T: serde::de::DeserializeOwned>(text: Option<&str>) -> Result<Option<T>, StorageFault> {
    text.map(sql::from_json).transpose()
}
