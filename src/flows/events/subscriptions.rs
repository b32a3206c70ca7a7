//! Who gets the events of an account, as the environment's directory says; and those who are paused.

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

/// Between two readings of the list by one isolate.
const PACE: Duration = Duration::from_millis(250);

impl<O: Outside, S: Storage> Dispatcher<O, S> {
    /// The subscriptions as they were then or later. One list serves all accounts of the isolate: while many ask, it is
    /// read at a steady pace, and who asks in between waits for the next.
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
        let ask = EnvironmentMessage::Webhooks;
        let read = Rc::new(send_to_environment(self.base.outside(), environment, &ask).await?);
        self.base
            .isolate()
            .keep_subscriptions(environment, now, &read);
        Ok(read)
    }

    /// What is on its way to a paused subscription waits, and the directory wakes it.
    pub(super) fn let_wait(&self, webhook: WebhookId) -> Result<(), StorageFault> {
        let id = || [webhook.to_string().into()];
        let statement =
            "UPDATE delivery SET next_at = NULL WHERE webhook_id = ? AND next_at IS NOT NULL";
        sql::run(self.base.storage(), statement, &id())?;
        let statement = "INSERT INTO waiting (webhook_id, is_noted) VALUES (?, 0) ON CONFLICT (webhook_id) DO NOTHING";
        sql::run(self.base.storage(), statement, &id())
    }

    /// Tells the directory for whom something waits here. What it no longer holds back goes out.
    pub(in crate::flows) async fn note_waiting(
        &self,
        environment: EnvironmentId,
    ) -> Result<(), Failure> {
        let statement = "SELECT webhook_id FROM waiting WHERE is_noted = 0";
        for id in sql::column::<String>(self.base.storage(), statement, &[])? {
            let Ok(webhook) = id.parse() else { continue };
            let ask = EnvironmentMessage::NoteWaiting(webhook, self.base.id());
            let is_paused = match send_to_environment(self.base.outside(), environment, &ask).await
            {
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

    /// What waits here goes out; whether there is an outbox.
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
