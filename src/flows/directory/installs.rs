//! Installs of an environment: an integration made available there, with changes.

use serde_json::Value;

use super::{Directory, table};
use crate::account::seal::{Kind, Place};
use crate::error::Failure;
use crate::flows::ask::Written;
use crate::flows::published;
use crate::flows::records::{InstallRecord, Listed, Page};
use crate::flows::sealed;
use crate::ids::InstallId;
use crate::ports::{Outside, Storage, StorageFault};

impl<O: Outside, S: Storage> Directory<O, S> {
    /// One install per integration: a second one gives the first.
    pub(super) async fn create_install(
        &self,
        record: InstallRecord,
        secrets: &Value,
    ) -> Result<Written<InstallRecord>, Failure> {
        let integration_id = record.integration_id.to_string();
        let rows = self.storage.exec(
            "SELECT record FROM install WHERE integration_id = ?",
            &[integration_id.as_str().into()],
        )?;
        if let Some(existing) = table::first(&rows)? {
            return Ok(Written {
                record: existing,
                is_new: false,
            });
        }
        let id = record.id.to_string();
        let record = InstallRecord {
            sealed: sealed::seal(&self.outside, override_secrets(&id), secrets)?,
            ..record
        };
        let values = [
            id.as_str().into(),
            integration_id.into(),
            table::text_of(&record)?,
        ];
        self.storage.exec(
            "INSERT INTO install (id, integration_id, record) VALUES (?, ?, ?)",
            &values,
        )?;
        self.mark(&published::key::<InstallRecord>(&id))?;
        self.publish().await;
        Ok(Written {
            record,
            is_new: true,
        })
    }

    pub(super) fn find_install(
        &self,
        id: InstallId,
    ) -> Result<Option<InstallRecord>, StorageFault> {
        table::first(&self.storage.exec(
            "SELECT record FROM install WHERE id = ?",
            &[id.to_string().into()],
        )?)
    }

    pub(super) fn list_installs(&self, page: &Page) -> Result<Listed<InstallRecord>, StorageFault> {
        table::list(&self.storage, "install", None, page)
    }
}

/// Where the secrets of an install's override are sealed for.
pub(crate) fn override_secrets(id: &str) -> Place<'_> {
    Place {
        kind: Kind::Install,
        id,
        field: "override",
    }
}
