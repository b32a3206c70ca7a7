//! The one row an account's storage holds: the record as it counts, its sealed secrets, and the change
//! that counts once the `Directory` has answered. The OAuth token has a row of its own, so that storing
//! a new one waits for nothing; events are stored in the same write as the change they tell of.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::Account;
use crate::account::origin::Origins;
use crate::account::seal::{Kind, Place, key_id};
use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::account_object::AccountObject;
use crate::flows::account_object::events::Event;
use crate::flows::account_object::oauth_token::StoredToken;
use crate::flows::base::sealed;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS account \
    (one INTEGER PRIMARY KEY CHECK (one = 1), record TEXT, sealed TEXT, pending TEXT)";

/// A change on its way: stored here first, then in the index, then it counts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::flows) enum Pending {
    /// A new account.
    VerifiedWebhook(Box<Next>),
    /// As it will be.
    Change(Box<Next>),
    /// Nothing is left but to leave the index of this environment.
    Delete(EnvironmentId),
}

/// An account as it will be, its secrets sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::flows) struct Next {
    pub(in crate::flows) account: Account,
    pub(in crate::flows) sealed: Option<String>,
    /// What becomes of the OAuth token.
    pub(in crate::flows) token: NextToken,
    /// The id of the key its secrets rest under.
    pub(in crate::flows) sealing_key: Option<String>,
    /// What is left to do before it is active.
    pub(in crate::flows) set_up: Option<SetUp>,
    /// What is told of it.
    pub(in crate::flows) events: Vec<Event>,
    /// The hash of the link token that is spent with it.
    pub(in crate::flows) link: Option<String>,
    /// Who set what of its context.
    #[serde(default)]
    pub(in crate::flows) origins: Origins,
}

/// What a change does to the OAuth token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::flows) enum NextToken {
    /// It stays as it is by then: it may be refreshed meanwhile.
    Stays,
    /// There is none any more.
    Goes,
    /// A new one, sealed.
    Is(String),
}

/// A stored credential whose lifecycle actions have not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::flows) struct SetUp {
    /// The status before; nothing for a new account.
    pub(in crate::flows) before: Option<Status>,
    /// By what an account that was active goes on being found meanwhile, sealed.
    #[serde(default)]
    pub(in crate::flows) found_by: Option<String>,
}

impl SetUp {
    /// The id of the key that is sealed under.
    pub(in crate::flows) fn sealing_key(&self) -> Option<String> {
        self.found_by.as_deref().map(|text| key_id(text).to_owned())
    }
}

/// What is stored of an account in clear.
#[derive(Serialize, Deserialize)]
struct Record<A> {
    #[serde(flatten)]
    account: A,
    set_up: Option<SetUp>,
    /// Absent in records from before there were any.
    #[serde(default)]
    origins: Origins,
}

/// The row as it was read.
pub(in crate::flows) struct AccountRow {
    pub(in crate::flows) account: Option<Account>,
    pub(in crate::flows) secrets: Value,
    pub(in crate::flows) sealed: Option<String>,
    pub(in crate::flows) token: Option<StoredToken>,
    pub(in crate::flows) set_up: Option<SetUp>,
    pub(in crate::flows) origins: Origins,
    pub(in crate::flows) pending: Option<Pending>,
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// The row; `None` when this storage never held one.
    pub(in crate::flows) fn read_row(&self) -> Result<Option<AccountRow>, Failure> {
        if !self.has_table("account")? {
            return Ok(None);
        }
        let rows = self.storage.exec(
            "SELECT record, sealed, pending FROM account WHERE one = 1",
            &[],
        )?;
        let Some([record, sealed, pending]) = rows.first().map(Vec::as_slice) else {
            return Ok(None);
        };
        let secrets = self.opened(sealed.as_text())?;
        let record: Option<Record<Account>> = parsed(record)?;
        let (account, set_up, origins) = match record {
            Some(record) => (Some(record.account), record.set_up, record.origins),
            None => (None, None, Origins::default()),
        };
        Ok(Some(AccountRow {
            account,
            set_up,
            origins,
            secrets,
            sealed: sealed.as_text().map(str::to_owned),
            token: self.read_token()?,
            pending: parsed(pending)?,
        }))
    }

    /// Whether a table was made. What may be asked by anybody makes none.
    pub(in crate::flows) fn has_table(&self, name: &str) -> Result<bool, StorageFault> {
        let statement = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?";
        let tables = self.storage.exec(statement, &[name.into()])?;
        Ok(!tables.is_empty())
    }

    /// Stores a new account, and the change that will make it count.
    pub(in crate::flows) fn insert_row(
        &self,
        account: &Account,
        pending: &Pending,
    ) -> Result<(), StorageFault> {
        self.storage.exec(SCHEMA, &[])?;
        let statement = "INSERT INTO account (one, record, sealed, pending) VALUES (1, ?, NULL, ?)";
        let record = Record {
            account,
            set_up: None,
            origins: Origins::default(),
        };
        self.storage
            .exec(statement, &[text_of(&record)?, text_of(pending)?])
            .map(drop)
    }

    /// Whether the index may have something that does not count.
    pub(in crate::flows) fn has_pending(&self) -> Result<bool, StorageFault> {
        let statement = "SELECT 1 FROM account WHERE pending IS NOT NULL";
        Ok(!self.storage.exec(statement, &[])?.is_empty())
    }

    /// Puts a word into the record; nothing else of the account changes. Only while no change is pending, for that would
    /// undo it.
    pub(in crate::flows) fn amend_record(
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
        self.storage.exec(statement, &[text_of(&record)?]).map(drop)
    }

    /// Notes what will count.
    pub(in crate::flows) fn note_pending(&self, pending: &Pending) -> Result<(), StorageFault> {
        self.storage
            .exec(
                "UPDATE account SET pending = ? WHERE one = 1",
                &[text_of(pending)?],
            )
            .map(drop)
    }

    /// From now on this counts, and nothing is pending.
    pub(in crate::flows) fn commit_row(&self, next: &Next) -> Result<(), Failure> {
        self.forget_unclear_by(next)?;
        let sealed = next.sealed.clone().map_or(SqlValue::Null, SqlValue::Text);
        let statement = "UPDATE account SET record = ?, sealed = ?, pending = NULL WHERE one = 1";
        let record = Record {
            account: &next.account,
            set_up: next.set_up.clone(),
            origins: next.origins.clone(),
        };
        self.storage.exec(statement, &[text_of(&record)?, sealed])?;
        match &next.token {
            NextToken::Stays => {}
            NextToken::Goes => self.drop_token()?,
            NextToken::Is(sealed) => {
                self.write_token(sealed)?;
                self.pauses.end();
            }
        }
        // The index names one key for both: the first.
        let token = self.read_token()?;
        self.reseal_token(token)?;
        Ok(self.write_events(next.account.environment_id, &next.events)?)
    }

    /// The secret half of the context, sealed for this account.
    pub(in crate::flows) fn sealed(&self, secrets: &Value) -> Result<Option<String>, Failure> {
        sealed::seal(
            &self.outside,
            context_secrets(&self.id.to_string()),
            secrets,
        )
    }

    /// What [`Self::sealed`] made.
    pub(in crate::flows) fn opened(&self, text: Option<&str>) -> Result<Value, Failure> {
        let id = self.id.to_string();
        text.map_or(Ok(Value::Null), |text| {
            sealed::open(&self.outside, context_secrets(&id), text)
        })
    }

    /// Everything of the account goes at once; only the way out of the index is left, and what is told.
    pub(in crate::flows) fn wipe_row(
        &self,
        environment: EnvironmentId,
        events: &[Event],
    ) -> Result<(), StorageFault> {
        let statement =
            "UPDATE account SET record = NULL, sealed = NULL, pending = ? WHERE one = 1";
        let pending = Pending::Delete(environment);
        self.storage.exec(statement, &[text_of(&pending)?])?;
        self.drop_token()?;
        self.forget_unclear()?;
        self.drop_logins()?;
        self.drop_unread()?;
        self.drop_kept_answers()?;
        self.drop_log()?;
        self.drop_suspicion()?;
        self.write_events(environment, events)
    }

    /// What was pending will never count, or does already.
    pub(in crate::flows) fn drop_pending(&self) -> Result<(), StorageFault> {
        let statement = "UPDATE account SET pending = NULL WHERE one = 1";
        self.storage.exec(statement, &[]).map(drop)
    }
}

pub(in crate::flows) fn context_secrets(id: &str) -> Place<'_> {
    Place {
        kind: Kind::Account,
        id,
        field: "context",
    }
}

pub(in crate::flows) fn text_of(value: &impl Serialize) -> Result<SqlValue, StorageFault> {
    serde_json::to_string(value)
        .map(SqlValue::Text)
        .map_err(|error| StorageFault(error.to_string()))
}

fn parsed<T: serde::de::DeserializeOwned>(value: &SqlValue) -> Result<Option<T>, StorageFault> {
    let parsed = value.as_text().map(serde_json::from_str).transpose();
    parsed.map_err(|error| StorageFault(format!("the account's row cannot be read: {error}")))
}
