//! Environments, in the root directory.

use serde_json::{Value, json};

use crate::error::{Code, Failure};
use crate::flows::base::records::{ApplicationNames, EnvironmentRecord, ListPage, PageRequest};
use crate::flows::base::sql;
use crate::flows::directory::{Directory, DirectoryName, LATER, table};
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::{EnvironmentChange, send_to_environment};
use crate::ids::EnvironmentId;
use crate::json::{self, typed};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};

/// Applies a patch (RFC 7396): what is absent stays, null removes.
fn changed(application: &ApplicationNames, patch: &Value) -> ApplicationNames {
    let mut changed = serde_json::to_value(application).unwrap_or_default();
    json::merge(&mut changed, patch);
    typed::read(&changed).unwrap_or_default()
}

const ALL: PageRequest = PageRequest {
    limit: 1_000,
    after: None,
    filters: Vec::new(),
};

impl<O: Outside, S: Storage> Directory<O, S> {
    pub(in crate::flows) fn create_environment(
        &self,
        record: &EnvironmentRecord,
    ) -> Result<EnvironmentRecord, Failure> {
        self.check_environment_name(&record.name, None)?;
        let values = [
            record.id.to_string().into(),
            record.name.as_str().into(),
            sql::json(record)?,
        ];
        self.storage.exec(
            "INSERT INTO environment (id, name, record) VALUES (?, ?, ?)",
            &values,
        )?;
        Ok(record.clone())
    }

    pub(in crate::flows) fn list_environments(
        &self,
        page: &PageRequest,
    ) -> Result<ListPage<EnvironmentRecord>, StorageFault> {
        table::list(
            &self.storage,
            "environment",
            &[("is_closing = ?", vec![SqlValue::Integer(0)])],
            page,
        )
    }

    pub(in crate::flows) fn find_environment(
        &self,
        id: EnvironmentId,
    ) -> Result<Option<EnvironmentRecord>, StorageFault> {
        let statement = "SELECT record FROM environment WHERE id = ? AND is_closing = 0";
        sql::record(&self.storage, statement, &[id.to_string().into()])
    }

    pub(in crate::flows) fn change_environment(
        &self,
        change: EnvironmentChange,
    ) -> Result<EnvironmentRecord, Failure> {
        let mut record = self
            .find_environment(change.id)?
            .ok_or_else(|| Failure::not_found("environment"))?;
        if let Some(name) = change.name {
            self.check_environment_name(&name, Some(change.id))?;
            record.name = name;
        }
        if let Some(origins) = change.allowed_redirect_origins {
            record.allowed_redirect_origins = origins;
        }
        record.application = changed(&record.application, &change.application);
        record.updated_at = self.outside.now();
        let values = [
            record.name.as_str().into(),
            sql::json(&record)?,
            record.id.to_string().into(),
        ];
        self.storage.exec(
            "UPDATE environment SET name = ?, record = ? WHERE id = ?",
            &values,
        )?;
        Ok(record)
    }

    /// Hides the environment, lets its directory erase itself if it is empty, then deletes the record. The alarm
    /// finishes what a restart interrupts. A refusal makes the environment visible again.
    pub(in crate::flows) async fn delete_environment(
        &self,
        id: EnvironmentId,
    ) -> Result<(), Failure> {
        self.find_environment(id)?
            .ok_or_else(|| Failure::not_found("environment"))?;
        self.set_closing(id, 1)?;
        self.wake_by(LATER).await;
        self.close_environment(id).await
    }

    /// Finishes interrupted deletions. Returns whether none is left.
    pub(in crate::flows) async fn finish_closing(&self) -> bool {
        if self.name != DirectoryName::Root {
            return true;
        }
        let closing = table::list::<EnvironmentRecord>(
            &self.storage,
            "environment",
            &[("is_closing = ?", vec![SqlValue::Integer(1)])],
            &ALL,
        );
        let Ok(closing) = closing else { return false };
        for record in closing.result {
            if let Err(failure) = self.close_environment(record.id).await {
                self.log("environment_not_closed", failure.code.as_str());
            }
        }
        table::count(&self.storage, "environment WHERE is_closing = 1") == Ok(0)
    }

    async fn close_environment(&self, id: EnvironmentId) -> Result<(), Failure> {
        match send_to_environment::<()>(&self.outside, id, &EnvironmentMessage::Close).await {
            Ok(()) => {
                let id = || [id.to_string().into()];
                self.storage.exec(
                    "DELETE FROM integration_use WHERE environment_id = ?",
                    &id(),
                )?;
                self.storage
                    .exec("DELETE FROM environment WHERE id = ?", &id())?;
                Ok(())
            }
            Err(failure) => {
                self.set_closing(id, 0)?;
                Err(failure)
            }
        }
    }

    /// Runs in the environment's own directory: erases it if it is empty, and refuses writes until then.
    pub(in crate::flows) async fn close(&self) -> Result<(), Failure> {
        self.closings.set(self.closings.get() + 1);
        self.check_empty()?;
        self.is_closing.set(true);
        let closed = self.erase_empty().await;
        self.is_closing.set(false);
        closed
    }

    async fn erase_empty(&self) -> Result<(), Failure> {
        self.revoke_all_tokens().await?;
        self.check_empty()?;
        self.is_open.set(false);
        self.storage.erase().await?;
        self.alarm.forget();
        Ok(())
    }

    fn check_empty(&self) -> Result<(), Failure> {
        let installs = table::count(&self.storage, "install")?;
        let accounts = table::count(&self.storage, "account")?;
        if installs + accounts == 0 {
            return Ok(());
        }
        Err(Failure::new(
            Code::InUse,
            "The environment is not empty: delete its accounts and installs first.",
        )
        .with_details(
            json!({ "environment_integrations": installs, "integrated_accounts": accounts }),
        ))
    }

    fn set_closing(&self, id: EnvironmentId, is_closing: i64) -> Result<(), StorageFault> {
        let values = [is_closing.into(), id.to_string().into()];
        self.storage
            .exec(
                "UPDATE environment SET is_closing = ? WHERE id = ?",
                &values,
            )
            .map(drop)
    }

    fn check_environment_name(
        &self,
        name: &str,
        own: Option<EnvironmentId>,
    ) -> Result<(), Failure> {
        let own = own.map(|id| id.to_string()).unwrap_or_default();
        let statement = "SELECT id FROM environment WHERE name = ? AND id <> ?";
        if sql::exists(&self.storage, statement, &[name.into(), own.into()])? {
            return Err(Failure::duplicate("environment", name));
        }
        Ok(())
    }
}
