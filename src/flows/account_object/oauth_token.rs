//! The OAuth token, in a row of its own: a new one is stored in the turn it was read in, whatever else is
//! changing. In the context it stands at `oauth.token`.

use serde_json::{Map, Value, json};

use crate::account::seal::{Kind, Place};
use crate::error::Failure;
use crate::flows::account_object::{AccountObject, LoadedAccount, State};
use crate::flows::base::sealed;
use crate::json as words;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS token \
    (one INTEGER PRIMARY KEY CHECK (one = 1), sealed TEXT NOT NULL, stored_at INTEGER NOT NULL, used_at INTEGER NOT NULL)";

/// The token as it was read.
pub(in crate::flows) struct StoredToken {
    /// `{access_token, …}`.
    pub(in crate::flows) value: Value,
    pub(in crate::flows) sealed: String,
    /// When it was had.
    pub(in crate::flows) stored_at: Timestamp,
    /// When the account was called last, to the hour.
    pub(in crate::flows) used_at: Timestamp,
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// The token; `None` where there is none.
    pub(in crate::flows) fn read_token(&self) -> Result<Option<StoredToken>, Failure> {
        if !self.has_table("token")? {
            return Ok(None);
        }
        let rows = self
            .storage
            .exec("SELECT sealed, stored_at, used_at FROM token", &[])?;
        let Some([sealed, stored_at, used_at]) = rows.first().map(Vec::as_slice) else {
            return Ok(None);
        };
        let sealed = sealed.as_text().unwrap_or_default().to_owned();
        let moment =
            |value: &SqlValue| Timestamp::from_millis(value.as_integer().unwrap_or_default());
        Ok(Some(StoredToken {
            value: sealed::open(&self.outside, token_secret(&self.id.to_string()), &sealed)?,
            stored_at: moment(stored_at),
            used_at: moment(used_at),
            sealed,
        }))
    }

    /// A token sealed for its row.
    pub(in crate::flows) fn sealed_token(&self, token: &Value) -> Result<Option<String>, Failure> {
        sealed::seal(&self.outside, token_secret(&self.id.to_string()), token)
    }

    pub(in crate::flows) fn write_token(&self, sealed: &str) -> Result<(), StorageFault> {
        self.storage.exec(SCHEMA, &[])?;
        let now = self.outside.now().as_millis();
        let statement = "INSERT INTO token (one, sealed, stored_at, used_at) VALUES (1, ?, ?, ?) \
                         ON CONFLICT (one) DO UPDATE SET sealed = excluded.sealed, stored_at = excluded.stored_at";
        self.storage
            .exec(statement, &[sealed.into(), now.into(), now.into()])
            .map(drop)
    }

    pub(in crate::flows) fn drop_token(&self) -> Result<(), StorageFault> {
        if self.has_table("token")? {
            self.storage.exec("DELETE FROM token", &[])?;
        }
        Ok(())
    }

    /// Notes that the account is in use, so that its token is kept fresh ahead of time.
    pub(in crate::flows) fn note_use(&self) -> Result<(), StorageFault> {
        let now = self.outside.now().as_millis();
        self.storage
            .exec("UPDATE token SET used_at = ?", &[now.into()])
            .map(drop)
    }

    /// Seals it under the first key; the id of the key it rests under.
    pub(in crate::flows) fn reseal_token(
        &self,
        token: Option<StoredToken>,
    ) -> Result<Option<String>, Failure> {
        let Some(token) = token else { return Ok(None) };
        let id = self.id.to_string();
        let new = sealed::resealed(&self.outside, token_secret(&id), Some(&token.sealed))?;
        if let Some(text) = &new {
            self.storage
                .exec("UPDATE token SET sealed = ?", &[text.as_str().into()])?;
        }
        Ok(Some(new.unwrap_or(token.sealed)))
    }

    /// Stores a token that was just read from the provider and holds it, in one turn; nothing when the
    /// account has other credentials by now, or is gone.
    pub(in crate::flows) fn store_refreshed(
        &self,
        began: &LoadedAccount,
        token: &Value,
    ) -> Result<(), Failure> {
        let State::Here(now) = self.state() else {
            return Ok(());
        };
        if now.token() != began.token() {
            return Ok(());
        }
        if let Some(sealed) = self.sealed_token(token)? {
            self.write_token(&sealed)?;
            self.reload()?;
        }
        Ok(())
    }
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Stores what introspection said of a token, while the account still has that one.
    pub(in crate::flows) fn store_introspected(
        &self,
        asked: &Value,
        token: &Value,
    ) -> Result<(), Failure> {
        let has_it = matches!(&self.state(), State::Here(now) if now.token() == Some(asked));
        match self.sealed_token(token)? {
            Some(sealed) if has_it => {
                self.write_token(&sealed)?;
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

/// Puts the token where templates find it.
pub(in crate::flows) fn with_token(context: &mut Value, token: &Value) {
    if let Some(oauth) = context.get_mut("oauth").and_then(Value::as_object_mut) {
        oauth.shift_remove("token");
    }
    words::merge(context, &json!({ "oauth": { "token": token } }));
}

fn token_secret(id: &str) -> Place<'_> {
    Place {
        kind: Kind::Account,
        id,
        field: "token",
    }
}
