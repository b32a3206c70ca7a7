//! The subscriptions of an environment: their targets, and whether they are paused.

use std::time::Duration;

use serde_json::{Value, json};

use crate::error::Failure;
use crate::flows::base::records::{ListPage, PageRequest, WebhookRecord};
use crate::flows::base::sql;
use crate::flows::directory::webhook_secrets as secrets;
use crate::flows::directory::{Directory, table};
use crate::flows::messages::event::WebhookChange;
use crate::ids::WebhookId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::settings::SUBSCRIPTIONS;
use crate::time::Timestamp;

/// How long every delivery may fail before the subscription is paused.
pub(in crate::flows) const PATIENCE: Duration = Duration::from_hours(5 * 24);

impl<O: Outside, S: Storage> Directory<O, S> {
    pub(in crate::flows) fn create_webhook(
        &self,
        record: WebhookRecord,
        secrets: &Value,
    ) -> Result<WebhookRecord, Failure> {
        if table::count(&self.storage, "webhook")? >= SUBSCRIPTIONS {
            let message =
                format!("exceeds the limit of {SUBSCRIPTIONS} subscriptions per environment");
            return Err(Failure::invalid("target_url", message));
        }
        let record = WebhookRecord {
            sealed: secrets::seal(&self.outside, record.id, secrets)?,
            ..record
        };
        let values = [record.id.to_string().into(), sql::json(&record)?];
        self.storage
            .exec("INSERT INTO webhook (id, record) VALUES (?, ?)", &values)?;
        Ok(record)
    }

    pub(in crate::flows) fn list_webhooks(
        &self,
        page: &PageRequest,
    ) -> Result<ListPage<WebhookRecord>, StorageFault> {
        table::list(&self.storage, "webhook", &[], page)
    }

    /// All subscriptions: there are at most [`SUBSCRIPTIONS`].
    pub(in crate::flows) fn webhooks(&self) -> Result<Vec<WebhookRecord>, Failure> {
        let mut all = Vec::new();
        self.for_each_record("webhook", |record| {
            all.push(record);
            Ok(())
        })?;
        Ok(all)
    }

    pub(in crate::flows) fn find_webhook(
        &self,
        id: WebhookId,
    ) -> Result<Option<WebhookRecord>, StorageFault> {
        let statement = "SELECT record FROM webhook WHERE id = ?";
        sql::record(&self.storage, statement, &[id.to_string().into()])
    }

    /// Changes a subscription. A new target starts without the failures of the old one. Deliveries that waited are sent
    /// once it is not paused.
    pub(in crate::flows) async fn change_webhook(
        &self,
        id: WebhookId,
        change: WebhookChange,
    ) -> Result<WebhookRecord, Failure> {
        let mut record = self.known_webhook(id)?;
        let now = self.outside.now();
        if let Some(url) = change.target_url {
            record.target_url = url;
            record.failing_since = None;
        }
        if let Some(events) = change.event_types {
            record.event_types = events.names;
        }
        match change.is_active {
            Some(true) => (record.paused_at, record.failing_since) = (None, None),
            Some(false) => record.paused_at = record.paused_at.or(Some(now)),
            None => {}
        }
        record.updated_at = now;
        self.store_webhook(&record)?;
        self.schedule_wake().await;
        Ok(record)
    }

    pub(in crate::flows) fn rotate_webhook_secret(
        &self,
        id: WebhookId,
        secret: String,
    ) -> Result<WebhookRecord, Failure> {
        let record = secrets::rotated(&self.outside, self.known_webhook(id)?, secret)?;
        self.store_webhook(&record)?;
        Ok(record)
    }

    /// Deletes a subscription, and wakes the accounts that wait for it.
    pub(in crate::flows) async fn delete_webhook(
        &self,
        id: WebhookId,
    ) -> Result<WebhookId, Failure> {
        self.known_webhook(id)?;
        self.storage
            .exec("DELETE FROM webhook WHERE id = ?", &[id.to_string().into()])?;
        self.schedule_wake().await;
        Ok(id)
    }

    /// Pauses a subscription whose deliveries have all failed for `patience`. A deleted subscription is ignored.
    pub(in crate::flows) fn note_failing(
        &self,
        id: WebhookId,
        now: Timestamp,
        patience: Duration,
    ) -> Result<(), StorageFault> {
        let Some(before) = self.find_webhook(id)? else {
            return Ok(());
        };
        let mut record = before.clone();
        let since = *record.failing_since.get_or_insert(now);
        if record.paused_at.is_none() && now.since(since) >= patience {
            record.paused_at = Some(now);
            self.outside.log(&json!({
                "level": "warn", "event": "webhook_paused", "environment_id": record.environment_id, "webhook_id": id, "failing_since": since,
            }));
        }
        if record == before {
            return Ok(());
        }
        self.store_webhook(&record)
    }

    pub(in crate::flows) fn note_working(&self, id: WebhookId) -> Result<(), StorageFault> {
        let failing = self.find_webhook(id)?;
        let failing = failing.filter(|record| record.failing_since.is_some());
        let Some(record) = failing else {
            return Ok(());
        };
        self.store_webhook(&WebhookRecord {
            failing_since: None,
            ..record
        })
    }

    pub(in crate::flows) fn reseal_webhooks(&self) -> Result<(), Failure> {
        for record in self.webhooks()? {
            if let Some(new) = secrets::resealed(&self.outside, &record)? {
                self.store_webhook(&WebhookRecord {
                    sealed: Some(new),
                    ..record
                })?;
            }
        }
        Ok(())
    }

    fn known_webhook(&self, id: WebhookId) -> Result<WebhookRecord, Failure> {
        self.find_webhook(id)?
            .ok_or_else(|| Failure::not_found("webhook"))
    }

    fn store_webhook(&self, record: &WebhookRecord) -> Result<(), StorageFault> {
        let values = [sql::json(record)?, record.id.to_string().into()];
        self.storage
            .exec("UPDATE webhook SET record = ? WHERE id = ?", &values)
            .map(drop)
    }
}
