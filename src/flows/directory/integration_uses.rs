//! The environments that install an integration. The root notes them before an install is created, so that no
//! integration is deleted under an install. A note without an install (after a restart) is removed when the integration
//! is to be deleted.

use std::time::Duration;

use serde_json::json;

use crate::error::{Code, Failure};
use crate::flows::base::records::IntegrationRecord;
use crate::flows::base::sql;
use crate::flows::config::config_cache;
use crate::flows::directory::Directory;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::send_to_environment;
use crate::ids::{EnvironmentId, IntegrationId};
use crate::ports::{Outside, Storage, StorageFault};

/// A younger note may be of an install that is being created.
const YOUNG: Duration = Duration::from_mins(1);

impl<O: Outside, S: Storage> Directory<O, S> {
    pub(in crate::flows) fn use_integration(
        &self,
        integration: IntegrationId,
        environment: EnvironmentId,
    ) -> Result<(), Failure> {
        self.find_integration(&integration.to_string())?
            .ok_or_else(|| Failure::not_found("integration"))?;
        let statement = "INSERT INTO integration_use (integration_id, environment_id, since) VALUES (?, ?, ?) \
                         ON CONFLICT (integration_id, environment_id) DO UPDATE SET since = excluded.since";
        let values = [
            integration.to_string().into(),
            environment.to_string().into(),
            self.outside.now().as_millis().into(),
        ];
        Ok(self.storage.exec(statement, &values).map(drop)?)
    }

    pub(in crate::flows) fn drop_integration(
        &self,
        integration: IntegrationId,
        environment: EnvironmentId,
    ) -> Result<(), StorageFault> {
        let statement =
            "DELETE FROM integration_use WHERE integration_id = ? AND environment_id = ?";
        self.storage
            .exec(
                statement,
                &[
                    integration.to_string().into(),
                    environment.to_string().into(),
                ],
            )
            .map(drop)
    }

    /// Deletes an integration. Refused while an environment installs it.
    pub(in crate::flows) async fn delete_integration(
        &self,
        id_or_name: &str,
    ) -> Result<IntegrationId, Failure> {
        let record = self
            .find_integration(id_or_name)?
            .ok_or_else(|| Failure::not_found("integration"))?;
        self.forget_stale_uses(record.id).await?;
        let count = self.uses(record.id)?.len();
        if count > 0 {
            return Err(Failure::new(
                Code::InUse,
                "The integration is installed: delete its installs first.",
            )
            .with_details(json!({ "environment_integrations": count })));
        }
        self.storage.exec(
            "DELETE FROM integration WHERE id = ?",
            &[record.id.to_string().into()],
        )?;
        self.mark(&config_cache::key::<IntegrationRecord>(
            &record.id.to_string(),
        ))?;
        self.publish().await;
        Ok(record.id)
    }

    async fn forget_stale_uses(&self, integration: IntegrationId) -> Result<(), Failure> {
        let old = self
            .outside
            .now()
            .as_millis()
            .saturating_sub(i64::try_from(YOUNG.as_millis()).unwrap_or(i64::MAX));
        for (environment, since) in self.uses(integration)? {
            if since > old {
                continue;
            }
            let is_there: bool = send_to_environment(
                &self.outside,
                environment,
                &EnvironmentMessage::HasInstallOf(integration),
            )
            .await?;
            if !is_there {
                self.drop_integration(integration, environment)?;
            }
        }
        Ok(())
    }

    fn uses(&self, integration: IntegrationId) -> Result<Vec<(EnvironmentId, i64)>, StorageFault> {
        let statement =
            "SELECT environment_id, since FROM integration_use WHERE integration_id = ?";
        let values = [integration.to_string().into()];
        let rows: Vec<(String, i64)> = sql::rows_as(&self.storage, statement, &values)?;
        let rows = rows.into_iter();
        let uses = rows.filter_map(|(environment, since)| Some((environment.parse().ok()?, since)));
        Ok(uses.collect())
    }

    /// Runs in an environment's directory.
    pub(in crate::flows) fn has_install_of(
        &self,
        integration: IntegrationId,
    ) -> Result<bool, StorageFault> {
        let statement = "SELECT id FROM install WHERE integration_id = ?";
        sql::exists(&self.storage, statement, &[integration.to_string().into()])
    }
}
