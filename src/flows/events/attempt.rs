//! One attempt to deliver an event, and what is stored about it.

use std::time::Duration;

use serde_json::Value;

use crate::delivery::{Message, next_wait};
use crate::error::Failure;
use crate::flows::base::records::WebhookRecord;
use crate::flows::base::sql;
use crate::flows::events::deliver::{Dispatcher, Due};
use crate::flows::events::send_webhook::{DeliveryAttempt, send_webhook};
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::send_to_environment;
use crate::ids::{EnvironmentId, WebhookId};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};
use crate::time::Timestamp;

/// The greatest age of the cached subscriptions that an attempt uses.
const KNOWN: Duration = Duration::from_secs(5);
/// The wait before the last attempt, interrupted by a restart, is made again.
const LOST: Duration = Duration::from_mins(1);
/// A subscription is reported as failing after this many tries of one delivery: a single failure says little.
const TRIES_OF_FAILING: u32 = 3;
/// The last attempts of a delivery are stored, up to this many.
const ATTEMPTS_KEPT: i64 = 30;

/// The delivery and its event.
struct PendingDelivery {
    tries: u32,
    attempts: i64,
    event: String,
    payload: String,
    resource_type: Option<String>,
    resource_id: Option<String>,
    created_at: Timestamp,
}

/// A [`PendingDelivery`] as a row. The columns of the event are `NULL` if it was deleted.
type PendingDeliveryRow = (
    u32,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<Timestamp>,
);

impl<O: Outside, S: Storage> Dispatcher<O, S> {
    pub(super) async fn deliver_one(
        &self,
        environment: EnvironmentId,
        due: Due,
    ) -> Result<(), Failure> {
        let now = self.base.outside().now();
        let Some(webhook) = self.subscription(environment, due.webhook).await? else {
            return Ok(self.drop_delivery(due)?);
        };
        let Some(delivery) = self.pending_delivery(due)? else {
            return Ok(());
        };
        if webhook.paused_at.is_some() {
            return Ok(self.pause_deliveries(due.webhook)?);
        }
        // Without memory the attempt is not counted, and the alarm tries again.
        let room = self.base.isolate().room();
        room.take(2 * delivery.payload.len())?;
        let tries = delivery.tries + 1;
        let wait = next_wait(tries, None, self.base.outside().random());
        self.count_attempt(due, tries, now.plus(wait.unwrap_or(LOST)))?;
        let id = self.outbox.event_id(due.event);
        let message = Message {
            id,
            event: &delivery.event,
            payload: &delivery.payload,
            resource_type: delivery.resource_type.as_deref(),
            resource_id: delivery.resource_id.as_deref(),
            environment_id: environment,
            integrated_account_id: Some(self.base.id()),
            created_at: delivery.created_at,
            webhook_id: webhook.id,
        };
        let sent = send_webhook(
            self.base.outside(),
            &webhook,
            &id.to_string(),
            message.body(),
        )
        .await;
        let attempt = sent.unwrap_or_else(|failure| DeliveryAttempt::not_sent(failure.message));
        self.note_outcome(due, tries, &attempt)?;
        self.keep_attempt(due, delivery.attempts + 1, now, &attempt)?;
        self.report_outcome(environment, &webhook, tries, &attempt)
            .await;
        Ok(())
    }

    /// Uses the isolate's list unless it is old. Only a new list can show that a subscription was deleted.
    async fn subscription(
        &self,
        environment: EnvironmentId,
        id: WebhookId,
    ) -> Result<Option<WebhookRecord>, Failure> {
        let now = self.base.outside().now();
        let of = |list: &[WebhookRecord]| list.iter().find(|webhook| webhook.id == id).cloned();
        let known = self.subscriptions(environment, now.minus(KNOWN)).await?;
        if let Some(webhook) = of(&known) {
            return Ok(Some(webhook));
        }
        self.base.isolate().drop_subscriptions(environment);
        Ok(of(&self.subscriptions(environment, now).await?))
    }

    /// `None`: it is no longer due, or its event was deleted.
    fn pending_delivery(&self, due: Due) -> Result<Option<PendingDelivery>, StorageFault> {
        let statement = "SELECT d.tries, d.attempts, e.event, e.payload, e.resource_type, e.resource_id, e.created_at \
             FROM delivery d LEFT JOIN event e ON e.number = d.event WHERE d.event = ? AND d.webhook_id = ? AND d.next_at <= ?";
        let values = [
            due.event.into(),
            due.webhook.to_string().into(),
            self.base.outside().now().as_millis().into(),
        ];
        let row: Option<PendingDeliveryRow> = sql::first(self.base.storage(), statement, &values)?;
        let Some((tries, attempts, event, payload, resource_type, resource_id, created_at)) = row
        else {
            return Ok(None);
        };
        let (Some(event), Some(payload), Some(created_at)) = (event, payload, created_at) else {
            self.drop_delivery(due)?;
            return Ok(None);
        };
        Ok(Some(PendingDelivery {
            tries,
            attempts,
            event,
            payload,
            resource_type,
            resource_id,
            created_at,
        }))
    }

    /// Counts the attempt as failed before it is sent: after a restart the next try follows.
    fn count_attempt(&self, due: Due, tries: u32, next_at: Timestamp) -> Result<(), StorageFault> {
        let statement = "UPDATE delivery SET tries = ?, attempts = attempts + 1, next_at = ? WHERE event = ? AND webhook_id = ?";
        let values = [
            i64::from(tries).into(),
            next_at.as_millis().into(),
            due.event.into(),
            due.webhook.to_string().into(),
        ];
        sql::run(self.base.storage(), statement, &values)
    }

    fn keep_attempt(
        &self,
        due: Due,
        number: i64,
        sent_at: Timestamp,
        attempt: &DeliveryAttempt,
    ) -> Result<(), StorageFault> {
        let values = [
            due.event.into(),
            due.webhook.to_string().into(),
            number.into(),
            sql::nullable(attempt.status.map(i64::from)),
            i64::try_from(attempt.duration.as_millis())
                .unwrap_or(i64::MAX)
                .into(),
            sql::nullable(attempt.body.as_deref()),
            sql::nullable(attempt.error.as_deref()),
            sent_at.as_millis().into(),
        ];
        let statement = "INSERT OR REPLACE INTO attempt (event, webhook_id, number, status, duration_ms, body, error, created_at) \
                         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM event WHERE number = ?1)";
        sql::run(self.base.storage(), statement, &values)?;
        if number > ATTEMPTS_KEPT {
            let statement =
                "DELETE FROM attempt WHERE event = ? AND webhook_id = ? AND number <= ?";
            let last = number - ATTEMPTS_KEPT;
            sql::run(
                self.base.storage(),
                statement,
                &[
                    due.event.into(),
                    due.webhook.to_string().into(),
                    last.into(),
                ],
            )?;
        }
        Ok(())
    }

    /// Stores the outcome, unless a replay has restarted the delivery: then `tries` differs.
    fn note_outcome(
        &self,
        due: Due,
        tries: u32,
        attempt: &DeliveryAttempt,
    ) -> Result<(), StorageFault> {
        let wait = next_wait(tries, attempt.retry_after, self.base.outside().random());
        let (status, next_at) = match wait {
            _ if attempt.is_delivered() => ("delivered", SqlValue::Null),
            // The directory pauses the subscription: the delivery waits until it is resumed.
            _ if attempt.is_gone() => ("pending", self.base.outside().now().as_millis().into()),
            Some(wait) => (
                "pending",
                self.base.outside().now().plus(wait).as_millis().into(),
            ),
            None => ("failed", SqlValue::Null),
        };
        let statement = "UPDATE delivery SET status = ?, next_at = ? WHERE event = ? AND webhook_id = ? AND tries = ?";
        let values = [
            status.into(),
            next_at,
            due.event.into(),
            due.webhook.to_string().into(),
            i64::from(tries).into(),
        ];
        sql::run(self.base.storage(), statement, &values)?;
        if status == "pending" {
            return Ok(());
        }
        self.rows.settle_event(due.event)
    }

    /// Deletes a delivery whose subscription or event was deleted.
    fn drop_delivery(&self, due: Due) -> Result<(), StorageFault> {
        let statement = "DELETE FROM delivery WHERE event = ? AND webhook_id = ?";
        sql::run(
            self.base.storage(),
            statement,
            &[due.event.into(), due.webhook.to_string().into()],
        )?;
        self.rows.settle_event(due.event)
    }

    /// Reports the outcome to the directory, which stores since when a subscription fails and pauses it. If the report is
    /// lost, the next delivery's report follows.
    async fn report_outcome(
        &self,
        environment: EnvironmentId,
        webhook: &WebhookRecord,
        tries: u32,
        attempt: &DeliveryAttempt,
    ) {
        let now = self.base.outside().now();
        let message = if attempt.is_delivered() {
            webhook
                .failing_since
                .map(|_| EnvironmentMessage::NoteWorking(webhook.id))
        } else if attempt.is_gone() {
            Some(EnvironmentMessage::NoteGone(webhook.id, now))
        } else {
            let is_failing = tries >= TRIES_OF_FAILING;
            is_failing.then(|| EnvironmentMessage::NoteFailing(webhook.id, now))
        };
        let Some(message) = message else { return };
        if let Err(failure) =
            send_to_environment::<Value>(self.base.outside(), environment, &message).await
        {
            self.base
                .log("subscription_not_reported", failure.code.as_str());
        }
        self.base.isolate().drop_subscriptions(environment);
    }
}
