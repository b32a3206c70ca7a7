//! Logins that wait for the customer to come back from the provider: sealed, known by the hash of their
//! `state`, taken once, over after ten minutes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::seal::{Kind, Place};
use crate::crypto;
use crate::error::Failure;
use crate::flows::account_object::AccountObject;
use crate::flows::base::sealed;
use crate::flows::messages::connecting::Connecting;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS login \
    (state TEXT PRIMARY KEY, sealed TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID";

/// How long a customer may stay at the provider.
pub(in crate::flows) const LIFE: Duration = Duration::from_mins(10);
/// Logins of one account that wait at a time; the oldest goes first.
const MOST: i64 = 20;

/// A login that waits for its callback.
#[derive(Serialize, Deserialize)]
pub(in crate::flows) struct Login {
    pub(in crate::flows) connecting: Connecting,
    /// The code verifier (RFC 7636).
    pub(in crate::flows) verifier: String,
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    pub(in crate::flows) fn write_login(&self, login: &Login) -> Result<(), Failure> {
        let until = self.outside.now().plus(LIFE);
        let state = hash(&login.connecting.state);
        let value = serde_json::to_value(login).unwrap_or_default();
        let sealed = sealed::seal(
            &self.outside,
            login_secret(&self.id.to_string(), &state),
            &value,
        )?;
        self.storage.exec(SCHEMA, &[])?;
        let values = [
            state.into(),
            sealed.unwrap_or_default().into(),
            until.as_millis().into(),
        ];
        self.storage.exec(
            "INSERT INTO login (state, sealed, until) VALUES (?, ?, ?)",
            &values,
        )?;
        let statement = "DELETE FROM login WHERE state NOT IN (SELECT state FROM login ORDER BY until DESC LIMIT ?)";
        self.storage.exec(statement, &[MOST.into()])?;
        Ok(())
    }

    /// The login of this `state`, begun by this browser for this integration. It is gone with this look;
    /// where browser or integration are others it stays, for the one who began it.
    pub(in crate::flows) fn take_login(
        &self,
        state: &str,
        browser: &str,
        integration: &str,
    ) -> Result<Option<Login>, Failure> {
        if !self.has_table("login")? {
            return Ok(None);
        }
        let state = hash(state);
        let values: [SqlValue; 2] = [state.as_str().into(), self.outside.now().as_millis().into()];
        let statement = "SELECT sealed FROM login WHERE state = ? AND until > ?";
        let rows = self.storage.exec(statement, &values)?;
        let Some(text) = rows.first().and_then(|row| row.first()?.as_text()) else {
            return Ok(None);
        };
        let opened = sealed::open(
            &self.outside,
            login_secret(&self.id.to_string(), &state),
            text,
        )?;
        let login: Option<Login> = serde_json::from_value(opened).ok();
        let own = login.filter(|login| {
            crypto::is_same(login.connecting.browser.as_bytes(), browser.as_bytes())
                && login.connecting.integration == integration
        });
        if own.is_some() {
            self.storage.exec(
                "DELETE FROM login WHERE state = ?",
                &[state.as_str().into()],
            )?;
        }
        Ok(own)
    }

    pub(in crate::flows) fn drop_logins(&self) -> Result<(), StorageFault> {
        if self.has_table("login")? {
            self.storage.exec("DELETE FROM login", &[])?;
        }
        Ok(())
    }

    /// Those that are over go; when the next one will.
    pub(in crate::flows) fn trim_logins(&self) -> Result<(), StorageFault> {
        if self.has_table("login")? {
            let now = self.outside.now().as_millis();
            self.storage
                .exec("DELETE FROM login WHERE until <= ?", &[now.into()])?;
        }
        Ok(())
    }

    /// When the next of them ends.
    pub(in crate::flows) fn next_login(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !self.has_table("login")? {
            return Ok(None);
        }
        let rows = self.storage.exec("SELECT MIN(until) FROM login", &[])?;
        let first = rows.first().and_then(|row| row.first());
        Ok(first
            .and_then(SqlValue::as_integer)
            .map(Timestamp::from_millis))
    }
}

fn hash(state: &str) -> String {
    crypto::sha256_hex(state.as_bytes())
}

fn login_secret<'a>(id: &'a str, state: &'a str) -> Place<'a> {
    Place {
        kind: Kind::Account,
        id,
        field: state,
    }
}
