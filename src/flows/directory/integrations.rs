//! The integrations, in the root directory. The sender has read and checked the file.

use crate::flows::config::stored_secrets::{file_bound, file_secrets};
use serde_json::{Value, json};

use crate::config;
use crate::config::binding::Bound;
use crate::error::Failure;
use crate::flows::base::records::{IntegrationRecord, ListPage, PageRequest};
use crate::flows::base::sealed;
use crate::flows::base::sql;
use crate::flows::config::config_cache;
use crate::flows::config::secret_binding as bind;
use crate::flows::directory::validate_integration::checked_file;
use crate::flows::directory::{Directory, table};
use crate::flows::messages::category::Category;
use crate::flows::messages::{IntegrationFile, Saving, WriteResult};
use crate::ids::IntegrationId;
use crate::json;
use crate::ports::{Outside, Storage, StorageFault};

/// A table of the categories, by name.
const CATEGORIES: &str = "(SELECT id, json_object('name', id, 'label', \
    UPPER(SUBSTR(id, 1, 1)) || REPLACE(REPLACE(SUBSTR(id, 2), '_', ' '), '-', ' '), \
    'created_at', MIN(created_at), 'updated_at', MAX(updated_at)) AS record FROM ( \
    SELECT json_extract(record, '$.category') AS id, json_extract(record, '$.created_at') AS created_at, \
    json_extract(record, '$.updated_at') AS updated_at FROM integration) GROUP BY id)";

impl<O: Outside, S: Storage> Directory<O, S> {
    pub(in crate::flows) async fn save_integration(
        &self,
        saving: Saving,
        file: IntegrationFile,
    ) -> Result<WriteResult<IntegrationRecord>, Failure> {
        let existing = self.integration_by("name", &file.name)?;
        let written = match existing {
            None => self.insert_integration(file)?,
            Some(_) if saving == Saving::Create => {
                return Err(Failure::duplicate("integration", &file.name));
            }
            Some(old) => self.replace_integration(old, file)?,
        };
        self.publish().await;
        Ok(written)
    }

    pub(in crate::flows) fn find_integration(
        &self,
        id_or_name: &str,
    ) -> Result<Option<IntegrationRecord>, StorageFault> {
        let by_id = match id_or_name.parse::<IntegrationId>() {
            Ok(id) => self.integration_by("id", &id.to_string())?,
            Err(_) => None,
        };
        by_id.map_or_else(
            || self.integration_by("name", id_or_name),
            |record| Ok(Some(record)),
        )
    }

    pub(in crate::flows) fn list_integrations(
        &self,
        page: &PageRequest,
    ) -> Result<ListPage<IntegrationRecord>, StorageFault> {
        table::list(&self.storage, "integration", &[], page)
    }

    /// The categories are read from the records of the integrations.
    pub(in crate::flows) fn list_categories(
        &self,
        page: &PageRequest,
    ) -> Result<ListPage<Category>, StorageFault> {
        table::list(&self.storage, CATEGORIES, &[], page)
    }

    /// Merges the patch into the whole file, its secrets included, and checks the result like any other file. So a null
    /// removes a secret.
    pub(in crate::flows) async fn change_integration(
        &self,
        key: &str,
        version: u64,
        patch: &Value,
    ) -> Result<WriteResult<IntegrationRecord>, Failure> {
        let old = self
            .find_integration(key)?
            .ok_or_else(|| Failure::not_found("integration"))?;
        if old.version != version {
            return Err(Failure::version_mismatch(old.version));
        }
        let mut file = json!({ "name": old.name, "category": old.category, "is_beta": old.is_beta, "config": self.whole_config(&old)? });
        json::merge(&mut file, patch);
        if file.get("name").and_then(Value::as_str) != Some(&old.name) {
            return Err(Failure::invalid(
                "name",
                "cannot be changed: installs and URLs refer to it",
            ));
        }
        let (file, _) = checked_file(&file)?;
        let mut new_config = patch.get("config").cloned().unwrap_or_default();
        config::normalise(&mut new_config);
        let secrets = file.secrets.clone();
        let bound = bind::file(
            Some((&old.config, &file_bound(&self.outside, &old)?)),
            &file.config,
            secrets,
            &new_config,
        )?;
        let record = self.store_integration(old, file, &bound)?;
        self.publish().await;
        Ok(WriteResult {
            record,
            is_new: false,
        })
    }

    fn whole_config(&self, record: &IntegrationRecord) -> Result<Value, Failure> {
        let mut config = record.config.clone();
        let secrets = file_bound(&self.outside, record)?.secrets;
        if secrets.is_object() {
            json::merge(&mut config, &secrets);
        }
        Ok(config)
    }

    fn insert_integration(
        &self,
        file: IntegrationFile,
    ) -> Result<WriteResult<IntegrationRecord>, Failure> {
        let now = self.outside.now();
        let id = IntegrationId::new(now, self.outside.random());
        let bound = bind::file(None, &file.config, file.secrets.clone(), &file.secrets)?;
        let record = IntegrationRecord {
            id,
            name: file.name,
            category: file.category,
            is_beta: file.is_beta,
            version: 1,
            config: file.config,
            created_at: now,
            updated_at: now,
            sealed: self.seal_file(id, &bound)?,
        };
        let values = [
            id.to_string().into(),
            record.name.as_str().into(),
            sql::json(&record)?,
        ];
        self.storage.exec(
            "INSERT INTO integration (id, name, record) VALUES (?, ?, ?)",
            &values,
        )?;
        self.mark(&config_cache::key::<IntegrationRecord>(&id.to_string()))?;
        Ok(WriteResult {
            record,
            is_new: true,
        })
    }

    fn replace_integration(
        &self,
        old: IntegrationRecord,
        file: IntegrationFile,
    ) -> Result<WriteResult<IntegrationRecord>, Failure> {
        let before = file_bound(&self.outside, &old)?;
        let retained = sealed::retained(&before.secrets, &file.config);
        let secrets = sealed::merged(retained, &file.secrets);
        let bound = bind::file(
            Some((&old.config, &before)),
            &file.config,
            secrets,
            &file.secrets,
        )?;
        let record = self.store_integration(old, file, &bound)?;
        Ok(WriteResult {
            record,
            is_new: false,
        })
    }

    fn store_integration(
        &self,
        old: IntegrationRecord,
        file: IntegrationFile,
        secrets: &Bound,
    ) -> Result<IntegrationRecord, Failure> {
        let record = IntegrationRecord {
            category: file.category,
            is_beta: file.is_beta,
            version: old.version + 1,
            config: file.config,
            updated_at: self.outside.now(),
            sealed: self.seal_file(old.id, secrets)?,
            ..old
        };
        let values = [sql::json(&record)?, record.id.to_string().into()];
        self.storage
            .exec("UPDATE integration SET record = ? WHERE id = ?", &values)?;
        self.mark(&config_cache::key::<IntegrationRecord>(
            &record.id.to_string(),
        ))?;
        Ok(record)
    }

    fn seal_file(&self, id: IntegrationId, secrets: &Bound) -> Result<Option<String>, Failure> {
        let secrets = secrets.to_seal();
        sealed::seal(&self.outside, file_secrets(&id.to_string()), &secrets)
    }

    fn integration_by(
        &self,
        column: &str,
        value: &str,
    ) -> Result<Option<IntegrationRecord>, StorageFault> {
        let statement = format!("SELECT record FROM integration WHERE {column} = ?");
        sql::record(&self.storage, &statement, &[value.into()])
    }
}
