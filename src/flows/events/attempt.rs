//! One attempt to deliver an event, and what it leaves behind.

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

/// How old what is known of a subscription may be when it is used.
const KNOWN: Duration = Duration::from_secs(5);
/// Until an attempt that was counted and never came back is made good.
const LOST: Duration = Duration::from_mins(1);
/// After so many tries a subscription is said to fail, not before: one of many may.
const TRIES_OF_A_FAILING_ONE: u32 = 3;
/// Attempts that are kept of a delivery, the last ones.
const ATTEMPTS_KEPT: i64 = 30;

/// A delivery as it stands, and what it carries.
struct Standing {
    tries: u32,
    attempts: i64,
    event: String,
    payload: String,
    resource_type: Option<String>,
    resource_id: Option<String>,
    created_at: Timestamp,
}

/// The same as a row; what is of the event is `NULL` where that is gone.
type StandingRow = (
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
        let Some(standing) = self.standing(due)? else {
            return Ok(());
        };
        if webhook.paused_at.is_some() {
            return Ok(self.let_wait(due.webhook)?);
        }
        // Where there is no room nothing is counted, and the alarm comes again.
        let room = self.base.isolate().room();
        room.take(2 * standing.payload.len())?;
        let tries = standing.tries + 1;
        let wait = next_wait(tries, None, self.base.outside().random());
        self.count_attempt(due, tries, now.plus(wait.unwrap_or(LOST)))?;
        let id = self.outbox.event_id(due.event);
        let message = Message {
            id,
            event: &standing.event,
            payload: &standing.payload,
            resource_type: standing.resource_type.as_deref(),
            resource_id: standing.resource_id.as_deref(),
            environment_id: environment,
            integrated_account_id: Some(self.base.id()),
            created_at: standing.created_at,
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
        self.keep_attempt(due, standing.attempts + 1, now, &attempt)?;
        self.tell_outcome(environment, &webhook, tries, &attempt)
            .await;
        Ok(())
    }

    /// As it is known here, if that is not old; that one is gone is believed only by a list that is new.
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

    /// Nothing where it was settled or put off meanwhile.
    fn standing(&self, due: Due) -> Result<Option<Standing>, StorageFault> {
        let statement = "SELECT d.tries, d.attempts, e.event, e.payload, e.resource_type, e.resource_id, e.created_at \
             FROM delivery d LEFT JOIN event e ON e.number = d.event WHERE d.event = ? AND d.webhook_id = ? AND d.next_at <= ?";
        let values = [
            due.event.into(),
            due.webhook.to_string().into(),
            self.base.outside().now().as_millis().into(),
        ];
        let row: Option<StandingRow> = sql::first(self.base.storage(), statement, &values)?;
        let Some((tries, attempts, event, payload, resource_type, resource_id, created_at)) = row
        else {
            return Ok(None);
        };
        let (Some(event), Some(payload), Some(created_at)) = (event, payload, created_at) else {
            // Its event is gone: nothing is left to be delivered.
            self.drop_delivery(due)?;
            return Ok(None);
        };
        Ok(Some(Standing {
            tries,
            attempts,
            event,
            payload,
            resource_type,
            resource_id,
            created_at,
        }))
    }

    /// As if it failed: a restart before the answer leaves it to its next try.
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

    /// Unless it was begun anew meanwhile, by a replay.
    fn note_outcome(
        &self,
        due: Due,
        tries: u32,
        attempt: &DeliveryAttempt,
    ) -> Result<(), StorageFault> {
        let wait = next_wait(tries, attempt.retry_after, self.base.outside().random());
        let (status, next_at) = match wait {
            _ if attempt.is_delivered() => ("delivered", SqlValue::Null),
            // The subscription is paused: the event waits for it to be resumed.
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

    /// The subscription is gone.
    fn drop_delivery(&self, due: Due) -> Result<(), StorageFault> {
        let statement = "DELETE FROM delivery WHERE event = ? AND webhook_id = ?";
        sql::run(
            self.base.storage(),
            statement,
            &[due.event.into(), due.webhook.to_string().into()],
        )?;
        self.rows.settle_event(due.event)
    }

    /// The directory keeps since when a subscription fails, and pauses it. What it does not hear now it hears from
    /// the next one.
    async fn tell_outcome(
        &self,
        environment: EnvironmentId,
        webhook: &WebhookRecord,
        tries: u32,
        attempt: &DeliveryAttempt,
    ) {
        let now = self.base.outside().now();
        let ask = if attempt.is_delivered() {
            webhook
                .failing_since
                .map(|_| EnvironmentMessage::NoteWorking(webhook.id))
        } else if attempt.is_gone() {
            Some(EnvironmentMessage::NoteGone(webhook.id, now))
        } else {
            let is_failing = tries >= TRIES_OF_A_FAILING_ONE;
            is_failing.then(|| EnvironmentMessage::NoteFailing(webhook.id, now))
        };
        let Some(ask) = ask else { return };
        if let Err(failure) =
            send_to_environment::<Value>(self.base.outside(), environment, &ask).await
        {
            self.base
                .log("subscription_not_told", failure.code.as_str());
        }
        self.base.isolate().drop_subscriptions(environment);
    }
}
