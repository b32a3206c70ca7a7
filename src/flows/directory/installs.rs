//! The installs of an environment: an integration that is available there, with changes.

use crate::flows::config::stored_secrets::{install_bound, override_secrets};
use serde_json::json;

use crate::config::binding::Bound;
use crate::error::{Code, Failure};
use crate::flows::base::records::{InstallRecord, ListPage, PageRequest};
use crate::flows::base::sealed;
use crate::flows::base::sql;
use crate::flows::config::config_cache;
use crate::flows::config::stored_secrets::file_bound;
use crate::flows::directory::validate_install::{Changed, StoredOverride, changed_override};
use crate::flows::directory::{Directory, table};
use crate::flows::messages::environment::InstallChange;
use crate::flows::messages::{RootMessage, WriteResult, send_to_root};
use crate::ids::{InstallId, IntegrationId};
use crate::ports::{Outside, Storage, StorageFault};

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Creates an install. An environment has one install per integration: a second request returns the first.
    pub(in crate::flows) async fn create_install(
        &self,
        record: InstallRecord,
        secrets: &Bound,
    ) -> Result<WriteResult<InstallRecord>, Failure> {
        let integration_id = record.integration_id.to_string();
        if let Some(existing) = self.install_of(&integration_id)? {
            return Ok(WriteResult {
                record: existing,
                is_new: false,
            });
        }
        let used = RootMessage::UseIntegration(record.integration_id, record.environment_id);
        send_to_root::<()>(&self.outside, &used).await?;
        // Another request may have created it while the root was asked.
        if let Some(existing) = self.install_of(&integration_id)? {
            return Ok(WriteResult {
                record: existing,
                is_new: false,
            });
        }
        let id = record.id.to_string();
        let record = InstallRecord {
            sealed: sealed::seal(&self.outside, override_secrets(&id), &secrets.to_seal())?,
            ..record
        };
        let values = [
            id.as_str().into(),
            integration_id.into(),
            sql::json(&record)?,
        ];
        self.storage.exec(
            "INSERT INTO install (id, integration_id, record) VALUES (?, ?, ?)",
            &values,
        )?;
        self.mark(&config_cache::key::<InstallRecord>(&id))?;
        self.publish().await;
        Ok(WriteResult {
            record,
            is_new: true,
        })
    }

    /// Merges a change here, without an `.await` before the write, so that concurrent changes are not lost.
    pub(in crate::flows) async fn change_install(
        &self,
        id: InstallId,
        change: InstallChange,
    ) -> Result<WriteResult<InstallRecord>, Failure> {
        let old = self
            .find_install(id)?
            .ok_or_else(|| Failure::not_found("environment integration"))?;
        let key = id.to_string();
        let stored = self.stored_override(&old)?;
        let stored = match &change.overrides {
            None => stored,
            Some(patch) => {
                let file = file_bound(&self.outside, &change.integration)?;
                let integration = Changed {
                    config: &change.integration.config,
                    secrets: &file,
                };
                changed_override(integration, &stored, patch, change.writer)?
            }
        };
        let record = InstallRecord {
            is_enabled: change.is_enabled.unwrap_or(old.is_enabled),
            show_in_catalog: change.show_in_catalog.unwrap_or(old.show_in_catalog),
            edge_calls: change.edge_calls.unwrap_or(old.edge_calls),
            version: old.version + 1,
            updated_at: self.outside.now(),
            sealed: sealed::seal(
                &self.outside,
                override_secrets(&key),
                &stored.secrets.to_seal(),
            )?,
            overrides: stored.public,
            by_admin_token: stored.trusted,
            ..old
        };
        self.storage.exec(
            "UPDATE install SET record = ? WHERE id = ?",
            &[sql::json(&record)?, key.as_str().into()],
        )?;
        self.mark(&config_cache::key::<InstallRecord>(&key))?;
        self.publish().await;
        Ok(WriteResult {
            record,
            is_new: false,
        })
    }

    /// Deletes an install. Refused while accounts are connected through it.
    pub(in crate::flows) async fn delete_install(
        &self,
        id: InstallId,
    ) -> Result<IntegrationId, Failure> {
        let record = self
            .find_install(id)?
            .ok_or_else(|| Failure::not_found("environment integration"))?;
        let key = id.to_string();
        let statement = "SELECT COUNT(*) FROM account WHERE json_extract(record, '$.environment_integration_id') = ?";
        let accounts: Option<i64> = sql::one(&self.storage, statement, &[key.as_str().into()])?;
        let accounts = accounts.unwrap_or(0);
        if accounts > 0 {
            return Err(Failure::new(
                Code::InUse,
                "Accounts are connected through this install: delete them first.",
            )
            .with_details(json!({ "integrated_accounts": accounts })));
        }
        self.storage
            .exec("DELETE FROM install WHERE id = ?", &[key.as_str().into()])?;
        self.delete_clients(&key)?;
        self.mark(&config_cache::key::<InstallRecord>(&key))?;
        self.publish().await;
        // If the message is lost, the root corrects its note when the integration is to be deleted.
        let dropped = RootMessage::DropIntegration(record.integration_id, record.environment_id);
        if let Err(failure) = send_to_root::<()>(&self.outside, &dropped).await {
            self.log("use_not_dropped", failure.code.as_str());
        }
        Ok(record.integration_id)
    }

    fn stored_override(&self, record: &InstallRecord) -> Result<StoredOverride, Failure> {
        Ok(StoredOverride {
            public: record.overrides.clone(),
            secrets: install_bound(&self.outside, record)?,
            trusted: record.by_admin_token.clone(),
        })
    }

    fn install_of(&self, integration_id: &str) -> Result<Option<InstallRecord>, StorageFault> {
        sql::record(
            &self.storage,
            "SELECT record FROM install WHERE integration_id = ?",
            &[integration_id.into()],
        )
    }

    pub(in crate::flows) fn find_install(
        &self,
        id: InstallId,
    ) -> Result<Option<InstallRecord>, StorageFault> {
        sql::record(
            &self.storage,
            "SELECT record FROM install WHERE id = ?",
            &[id.to_string().into()],
        )
    }

    pub(in crate::flows) fn list_installs(
        &self,
        page: &PageRequest,
    ) -> Result<ListPage<InstallRecord>, StorageFault> {
        table::list(&self.storage, "install", &[], page)
    }
}
