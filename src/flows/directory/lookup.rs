//! The lookup index: an install's webhooks find accounts by a keyed hash of one value of each account's context. The
//! key is the environment's own and is stored sealed. The values leave their region only to be hashed here.

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::{BASE64, HEXLOWER};
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};

use crate::account::seal::{SealKind, SealPlace};
use crate::crypto::{self, Hash};
use crate::error::{Code, Failure};
use crate::flows::base::records::AccountEntry;
use crate::flows::base::sealed;
use crate::flows::base::sql;
use crate::flows::directory::{Directory, DirectoryName};
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::environment::Lookup;
use crate::flows::messages::send_to_account;
use crate::ids::{AccountId, InstallId};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};

/// How long a webhook waits while the index is rebuilt for another field. Then its sender is asked to try again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Accounts in parallel.
const AT_ONCE: usize = 24;

/// An account that is indexed by another field.
struct Stale {
    account: String,
    revision: i64,
}

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Indexes an account by its lookup value.
    pub(in crate::flows) fn index_lookup(
        &self,
        entry: &AccountEntry,
        lookup: &Lookup,
    ) -> Result<(), Failure> {
        let install = entry.environment_integration_id.to_string();
        let field = lookup.field.as_deref().unwrap_or_default();
        let hash = match &lookup.value {
            Some(value) => SqlValue::Text(self.hash(&install, field, value)?),
            None => SqlValue::Null,
        };
        let statement = "INSERT INTO lookup (account_id, install_id, field, hash, revision) VALUES (?, ?, ?, ?, 1) \
                         ON CONFLICT (account_id) DO UPDATE SET install_id = excluded.install_id, field = excluded.field, \
                         hash = excluded.hash, revision = revision + 1";
        let values = [
            entry.id.to_string().into(),
            install.into(),
            field.into(),
            hash,
        ];
        Ok(self.storage.exec(statement, &values).map(drop)?)
    }

    /// The accounts that have one of these values. `None` while some are indexed by another field.
    pub(in crate::flows) async fn find_accounts(
        &self,
        install: InstallId,
        field: &str,
        values: &[String],
    ) -> Result<Option<BTreeMap<String, Vec<AccountId>>>, Failure> {
        let install = install.to_string();
        if !self.renew_lookup(&install, field).await? {
            return Ok(None);
        }
        let statement =
            "SELECT account_id FROM lookup WHERE install_id = ? AND field = ? AND hash = ?";
        let mut found = BTreeMap::new();
        let key = self.index_key()?;
        for value in values {
            let hash = hash_with(&key, &install, field, value);
            let values = [install.as_str().into(), field.into(), hash.into()];
            let ids: Vec<String> = sql::column(&self.storage, statement, &values)?;
            let ids = ids.iter().filter_map(|id| id.parse().ok());
            found.insert(value.clone(), ids.collect());
        }
        Ok(Some(found))
    }

    /// Rebuilds the entries of accounts that are indexed by another field. Returns whether none is left.
    async fn renew_lookup(&self, install: &str, field: &str) -> Result<bool, Failure> {
        let until = self.outside.now().plus(PATIENCE);
        loop {
            let stale = self.stale(install, field)?;
            if stale.is_empty() {
                return Ok(true);
            }
            if self.outside.now() >= until {
                return Ok(false);
            }
            let renewed = stream::iter(stale).map(|one| self.renew_one(install, field, one));
            let outcomes: Vec<Result<bool, Failure>> = renewed.buffered(AT_ONCE).collect().await;
            let renewed = outcomes.into_iter().collect::<Result<Vec<_>, _>>();
            match renewed {
                Err(_) => return Ok(false),
                // The accounts that are left cannot be opened; they do not delay the others.
                Ok(renewed) if !renewed.contains(&true) => return Ok(true),
                Ok(_) => {}
            }
        }
    }

    /// Two ranges of the index instead of `<>`: this runs with every webhook.
    fn stale(&self, install: &str, field: &str) -> Result<Vec<Stale>, StorageFault> {
        let statement = "SELECT account_id, revision FROM lookup WHERE install_id = ?1 AND field < ?2 \
                         UNION ALL SELECT account_id, revision FROM lookup WHERE install_id = ?1 AND field > ?2 LIMIT ?3";
        let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
        let values = [install.into(), field.into(), limit.into()];
        let rows = sql::rows_as(&self.storage, statement, &values)?;
        let stale = |(account, revision)| Stale { account, revision };
        Ok(rows.into_iter().map(stale).collect())
    }

    /// Rebuilds one entry from the account's value, unless the account was indexed in the meantime. A deleted account
    /// gets no hash. Returns false for an account that cannot be opened.
    async fn renew_one(&self, install: &str, field: &str, one: Stale) -> Result<bool, Failure> {
        let message = AccountMessage::LookupValue(field.to_owned());
        let value: Option<String> = match one.account.parse::<AccountId>() {
            Ok(id) => match send_to_account(&self.outside, id, &message).await {
                Err(failure) if failure.code == Code::NotFound => None,
                Err(failure) if failure.code == Code::SealingKey => {
                    self.log("account_not_indexed", &one.account);
                    return Ok(false);
                }
                answer => answer?,
            },
            Err(_) => None,
        };
        let hash = match value {
            Some(value) => SqlValue::Text(self.hash(install, field, &value)?),
            None => SqlValue::Null,
        };
        let statement = "UPDATE lookup SET field = ?, hash = ?, revision = revision + 1 WHERE account_id = ? AND revision = ?";
        let values = [field.into(), hash, one.account.into(), one.revision.into()];
        self.storage.exec(statement, &values)?;
        Ok(true)
    }

    fn hash(&self, install: &str, field: &str, value: &str) -> Result<String, Failure> {
        Ok(hash_with(&self.index_key()?, install, field, value))
    }

    fn index_key(&self) -> Result<Vec<u8>, Failure> {
        let id = self.own_id();
        if let Some(text) = self.sealed_index_key()? {
            let opened = sealed::open(&self.outside, key_of(&id), &text)?;
            let key = opened
                .get("key")
                .and_then(Value::as_str)
                .unwrap_or_default();
            return BASE64
                .decode(key.as_bytes())
                .map_err(|_| Failure::storage());
        }
        let key: [u8; 32] = self.outside.random();
        let secret = json!({ "key": BASE64.encode(&key) });
        let text = sealed::seal(&self.outside, key_of(&id), &secret)?.unwrap_or_default();
        self.storage.exec(
            "INSERT INTO index_key (one, sealed) VALUES (1, ?)",
            &[text.into()],
        )?;
        Ok(key.to_vec())
    }

    /// Re-encrypts the key of the index with the first master key.
    pub(in crate::flows) fn reseal_index_key(&self) -> Result<(), Failure> {
        let id = self.own_id();
        let text = self.sealed_index_key()?;
        if let Some(new) = sealed::resealed(&self.outside, key_of(&id), text.as_deref())? {
            self.storage
                .exec("UPDATE index_key SET sealed = ?", &[new.into()])?;
        }
        Ok(())
    }

    /// The sealed key. `None` where no account was ever indexed.
    pub(in crate::flows) fn sealed_index_key(&self) -> Result<Option<String>, StorageFault> {
        sql::one(&self.storage, "SELECT sealed FROM index_key", &[])
    }

    fn own_id(&self) -> String {
        match self.name {
            DirectoryName::Root => String::new(),
            DirectoryName::Environment(id) => id.to_string(),
        }
    }
}

fn hash_with(key: &[u8], install: &str, field: &str, value: &str) -> String {
    let text = format!("{install}\0{field}\0{value}");
    HEXLOWER.encode(&crypto::hmac(Hash::Sha256, key, text.as_bytes()))
}

fn key_of(id: &str) -> SealPlace<'_> {
    SealPlace {
        kind: SealKind::Index,
        id,
        field: "key",
    }
}
