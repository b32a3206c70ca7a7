//! Publishing to KV. A write marks its key in the same transaction; the mark goes only when KV has
//! taken the text that is true at that moment. So a failure in between is made good by the alarm.

use std::time::Duration;

use crate::flows::base::records::{InstallRecord, IntegrationRecord, TokenRecord};
use crate::flows::base::within::within;
use crate::flows::config::config_cache;
use crate::flows::directory::{Directory, table};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};

/// Until the next try. KV takes one write a second per key.
const RETRY: Duration = Duration::from_secs(5);
/// How long a write waits for its publishing; it counts either way.
const PATIENCE: Duration = Duration::from_secs(5);

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Marks `key` as changed, in the same turn as the change itself.
    pub(in crate::flows) fn mark(&self, key: &str) -> Result<(), StorageFault> {
        let statement = "INSERT INTO publication (key, revision) VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET revision = revision + 1";
        self.storage.exec(statement, &[key.into()]).map(drop)
    }

    /// Publishes everything marked, for as long as a caller may wait. What is left stays marked for the
    /// alarm, which is set before the first try, in the same turn as the marks: a restart leaves it behind.
    pub(in crate::flows) async fn publish(&self) {
        if self.is_published().unwrap_or(false) {
            return;
        }
        self.wake_by(RETRY).await;
        let published = within(&self.outside, PATIENCE, self.publish_all()).await;
        if published.is_none() {
            self.log("publishing_failed", "it takes too long; the alarm goes on");
        }
    }

    /// Publishes everything marked, one at a time and in order, up to the first failure; whether
    /// everything is out.
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

    /// Whether nothing is marked.
    pub(in crate::flows) fn is_published(&self) -> Result<bool, StorageFault> {
        Ok(self.marked()?.is_empty())
    }

    /// Sets the alarm, unless it rings earlier already.
    pub(in crate::flows) async fn wake_by(&self, wait: Duration) {
        let at = self.outside.now().plus(wait);
        if self
            .alarm
            .get()
            .is_some_and(|set| set <= at && set > self.outside.now())
        {
            return;
        }
        self.alarm.set(Some(at));
        if let Err(fault) = self.storage.set_alarm(at).await {
            self.alarm.set(None);
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
        match self.truth(key).map_err(|fault| fault.to_string())? {
            Some(text) => self.outside.put(key, &text).await,
            None => self.outside.delete(key).await,
        }
        .map_err(|fault| fault.to_string())
    }

    fn marked(&self) -> Result<Vec<(String, i64)>, StorageFault> {
        let rows = self
            .storage
            .exec("SELECT key, revision FROM publication ORDER BY key", &[])?;
        let pair = |row: &Vec<SqlValue>| {
            Some((
                row.first()?.as_text()?.to_owned(),
                row.get(1)?.as_integer()?,
            ))
        };
        Ok(rows.iter().filter_map(pair).collect())
    }

    fn unmark(&self, key: &str, revision: i64) -> Result<(), StorageFault> {
        let statement = "DELETE FROM publication WHERE key = ? AND revision = ?";
        self.storage
            .exec(statement, &[key.into(), revision.into()])
            .map(drop)
    }

    /// The text KV should hold under `key` now; `None`: nothing.
    fn truth(&self, key: &str) -> Result<Option<String>, StorageFault> {
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
            table::first(&self.storage.exec(statement, &[id.into()])?)?;
        Ok(record.map(|record| record.to_string()))
    }
}
