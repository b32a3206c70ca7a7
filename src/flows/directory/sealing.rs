//! Rotates the master key: re-encrypts everything sealed with the first of `SEALING_KEYS`. By its alarm, the root
//! visits the integrations, environments, installs and accounts, and notes its progress, so that a restart continues
//! from there.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use serde::de::DeserializeOwned;

use crate::account::seal;
use crate::error::Failure;
use crate::flows::base::records::{
    AccountEntry, EnvironmentRecord, InstallRecord, IntegrationRecord, PageRequest,
};
use crate::flows::base::sealed;
use crate::flows::base::sql;
use crate::flows::config::config_cache;
use crate::flows::config::stored_secrets::file_secrets;
use crate::flows::config::stored_secrets::override_secrets;
use crate::flows::directory::{Directory, DirectoryName, table};
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::{Resealed, Sealing, send_to_account, send_to_environment};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};

/// How long one alarm works.
const ALARM_TIME: Duration = Duration::from_secs(30);
/// The wait before the next alarm while work is left.
const NEXT: Duration = Duration::from_secs(1);
/// Accounts of one step, and in parallel.
const STEP: usize = 200;
const AT_ONCE: usize = 24;

type Counts = BTreeMap<String, u64>;

/// The progress of a rotation: the current environment, and the last account there.
struct RotationPosition {
    environment: Option<String>,
    account: Option<String>,
    failed: i64,
}

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Starts a rotation. What is sealed with the first key already is skipped.
    pub(in crate::flows) async fn start_rotation(&self) -> Result<(), Failure> {
        self.outside.settings().keyring()?;
        self.storage.exec("DELETE FROM rotation", &[])?;
        self.storage.exec(
            "INSERT INTO rotation (one, environment, account, failed) VALUES (1, NULL, NULL, 0)",
            &[],
        )?;
        self.wake_by(NEXT).await;
        Ok(())
    }

    /// Continues a rotation. Returns whether none is left.
    pub(in crate::flows) async fn rotate(&self) -> bool {
        if self.name != DirectoryName::Root {
            return true;
        }
        let until = self.outside.now().plus(ALARM_TIME);
        loop {
            match self.rotate_step().await {
                Ok(true) => return true,
                Ok(false) if self.outside.now() < until => {}
                Ok(false) => break,
                Err(failure) => {
                    self.log("rotation_interrupted", failure.code.as_str());
                    return false;
                }
            }
        }
        self.wake_by(NEXT).await;
        false
    }

    async fn rotate_step(&self) -> Result<bool, Failure> {
        let Some(place) = self.rotation()? else {
            return Ok(true);
        };
        let Some(current) = place.environment.clone() else {
            self.reseal_integrations()?;
            return self
                .enter_environment_after(String::new(), place.failed)
                .await;
        };
        let Ok(id) = current.parse() else {
            return self.enter_environment_after(current, place.failed).await;
        };
        let done: Resealed = send_to_environment(
            &self.outside,
            id,
            &EnvironmentMessage::Reseal(place.account),
        )
        .await?;
        let failed = place.failed + i64::try_from(done.failed).unwrap_or(i64::MAX);
        match done.next {
            Some(account) => self
                .note_progress(Some(current), Some(account), failed)
                .map(|()| false)
                .map_err(Into::into),
            None => self.enter_environment_after(current, failed).await,
        }
    }

    /// Continues with the next environment. After the last one the rotation ends, or starts again for accounts that
    /// failed.
    async fn enter_environment_after(&self, current: String, failed: i64) -> Result<bool, Failure> {
        let page = PageRequest {
            limit: 1,
            after: Some(current),
            filters: Vec::new(),
        };
        let found = table::list::<EnvironmentRecord>(&self.storage, "environment", &[], &page)?;
        match found.result.first() {
            Some(environment) => {
                self.note_progress(Some(environment.id.to_string()), None, failed)?;
            }
            None if failed > 0 => {
                self.log(
                    "rotation_incomplete",
                    &format!("{failed} accounts could not be re-sealed; the rotation starts again"),
                );
                self.note_progress(None, None, 0)?;
                self.publish().await;
                return Err(Failure::storage());
            }
            None => drop(self.storage.exec("DELETE FROM rotation", &[])?),
        }
        self.publish().await;
        Ok(false)
    }

    fn rotation(&self) -> Result<Option<RotationPosition>, StorageFault> {
        let statement = "SELECT environment, account, failed FROM rotation";
        let row = sql::first(&self.storage, statement, &[])?;
        Ok(row.map(|(environment, account, failed)| RotationPosition {
            environment,
            account,
            failed,
        }))
    }

    fn note_progress(
        &self,
        environment: Option<String>,
        account: Option<String>,
        failed: i64,
    ) -> Result<(), StorageFault> {
        let text = |value: Option<String>| value.map_or(SqlValue::Null, SqlValue::Text);
        let values = [text(environment), text(account), failed.into()];
        self.storage
            .exec(
                "UPDATE rotation SET environment = ?, account = ?, failed = ?",
                &values,
            )
            .map(drop)
    }

    fn reseal_integrations(&self) -> Result<(), Failure> {
        self.for_each_record::<IntegrationRecord>("integration", |record| {
            let id = record.id.to_string();
            if let Some(new) =
                sealed::resealed(&self.outside, file_secrets(&id), record.sealed.as_deref())?
            {
                let record = IntegrationRecord {
                    sealed: Some(new),
                    ..record
                };
                self.storage.exec(
                    "UPDATE integration SET record = ? WHERE id = ?",
                    &[sql::json(&record)?, id.as_str().into()],
                )?;
                self.mark(&config_cache::key::<IntegrationRecord>(&id))?;
            }
            Ok(())
        })
    }

    /// Runs in an environment's directory: re-seals its records in the first step, and some accounts in every step.
    pub(in crate::flows) async fn reseal_environment(
        &self,
        after: Option<String>,
    ) -> Result<Resealed, Failure> {
        if after.is_none() {
            self.reseal_installs()?;
            self.reseal_links()?;
            self.reseal_clients()?;
            self.reseal_webhooks()?;
            self.reseal_index_key()?;
            self.publish().await;
        }
        let page = PageRequest {
            limit: STEP,
            after,
            filters: Vec::new(),
        };
        let entries = table::list::<AccountEntry>(&self.storage, "account", &[], &page)?;
        let outcomes = stream::iter(entries.result).map(|entry| self.reseal_account(entry));
        let failed = outcomes
            .buffered(AT_ONCE)
            .filter(|done| std::future::ready(!done))
            .count()
            .await;
        Ok(Resealed {
            next: entries.next_cursor,
            failed: failed as u64,
        })
    }

    fn reseal_installs(&self) -> Result<(), Failure> {
        self.for_each_record::<InstallRecord>("install", |record| {
            let id = record.id.to_string();
            if let Some(new) = sealed::resealed(
                &self.outside,
                override_secrets(&id),
                record.sealed.as_deref(),
            )? {
                let record = InstallRecord {
                    sealed: Some(new),
                    ..record
                };
                self.storage.exec(
                    "UPDATE install SET record = ? WHERE id = ?",
                    &[sql::json(&record)?, id.as_str().into()],
                )?;
                self.mark(&config_cache::key::<InstallRecord>(&id))?;
            }
            Ok(())
        })
    }

    /// The index gets the new key id only after the account has answered.
    async fn reseal_account(&self, entry: AccountEntry) -> bool {
        match send_to_account::<Option<String>>(&self.outside, entry.id, &AccountMessage::Reseal)
            .await
        {
            Ok(sealing_key) => self.note_key(&entry, sealing_key).is_ok(),
            Err(failure) if failure.code == crate::error::Code::NotFound => true,
            Err(failure) => {
                self.log(
                    "account_not_resealed",
                    &format!("{}: {}", entry.id, failure.code.as_str()),
                );
                false
            }
        }
    }

    /// Sets only the key id: the entry may have changed while the account was asked.
    fn note_key(
        &self,
        entry: &AccountEntry,
        sealing_key: Option<String>,
    ) -> Result<(), StorageFault> {
        let key = sealing_key.map_or(SqlValue::Null, SqlValue::Text);
        let statement =
            "UPDATE account SET record = json_set(record, '$.sealing_key', ?) WHERE id = ?";
        self.storage
            .exec(statement, &[key, entry.id.to_string().into()])
            .map(drop)
    }

    /// Counts the sealed values per key, everywhere.
    pub(in crate::flows) async fn count_all_sealed(&self) -> Result<Sealing, Failure> {
        let mut counts = Counts::new();
        let ring = self.outside.settings().keyring()?;
        counts.extend(ring.ids().map(|id| (id.to_owned(), 0)));
        self.count_records(&mut counts, "integration")?;
        let mut page = first_page();
        loop {
            let environments =
                table::list::<EnvironmentRecord>(&self.storage, "environment", &[], &page)?;
            for environment in environments.result {
                let message = EnvironmentMessage::CountSealed;
                let here: Counts =
                    send_to_environment(&self.outside, environment.id, &message).await?;
                for (id, count) in here {
                    add(&mut counts, Some(&id), count);
                }
            }
            page.after = environments.next_cursor;
            if page.after.is_none() {
                break;
            }
        }
        Ok(Sealing {
            counts,
            is_rotating: self.rotation()?.is_some(),
        })
    }

    /// Counts the sealed values of one environment: its records, and its accounts by the index.
    pub(in crate::flows) fn count_sealed_here(&self) -> Result<Counts, Failure> {
        let mut counts = Counts::new();
        self.count_records(&mut counts, "install")?;
        self.count_records(&mut counts, "webhook")?;
        let index_key = self.sealed_index_key()?;
        add(&mut counts, index_key.as_deref().map(seal::key_id), 1);
        for keys in [
            "SELECT sealing_key, COUNT(*) FROM link_token GROUP BY 1",
            "SELECT sealing_key, COUNT(*) FROM oauth_client GROUP BY 1",
            "SELECT json_extract(record, '$.sealing_key'), COUNT(*) FROM account GROUP BY 1",
        ] {
            self.count_keys(&mut counts, keys)?;
        }
        Ok(counts)
    }

    /// Counts by the key id at the start of a record's sealed text, without reading the record.
    fn count_records(&self, counts: &mut Counts, table: &str) -> Result<(), StorageFault> {
        let statement = format!(
            "SELECT substr(sealed, 1, instr(sealed, '.') - 1), COUNT(*) FROM \
             (SELECT json_extract(record, '$.sealed') AS sealed FROM {table}) GROUP BY 1"
        );
        self.count_keys(counts, &statement)
    }

    /// Adds the key ids and counts that a statement returns.
    fn count_keys(&self, counts: &mut Counts, statement: &str) -> Result<(), StorageFault> {
        let counted: Vec<(Option<String>, u64)> = sql::rows_as(&self.storage, statement, &[])?;
        for (key, count) in counted {
            add(counts, key.as_deref(), count);
        }
        Ok(())
    }

    /// Calls `each` with every record of a table, page by page.
    pub(in crate::flows) fn for_each_record<T: DeserializeOwned>(
        &self,
        table: &str,
        mut each: impl FnMut(T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut page = first_page();
        loop {
            let records = table::list::<T>(&self.storage, table, &[], &page)?;
            records.result.into_iter().try_for_each(&mut each)?;
            page.after = records.next_cursor;
            if page.after.is_none() {
                return Ok(());
            }
        }
    }
}

fn first_page() -> PageRequest {
    PageRequest {
        limit: STEP,
        after: None,
        filters: Vec::new(),
    }
}

fn add(counts: &mut Counts, id: Option<&str>, count: u64) {
    if let Some(id) = id {
        *counts.entry(id.to_owned()).or_default() += count;
    }
}
