//! Logins: customers who were redirected to the provider and are not back yet. Each row is encrypted, found by the hash
//! of its `state`, read once, and expires after ten minutes.

use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::seal::{SealKind, SealPlace};
use crate::crypto;
use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::{sealed, sql};
use crate::flows::messages::connecting::Connecting;
use crate::ids::EnvironmentId;
use crate::json::typed;
use crate::oauth::{RequestToken, TokenServer};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

const TABLE: &str = "login";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS login \
    (state TEXT PRIMARY KEY, sealed TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID";

/// How long a customer may stay at the provider.
const LIFE: Duration = Duration::from_mins(10);
/// The most logins of one account; a further one replaces the oldest.
const MOST: i64 = 20;

/// What the callback needs.
#[derive(Serialize, Deserialize)]
pub(in crate::flows) struct Login {
    pub(in crate::flows) connecting: Connecting,
    /// The code verifier (RFC 7636).
    pub(in crate::flows) verifier: String,
    /// The temporary credentials (RFC 5849 §2.1), for OAuth 1.0a.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::flows) request_token: Option<RequestToken>,
    /// The server and the client that were found for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::flows) server: Option<TokenServer>,
}

/// The account's logins.
pub(in crate::flows) struct LoginStore<O, S> {
    base: Rc<Base<O, S>>,
}

impl<O: Outside, S: Storage> LoginStore<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
        }
    }

    /// Whether a login was ever stored.
    pub(in crate::flows) fn is_there(&self) -> Result<bool, StorageFault> {
        sql::has_table(self.base.storage(), TABLE)
    }

    pub(in crate::flows) fn write(&self, login: &Login) -> Result<(), Failure> {
        let until = self.base.outside().now().plus(LIFE);
        let state = hash(&login.connecting.state);
        let value = serde_json::to_value(login).unwrap_or_default();
        let sealed = sealed::seal(
            self.base.outside(),
            login_secret(&self.base.id().to_string(), &state),
            &value,
        )?;
        sql::run(self.base.storage(), SCHEMA, &[])?;
        let values = [
            state.into(),
            sealed.unwrap_or_default().into(),
            until.as_millis().into(),
        ];
        self.base.storage().exec(
            "INSERT INTO login (state, sealed, until) VALUES (?, ?, ?)",
            &values,
        )?;
        let statement = "DELETE FROM login WHERE state NOT IN (SELECT state FROM login ORDER BY until DESC LIMIT ?)";
        self.base.storage().exec(statement, &[MOST.into()])?;
        Ok(())
    }

    /// Reads and deletes the login of this `state`. If another browser or integration asks, it is kept for the browser that
    /// began it.
    pub(in crate::flows) fn take(
        &self,
        state: &str,
        browser: &str,
        integration: &str,
    ) -> Result<Option<Login>, Failure> {
        if !self.is_there()? {
            return Ok(None);
        }
        let state = hash(state);
        let values: [SqlValue; 2] = [
            state.as_str().into(),
            self.base.outside().now().as_millis().into(),
        ];
        let statement = "SELECT sealed FROM login WHERE state = ? AND until > ?";
        let Some(text) = sql::one::<String>(self.base.storage(), statement, &values)? else {
            return Ok(None);
        };
        let opened = sealed::open(
            self.base.outside(),
            login_secret(&self.base.id().to_string(), &state),
            &text,
        )?;
        let login: Option<Login> = typed::read(&opened).ok();
        let own = login.filter(|login| {
            crypto::constant_time_eq(login.connecting.browser.as_bytes(), browser.as_bytes())
                && login.connecting.integration == integration
        });
        if own.is_some() {
            self.base.storage().exec(
                "DELETE FROM login WHERE state = ?",
                &[state.as_str().into()],
            )?;
        }
        Ok(own)
    }

    /// When the next login expires.
    fn next_end(&self) -> Result<Option<Timestamp>, StorageFault> {
        if !self.is_there()? {
            return Ok(None);
        }
        sql::one(self.base.storage(), "SELECT MIN(until) FROM login", &[])
    }
}

impl<O: Outside, S: Storage> Stored for LoginStore<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        if !self.is_there()? {
            return Ok(());
        }
        let now = self.base.outside().now().as_millis();
        let statement = "DELETE FROM login WHERE until <= ?";
        sql::run(self.base.storage(), statement, &[now.into()])
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        Ok(self.next_end()?)
    }

    fn reseal(&self) -> Result<(), Failure> {
        let statement = "SELECT state, sealed FROM login";
        if !self.is_there()? {
            return Ok(());
        }
        let id = self.base.id().to_string();
        let rows: Vec<(String, String)> = sql::rows_as(self.base.storage(), statement, &[])?;
        for (state, text) in rows {
            let place = login_secret(&id, &state);
            // A login that cannot be decrypted expires within ten minutes.
            if let Ok(Some(new)) = sealed::resealed(self.base.outside(), place, Some(&text)) {
                let statement = "UPDATE login SET sealed = ? WHERE state = ?";
                sql::run(self.base.storage(), statement, &[new.into(), state.into()])?;
            }
        }
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        Ok(self.next_end()?.is_none())
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        sql::clear(self.base.storage(), TABLE)
    }

    fn reset(&self) {}
}

fn hash(state: &str) -> String {
    crypto::sha256_hex(state.as_bytes())
}

fn login_secret<'a>(id: &'a str, state: &'a str) -> SealPlace<'a> {
    SealPlace {
        kind: SealKind::Account,
        id,
        field: state,
    }
}
