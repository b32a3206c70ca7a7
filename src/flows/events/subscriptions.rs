//! The subscriptions of the environment, read from its directory, and deliveries to paused ones.

use std::rc::Rc;
use std::time::Duration;

use crate::error::{Code, Failure};
use crate::flows::base::sql;
use crate::flows::config::isolate::Subscriptions;
use crate::flows::events::deliver::Dispatcher;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::send_to_environment;
use crate::ids::{EnvironmentId, WebhookId};
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

/// The least time between two reads of the list by one isolate.
const PACE: Duration = Duration::from_millis(250);

impl<O: Outside, S: Storage> Dispatcher<O, S> {
    /// The subscriptions, read at `not_before` or later. All accounts of the isolate share one list. It is read at most
    /// once per [`PACE`]; requests between two reads wait for the next.
    pub(in crate::flows) async fn subscriptions(
        &self,
        environment: EnvironmentId,
        not_before: Timestamp,
    ) -> Result<Subscriptions, Failure> {
        loop {
            if let Some(known) = self.base.isolate().subscriptions(environment, not_before) {
                return Ok(known);
            }
            let now = self.base.outside().now();
            let wait = self.base.isolate().next_reading(environment).since(now);
            if wait.is_zero() {
                return self.read_subscriptions(environment, now).await;
            }
            self.base.outside().sleep(wait).await;
        }
    }

    async fn read_subscriptions(
        &self,
        environment: EnvironmentId,
        now: Timestamp,
    ) -> Result<Subscriptions, Failure> {
        self.base
            .isolate()
            .note_reading(environment, now.plus(PACE));
        let message = EnvironmentMessage::Webhooks;
        let read = Rc::new(send_to_environment(self.base.outside(), environment, &message).await?);
        self.base
            .isolate()
            .keep_subscriptions(environment, now, &read);
        Ok(read)
    }

    /// Holds the deliveries to a paused subscription back until the directory reports that it was resumed.
    pub(super) fn pause_deliveries(&self, webhook: WebhookId) -> Result<(), StorageFault> {
        let id = || [webhook.to_string().into()];
        let statement =
            "UPDATE delivery SET next_at = NULL WHERE webhook_id = ? AND next_at IS NOT NULL";
        sql::run(self.base.storage(), statement, &id())?;
        let statement = "INSERT INTO waiting (webhook_id, is_noted) VALUES (?, 0) ON CONFLICT (webhook_id) DO NOTHING";
        sql::run(self.base.storage(), statement, &id())
    }

    /// Reports to the directory which paused subscriptions have deliveries here. Those that it has resumed are released.
    pub(in crate::flows) async fn note_waiting(
        &self,
        environment: EnvironmentId,
    ) -> Result<(), Failure> {
        let statement = "SELECT webhook_id FROM waiting WHERE is_noted = 0";
        for id in sql::column::<String>(self.base.storage(), statement, &[])? {
            let Ok(webhook) = id.parse() else { continue };
            let message = EnvironmentMessage::NoteWaiting(webhook, self.base.id());
            let is_paused =
                match send_to_environment(self.base.outside(), environment, &message).await {
                    Err(failure) if failure.code == Code::NotFound => false,
                    answer => answer?,
                };
            if is_paused {
                let statement = "UPDATE waiting SET is_noted = 1 WHERE webhook_id = ?";
                sql::run(
                    self.base.storage(),
                    statement,
                    &[webhook.to_string().into()],
                )?;
            } else {
                self.base.isolate().drop_subscriptions(environment);
                self.release(webhook)?;
            }
        }
        Ok(())
    }

    fn release(&self, webhook: WebhookId) -> Result<(), StorageFault> {
        let (id, now) = (webhook.to_string(), self.base.outside().now().as_millis());
        let statement = "UPDATE delivery SET next_at = ? WHERE webhook_id = ? AND status = 'pending' AND next_at IS NULL";
        sql::run(
            self.base.storage(),
            statement,
            &[now.into(), id.as_str().into()],
        )?;
        let statement = "DELETE FROM waiting WHERE webhook_id = ?";
        sql::run(self.base.storage(), statement, &[id.into()])
    }

    /// Releases all paused deliveries. Returns whether the account has an outbox.
    pub(super) fn release_all(&self) -> Result<bool, StorageFault> {
        let Some(environment) = self.outbox.environment()? else {
            return Ok(false);
        };
        self.base.isolate().drop_subscriptions(environment);
        let now = self.base.outside().now().as_millis();
        let statement =
            "UPDATE delivery SET next_at = ? WHERE status = 'pending' AND next_at IS NULL";
        sql::run(self.base.storage(), statement, &[now.into()])?;
        sql::run(self.base.storage(), "DELETE FROM waiting", &[])?;
        Ok(true)
    }
}
