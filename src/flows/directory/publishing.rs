//! Publishes to KV. A write marks its key in the same transaction. The mark is deleted only after KV has stored the
//! current text, so the alarm repeats what a failure interrupts.

use std::time::Duration;

use crate::flows::base::records::{InstallRecord, IntegrationRecord, TokenRecord};
use crate::flows::base::sql;
use crate::flows::base::within::within;
use crate::flows::config::config_cache;
use crate::flows::directory::Directory;
use crate::ports::{Outside, Storage, StorageFault};

/// The wait before the next try. KV accepts one write a second per key.
const RETRY: Duration = Duration::from_secs(5);
/// How long a write waits until it is published. The write is valid either way.
const PATIENCE: Duration = Duration::from_secs(5);

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Marks `key` as changed, in the same atomic write as the change itself.
    pub(in crate::flows) fn mark(&self, key: &str) -> Result<(), StorageFault> {
        let statement = "INSERT INTO publication (key, revision) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET revision = revision + 1";
        self.storage.exec(statement, &[key.into()]).map(drop)
    }

    /// Publishes all marked keys, within the time limit of a caller. The alarm publishes the rest: it is set in the
    /// same atomic write as the marks, before the first try, so a restart does not lose it.
    pub(in crate::flows) async fn publish(&self) {
        if self.is_published().unwrap_or(false) {
            return;
        }
        self.wake_by(RETRY).await;
        let published = within(&self.outside, PATIENCE, self.publish_all()).await;
        if published.is_none() {
            self.log(
                "publishing_failed",
                "it did not end in time; the alarm continues",
            );
        }
    }

    /// Publishes all marked keys in order, up to the first failure. Returns whether all are published.
    pub(in crate::flows) async fn publish_all(&self) -> bool {
        let _one_at_a_time = self.publishing.lock().await;
        match self.publish_marked().await {
            Ok(()) => true,
            Err(reason) => {
                self.log("publishing_failed", &reason);
                self.wake_by(RETRY).await;
                false
            }
        }
    }

    pub(in crate::flows) fn is_published(&self) -> Result<bool, StorageFault> {
        Ok(self.marked()?.is_empty())
    }

    /// Sets the alarm, unless an earlier one is set.
    pub(in crate::flows) async fn wake_by(&self, wait: Duration) {
        let now = self.outside.now();
        let set = self.alarm.ring_by(&self.storage, now, now.plus(wait)).await;
        if let Err(fault) = set {
            self.log("alarm_not_set", &fault.to_string());
        }
    }

    async fn publish_marked(&self) -> Result<(), String> {
        for (key, revision) in self.marked().map_err(|fault| fault.to_string())? {
            self.publish_one(&key).await?;
            self.unmark(&key, revision)
                .map_err(|fault| fault.to_string())?;
        }
        Ok(())
    }

    async fn publish_one(&self, key: &str) -> Result<(), String> {
        match self.current_text(key).map_err(|fault| fault.to_string())? {
            Some(text) => self.outside.put(key, &text).await,
            None => self.outside.delete(key).await,
        }
        .map_err(|fault| fault.to_string())
    }

    fn marked(&self) -> Result<Vec<(String, i64)>, StorageFault> {
        let statement = "SELECT key, revision FROM publication ORDER BY key";
        sql::rows_as(&self.storage, statement, &[])
    }

    fn unmark(&self, key: &str, revision: i64) -> Result<(), StorageFault> {
        let statement = "DELETE FROM publication WHERE key = ? AND revision = ?";
        self.storage
            .exec(statement, &[key.into(), revision.into()])
            .map(drop)
    }

    /// The text that KV must have under `key`. `None`: no text.
    fn current_text(&self, key: &str) -> Result<Option<String>, StorageFault> {
        if let Some(id) = config_cache::id_in::<IntegrationRecord>(key) {
            return self.record_text("SELECT record FROM integration WHERE id = ?", id);
        }
        if let Some(id) = config_cache::id_in::<InstallRecord>(key) {
            return self.record_text("SELECT record FROM install WHERE id = ?", id);
        }
        match config_cache::id_in::<TokenRecord>(key) {
            Some(hash) => self.record_text("SELECT record FROM api_token WHERE hash = ?", hash),
            None => Ok(None),
        }
    }

    fn record_text(&self, statement: &str, id: &str) -> Result<Option<String>, StorageFault> {
        let record: Option<serde_json::Value> =
            sql::record(&self.storage, statement, &[id.into()])?;
        Ok(record.map(|record| record.to_string()))
    }
}
