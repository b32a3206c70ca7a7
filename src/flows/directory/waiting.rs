//! Accounts whose deliveries wait for a paused subscription. When the subscription is resumed or deleted, each of them
//! is woken. A note is deleted only after its account has answered, so the alarm repeats what a restart or a silent
//! account interrupts.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use crate::error::{Code, Failure};
use crate::flows::base::sql;
use crate::flows::directory::{Directory, DirectoryName};
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::send_to_account;
use crate::ids::{AccountId, WebhookId};
use crate::ports::{Outside, SqlValue, Storage, StorageFault};

/// How long one alarm works.
const ALARM_TIME: Duration = Duration::from_secs(30);
/// The wait before the next alarm while accounts are left that were not asked.
const NEXT: Duration = Duration::from_secs(1);
/// Accounts in parallel.
const AT_ONCE: usize = 24;

/// Matches the notes whose subscription is not paused, or is deleted.
const RESUMED: &str = "NOT EXISTS (SELECT 1 FROM webhook WHERE webhook.id = waiting.webhook_id \
     AND json_extract(webhook.record, '$.paused_at') IS NOT NULL)";

/// An account to be woken.
struct Waiting {
    webhook: String,
    account: String,
    revision: i64,
}

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Notes a waiting account while the subscription is paused. Returns whether it is.
    pub(in crate::flows) fn note_waiting(
        &self,
        webhook: WebhookId,
        account: AccountId,
    ) -> Result<bool, StorageFault> {
        let record = self.find_webhook(webhook)?;
        let is_paused = record.is_some_and(|record| record.paused_at.is_some());
        if is_paused {
            let statement = "INSERT INTO waiting (webhook_id, account_id, revision, asked_at) VALUES (?, ?, 1, 0) \
                             ON CONFLICT (webhook_id, account_id) DO UPDATE SET revision = revision + 1";
            let values = [webhook.to_string().into(), account.to_string().into()];
            self.storage.exec(statement, &values)?;
        }
        Ok(is_paused)
    }

    /// Sets the alarm when an account is to be woken.
    pub(in crate::flows) async fn schedule_wake(&self) {
        if !self.has_woken_all().unwrap_or(false) {
            self.wake_by(NEXT).await;
        }
    }

    /// Whether no account is left to be woken.
    pub(in crate::flows) fn has_woken_all(&self) -> Result<bool, StorageFault> {
        if self.name == DirectoryName::Root {
            return Ok(true);
        }
        let statement = format!("SELECT 1 FROM waiting WHERE {RESUMED} LIMIT 1");
        Ok(!sql::exists(&self.storage, &statement, &[])?)
    }

    /// Wakes the accounts whose subscription is not paused, within the time of one alarm. The next alarm asks again
    /// those that did not answer.
    pub(in crate::flows) async fn wake_waiting(&self) {
        if self.name == DirectoryName::Root {
            return;
        }
        let began = self.outside.now();
        loop {
            let due = match self.due(began.as_millis()) {
                Ok(due) if due.is_empty() => return,
                Ok(due) => due,
                Err(fault) => return self.log("waiting_not_read", &fault.to_string()),
            };
            let wakes = stream::iter(due).map(|one| self.wake(one, began.as_millis()));
            let outcomes: Vec<_> = wakes.buffered(AT_ONCE).collect().await;
            if let Some(fault) = outcomes.into_iter().find_map(Result::err) {
                return self.log("waiting_not_noted", &fault.to_string());
            }
            if self.outside.now().since(began) >= ALARM_TIME {
                return self.wake_by(NEXT).await;
            }
        }
    }

    async fn wake(&self, one: Waiting, began: i64) -> Result<(), StorageFault> {
        let Ok(account) = one.account.parse::<AccountId>() else {
            return self.forget_waiting(&one);
        };
        match send_to_account::<()>(&self.outside, account, &AccountMessage::Deliver).await {
            Ok(()) => self.forget_waiting(&one),
            Err(failure) if failure.code == Code::NotFound => self.forget_waiting(&one),
            Err(failure) => self.postpone(&one, began, &failure),
        }
    }

    /// The accounts that this alarm has not asked yet. Those that were asked longest ago come first.
    fn due(&self, began: i64) -> Result<Vec<Waiting>, StorageFault> {
        let statement = format!(
            "SELECT webhook_id, account_id, revision FROM waiting WHERE asked_at < ? AND {RESUMED} ORDER BY asked_at LIMIT {AT_ONCE}"
        );
        let rows = sql::rows_as(&self.storage, &statement, &[began.into()])?;
        let waiting = |(webhook, account, revision)| Waiting {
            webhook,
            account,
            revision,
        };
        Ok(rows.into_iter().map(waiting).collect())
    }

    /// Deletes a note, unless it was renewed: the subscription may have been paused again.
    fn forget_waiting(&self, one: &Waiting) -> Result<(), StorageFault> {
        let statement =
            "DELETE FROM waiting WHERE webhook_id = ? AND account_id = ? AND revision = ?";
        let values: [SqlValue; 3] = [
            one.webhook.as_str().into(),
            one.account.as_str().into(),
            one.revision.into(),
        ];
        self.storage.exec(statement, &values).map(drop)
    }

    fn postpone(&self, one: &Waiting, began: i64, failure: &Failure) -> Result<(), StorageFault> {
        let reason = format!("{}: {}", one.account, failure.code.as_str());
        self.log("account_not_woken", &reason);
        let statement = "UPDATE waiting SET asked_at = ? WHERE webhook_id = ? AND account_id = ?";
        let values = [
            began.into(),
            one.webhook.as_str().into(),
            one.account.as_str().into(),
        ];
        self.storage.exec(statement, &values).map(drop)
    }
}
