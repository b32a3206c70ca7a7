//! The OAuth token, in a row of its own: a new one is stored in the turn it was read in, whatever else is
//! changing. In the context it stands at `oauth.token`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::account::seal::{SealKind, SealPlace};
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::state::State;
use crate::flows::base::sealed;
use crate::flows::base::sql;
use crate::flows::object::AccountObject;
use crate::flows::object::base::Base;
use crate::flows::object::refresh::Refreshing;
use crate::flows::object::refresh_schedule::{Pauses, next_refresh};
use crate::flows::object::stored::Stored;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

const TABLE: &str = "token";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS token \
    (one INTEGER PRIMARY KEY CHECK (one = 1), sealed TEXT NOT NULL, stored_at INTEGER NOT NULL, used_at INTEGER NOT NULL)";

/// The token as it was read.
pub(super) struct StoredToken {
    /// `{access_token, …}`.
    pub(super) value: Value,
    pub(super) sealed: String,
    /// When it was had.
    pub(super) stored_at: Timestamp,
    /// When the account was called last, to the hour.
    pub(super) used_at: Timestamp,
}

/// The account's OAuth token, and its refresh.
pub(super) struct TokenStore<O, S> {
    base: Rc<Base<O, S>>,
    /// The refresh that is under way, for all who wait for it.
    refreshing: RefCell<Option<Refreshing>>,
    /// After a refresh that failed.
    pauses: Pauses,
    /// A use is about to be noted.
    is_noting_use: Cell<bool>,
}

impl<O: Outside, S: Storage> TokenStore<O, S> {
    pub(super) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            refreshing: RefCell::new(None),
            pauses: Pauses::none(),
            is_noting_use: Cell::new(false),
        }
    }

    pub(super) fn pauses(&self) -> &Pauses {
        &self.pauses
    }

    /// The refresh that is under way.
    pub(super) fn refreshing(&self) -> Option<Refreshing> {
        self.refreshing.borrow().clone()
    }

    pub(super) fn set_refreshing(&self, refreshing: Option<Refreshing>) {
        self.refreshing.replace(refreshing);
    }

    /// Whether a use is to be noted now; false while another is about to be.
    pub(super) fn begin_noting_use(&self) -> bool {
        !self.is_noting_use.replace(true)
    }

    /// Notes that the account is in use, so that its token is kept fresh ahead of time.
    pub(super) fn note_use(&self) -> Result<(), StorageFault> {
        self.is_noting_use.set(false);
        let now = self.base.outside.now().as_millis();
        let statement = "UPDATE token SET used_at = ?";
        sql::run(&self.base.storage, statement, &[now.into()])
    }

    /// The token; `None` where there is none.
    pub(super) fn read(&self) -> Result<Option<StoredToken>, Failure> {
        if !sql::has_table(&self.base.storage, TABLE)? {
            return Ok(None);
        }
        let statement = "SELECT sealed, stored_at, used_at FROM token";
        let row: Option<(String, Timestamp, Timestamp)> =
            sql::first(&self.base.storage, statement, &[])?;
        let Some((sealed, stored_at, used_at)) = row else {
            return Ok(None);
        };
        let id = self.base.id.to_string();
        Ok(Some(StoredToken {
            value: sealed::open(&self.base.outside, token_secret(&id), &sealed)?,
            stored_at,
            used_at,
            sealed,
        }))
    }

    /// A token sealed for its row.
    pub(super) fn sealed(&self, token: &Value) -> Result<Option<String>, Failure> {
        sealed::seal(
            &self.base.outside,
            token_secret(&self.base.id.to_string()),
            token,
        )
    }

    pub(super) fn write(&self, sealed: &str) -> Result<(), StorageFault> {
        sql::run(&self.base.storage, SCHEMA, &[])?;
        let now = self.base.outside.now().as_millis();
        let statement = "INSERT INTO token (one, sealed, stored_at, used_at) VALUES (1, ?, ?, ?) \
                         ON CONFLICT (one) DO UPDATE SET sealed = excluded.sealed, stored_at = excluded.stored_at";
        let values = [sealed.into(), now.into(), now.into()];
        sql::run(&self.base.storage, statement, &values)
    }

    pub(super) fn clear(&self) -> Result<(), StorageFault> {
        sql::clear(&self.base.storage, TABLE)
    }
}

impl<O: Outside, S: Storage> Stored for TokenStore<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        // Also an expired token says what to refresh with.
        Ok(())
    }

    fn next_due(&self, state: &State) -> Result<Option<Timestamp>, Failure> {
        let State::Here(loaded) = state else {
            return Ok(None);
        };
        let next = next_refresh(loaded, self.base.outside.now());
        Ok(next.map(|at| at.max(self.pauses.ahead())))
    }

    fn reseal(&self) -> Result<(), Failure> {
        let Some(token) = self.read()? else {
            return Ok(());
        };
        let id = self.base.id.to_string();
        let new = sealed::resealed(&self.base.outside, token_secret(&id), Some(&token.sealed))?;
        if let Some(text) = new {
            sql::run(
                &self.base.storage,
                "UPDATE token SET sealed = ?",
                &[text.into()],
            )?;
        }
        Ok(())
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        self.clear()
    }

    /// A refresh that is under way takes itself back, and so does a use that is about to be noted.
    fn reset(&self) {
        self.pauses.end();
    }
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Stores a token that was just read from the provider and holds it, in one turn; nothing when the
    /// account has other credentials by now, or is gone.
    pub(super) fn store_refreshed(
        &self,
        began: &LoadedAccount,
        token: &Value,
    ) -> Result<(), Failure> {
        let State::Here(now) = self.record.state() else {
            return Ok(());
        };
        if now.token() != began.token() {
            return Ok(());
        }
        if let Some(sealed) = self.tokens.sealed(token)? {
            self.tokens.write(&sealed)?;
            self.reload()?;
        }
        Ok(())
    }
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Stores what introspection said of a token, while the account still has that one.
    pub(super) fn store_introspected(&self, asked: &Value, token: &Value) -> Result<(), Failure> {
        let has_it = matches!(&self.record.state(), State::Here(now) if now.token() == Some(asked));
        match self.tokens.sealed(token)? {
            Some(sealed) if has_it => {
                self.tokens.write(&sealed)?;
                self.reload().map(drop)
            }
            _ => Ok(()),
        }
    }
}

impl LoadedAccount {
    /// The OAuth token of its context.
    pub fn token(&self) -> Option<&Value> {
        self.context
            .get("oauth")?
            .get("token")
            .filter(|token| token.is_object())
    }
}

/// A context's secrets without the token, and the token.
pub(super) fn split_token(mut secrets: Value) -> (Value, Option<Value>) {
    let oauth = secrets.get_mut("oauth").and_then(Value::as_object_mut);
    let token = oauth.and_then(|oauth| oauth.shift_remove("token"));
    let is_bare = |oauth: &Value| oauth.as_object().is_some_and(Map::is_empty);
    if secrets.get("oauth").is_some_and(is_bare)
        && let Some(secrets) = secrets.as_object_mut()
    {
        secrets.shift_remove("oauth");
    }
    (secrets, token.filter(Value::is_object))
}

fn token_secret(id: &str) -> SealPlace<'_> {
    SealPlace {
        kind: SealKind::Account,
        id,
        field: "token",
    }
}
