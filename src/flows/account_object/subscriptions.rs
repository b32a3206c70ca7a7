//! Who gets the events of an account, as the environment's directory says; and those who are paused.

use std::rc::Rc;
use std::time::Duration;

use crate::error::{Code, Failure};
use crate::flows::account_object::AccountObject;
use crate::flows::config::isolate::Subscriptions;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::send_to_environment;
use crate::ids::{EnvironmentId, WebhookId};
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

/// Between two readings of the list by one isolate.
const PACE: Duration = Duration::from_millis(250);

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// The subscriptions as they were then or later. One list serves all accounts of the isolate: while many ask, it is
    /// read at a steady pace, and who asks in between waits for the next.
    pub(in crate::flows) async fn subscriptions(
        &self,
        environment: EnvironmentId,
        not_before: Timestamp,
    ) -> Result<Subscriptions, Failure> {
        loop {
            if let Some(known) = self.isolate.subscriptions(environment, not_before) {
                return Ok(known);
            }
            let now = self.outside.now();
            let wait = self.isolate.next_reading(environment).since(now);
            if wait.is_zero() {
                return self.read_subscriptions(environment, now).await;
            }
            self.outside.sleep(wait).await;
        }
    }

    async fn read_subscriptions(
        &self,
        environment: EnvironmentId,
        now: Timestamp,
    ) -> Result<Subscriptions, Failure> {
        self.isolate.note_reading(environment, now.plus(PACE));
        let ask = EnvironmentMessage::Webhooks;
        let read = Rc::new(send_to_environment(&self.outside, environment, &ask).await?);
        self.isolate.keep_subscriptions(environment, now, &read);
        Ok(read)
    }

    /// What is on its way to a paused subscription waits, and the directory wakes it.
    pub(in crate::flows) fn let_wait(&self, webhook: WebhookId) -> Result<(), StorageFault> {
        let id = || [webhook.to_string().into()];
        let statement =
            "UPDATE delivery SET next_at = NULL WHERE webhook_id = ? AND next_at IS NOT NULL";
        self.storage.exec(statement, &id())?;
        let statement = "INSERT INTO waiting (webhook_id, is_noted) VALUES (?, 0) ON CONFLICT (webhook_id) DO NOTHING";
        self.storage.exec(statement, &id()).map(drop)
    }

    /// Tells the directory for whom something waits here. What it no longer holds back goes out.
    pub(in crate::flows) async fn note_waiting(
        &self,
        environment: EnvironmentId,
    ) -> Result<(), Failure> {
        let statement = "SELECT webhook_id FROM waiting WHERE is_noted = 0";
        for row in self.storage.exec(statement, &[])? {
            let id = row.first().and_then(|id| id.as_text()?.parse().ok());
            let Some(webhook) = id else { continue };
            let ask = EnvironmentMessage::NoteWaiting(webhook, self.id);
            let is_paused = match send_to_environment(&self.outside, environment, &ask).await {
                Err(failure) if failure.code == Code::NotFound => false,
                answer => answer?,
            };
            if is_paused {
                let statement = "UPDATE waiting SET is_noted = 1 WHERE webhook_id = ?";
                self.storage
                    .exec(statement, &[webhook.to_string().into()])?;
            } else {
                self.isolate.drop_subscriptions(environment);
                self.release(webhook)?;
            }
        }
        Ok(())
    }

    fn release(&self, webhook: WebhookId) -> Result<(), StorageFault> {
        let (id, now) = (webhook.to_string(), self.outside.now().as_millis());
        let statement = "UPDATE delivery SET next_at = ? WHERE webhook_id = ? AND status = 'pending' AND next_at IS NULL";
        self.storage
            .exec(statement, &[now.into(), id.as_str().into()])?;
        let statement = "DELETE FROM waiting WHERE webhook_id = ?";
        self.storage.exec(statement, &[id.into()]).map(drop)
    }

    /// The directory says that something that waits here may go.
    pub(in crate::flows) async fn release_all(&self) -> Result<(), Failure> {
        let Some(environment) = self.outbox_environment()? else {
            return Ok(());
        };
        self.isolate.drop_subscriptions(environment);
        let now = self.outside.now();
        let statement =
            "UPDATE delivery SET next_at = ? WHERE status = 'pending' AND next_at IS NULL";
        self.storage.exec(statement, &[now.as_millis().into()])?;
        self.storage.exec("DELETE FROM waiting", &[])?;
        self.wake_by(now).await;
        Ok(())
    }
}
