//! The OAuth token. It has its own row, so that a new token is stored as soon as it is read, even while another change
//! is pending. The context has it at `oauth.token`.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::account::seal::{SealKind, SealPlace};
use crate::config::authorization::ALSO;
use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::refresh_pauses::{Pauses, next_refresh};
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::{sealed, sql};
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

const TABLE: &str = "token";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS token \
    (one INTEGER PRIMARY KEY CHECK (one = 1), sealed TEXT NOT NULL, stored_at INTEGER NOT NULL, used_at INTEGER NOT NULL)";

/// A token as it is stored.
pub(in crate::flows) struct StoredToken {
    /// `{access_token, …}`.
    pub(in crate::flows) value: Value,
    pub(in crate::flows) sealed: String,
    /// When the token was stored.
    pub(in crate::flows) stored_at: Timestamp,
    /// The time of the account's last call, to the hour.
    pub(in crate::flows) used_at: Timestamp,
}

/// The table of the account's OAuth token, and the pauses between its refreshes.
pub(in crate::flows) struct TokenStore<O, S> {
    base: Rc<Base<O, S>>,
    /// The times before which no refresh is tried.
    pauses: Pauses,
}

impl<O: Outside, S: Storage> TokenStore<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            pauses: Pauses::none(),
        }
    }

    pub(in crate::flows) fn pauses(&self) -> &Pauses {
        &self.pauses
    }

    /// Notes that the account is in use, so that the alarm refreshes its token before it expires.
    pub(in crate::flows) fn note_use(&self) -> Result<(), StorageFault> {
        let now = self.base.outside().now().as_millis();
        let statement = "UPDATE token SET used_at = ?";
        sql::run(self.base.storage(), statement, &[now.into()])
    }

    pub(in crate::flows) fn read(&self) -> Result<Option<StoredToken>, Failure> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(None);
        }
        let statement = "SELECT sealed, stored_at, used_at FROM token";
        let row: Option<(String, Timestamp, Timestamp)> =
            sql::first(self.base.storage(), statement, &[])?;
        let Some((sealed, stored_at, used_at)) = row else {
            return Ok(None);
        };
        let id = self.base.id().to_string();
        Ok(Some(StoredToken {
            value: sealed::open(self.base.outside(), token_secret(&id), &sealed)?,
            stored_at,
            used_at,
            sealed,
        }))
    }

    /// Seals a token for its row.
    pub(in crate::flows) fn sealed(&self, token: &Value) -> Result<Option<String>, Failure> {
        sealed::seal(
            self.base.outside(),
            token_secret(&self.base.id().to_string()),
            token,
        )
    }

    pub(in crate::flows) fn write(&self, sealed: &str) -> Result<(), StorageFault> {
        sql::run(self.base.storage(), SCHEMA, &[])?;
        let now = self.base.outside().now().as_millis();
        let statement = "INSERT INTO token (one, sealed, stored_at, used_at) VALUES (1, ?, ?, ?) \
                         ON CONFLICT (one) DO UPDATE SET sealed = excluded.sealed, stored_at = excluded.stored_at";
        let values = [sealed.into(), now.into(), now.into()];
        sql::run(self.base.storage(), statement, &values)
    }

    pub(in crate::flows) fn clear(&self) -> Result<(), StorageFault> {
        sql::clear(self.base.storage(), TABLE)
    }
}

impl<O: Outside, S: Storage> Stored for TokenStore<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        // An expired token is kept, since its refresh token is still needed.
        Ok(())
    }

    fn next_due(&self, state: &State) -> Result<Option<Timestamp>, Failure> {
        let State::Here(loaded) = state else {
            // A token that cannot be opened fails here, as the record does; then the alarm is set to a minute from now.
            self.read()?;
            return Ok(None);
        };
        let next = next_refresh(loaded, self.base.outside().now());
        Ok(next.map(|at| at.max(self.pauses.ahead())))
    }

    fn reseal(&self) -> Result<(), Failure> {
        let Some(token) = self.read()? else {
            return Ok(());
        };
        let id = self.base.id().to_string();
        let new = sealed::resealed(self.base.outside(), token_secret(&id), Some(&token.sealed))?;
        if let Some(text) = new {
            sql::run(
                self.base.storage(),
                "UPDATE token SET sealed = ?",
                &[text.into()],
            )?;
        }
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        // Its rows are deleted with the storage.
        Ok(true)
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        self.clear()
    }

    fn reset(&self) {
        self.pauses.end();
    }
}

impl LoadedAccount {
    pub fn token(&self) -> Option<&Value> {
        self.context
            .get("oauth")?
            .get("token")
            .filter(|token| token.is_object())
    }

    /// The further token of this name, where the account has one.
    pub fn also_token(&self, name: &str) -> Option<&Value> {
        let own = self.token()?.get(ALSO)?.get(name);
        own.filter(|own| own.get("access_token").is_some_and(Value::is_string))
    }

    /// Whether both have the same token. Further tokens do not count, nor a refresh token, which may have come with one.
    pub fn has_token_of(&self, other: &Self) -> bool {
        let own = |loaded: &Self| -> Option<Map<String, Value>> {
            let mut token = loaded.token()?.as_object()?.clone();
            token.retain(|key, _| key != ALSO && key != "refresh_token");
            Some(token)
        };
        own(self) == own(other)
    }
}

/// A token as it is to be stored: further tokens of another one before do not belong to it.
pub(in crate::flows) fn without_old_also(mut token: Value, before: Option<&Value>) -> Value {
    let differs = |key: &str| before.and_then(|before| before.get(key)) != token.get(key);
    let is_other = differs("access_token") || differs("refresh_token");
    let was_there = before.is_some_and(|before| before.get(ALSO) == token.get(ALSO));
    if is_other
        && was_there
        && let Some(entries) = token.as_object_mut()
    {
        entries.shift_remove(ALSO);
    }
    token
}

/// Splits secrets into those without the OAuth token, and the token.
pub(in crate::flows) fn split_token(mut secrets: Value) -> (Value, Option<Value>) {
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
