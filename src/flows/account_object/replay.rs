//! Events are delivered again; one that could not be read is read again, by the file as it is now.

use std::cell::OnceCell;

use crate::error::{Code, Failure};
use crate::flows::account_object::{AccountObject, LoadedAccount};
use crate::flows::base::memory::Room;
use crate::flows::base::memory::built::built_bytes;
use crate::flows::ingress::webhook_context::WebhookContext;
use crate::flows::messages::dead_letter::DeadLetter;
use crate::flows::messages::event::{EventStatus, ReplayRange};
use crate::flows::messages::webhook::NewEvent;
use crate::ids::EventId;
use crate::ports::{Outside, Sees, SqlValue, Storage, StorageFault};
use crate::webhook::Event;

/// What keeps one event, and not the others.
fn is_of_one(code: Code) -> bool {
    matches!(
        code,
        Code::TransformFailed | Code::NeedsReauth | Code::NotReady
    )
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// One event, to all who subscribed by now.
    pub(in crate::flows) async fn replay(&self, sees: &Sees, id: EventId) -> Result<(), Failure> {
        let hidden = |_| Failure::not_found("event");
        self.visible_outbox(sees).await.map_err(hidden)?;
        let number = self.number_of(id)?;
        self.replay_one(number).await?;
        self.wake_by(self.outside.now()).await;
        Ok(())
    }

    /// All events of a range; how many.
    pub(in crate::flows) async fn replay_all(
        &self,
        sees: &Sees,
        range: &ReplayRange,
    ) -> Result<u64, Failure> {
        self.visible_outbox(sees).await?;
        if !self.has_outbox()? {
            return Ok(0);
        }
        // Whatever comes in between, what was begun goes out.
        self.wake_by(self.outside.now()).await;
        let mut replayed = 0;
        for number in self.numbers_of(range)? {
            let outcome = match self.unread(number)? {
                Some(kept) => self.read_again(number, kept).await,
                None => self.replay_deliveries(number, range).map_err(Failure::from),
            };
            match outcome {
                Ok(()) => replayed += 1,
                Err(failure) if is_of_one(failure.code) => {}
                Err(failure) => return Err(failure),
            }
        }
        self.wake_by(self.outside.now()).await;
        Ok(replayed)
    }

    fn numbers_of(&self, range: &ReplayRange) -> Result<Vec<i64>, StorageFault> {
        let status = range.status.as_str();
        let (from, to) = (range.from.as_millis().into(), range.to.as_millis().into());
        let rows = match range.webhook_id {
            None => {
                let statement = "SELECT number FROM event WHERE status = ? AND created_at BETWEEN ? AND ? ORDER BY number";
                self.storage.exec(statement, &[status.into(), from, to])?
            }
            Some(webhook) => {
                let statement = "SELECT e.number FROM event e JOIN delivery d ON d.event = e.number \
                     WHERE d.webhook_id = ? AND d.status = ? AND e.created_at BETWEEN ? AND ? ORDER BY e.number";
                self.storage.exec(
                    statement,
                    &[webhook.to_string().into(), status.into(), from, to],
                )?
            }
        };
        Ok(rows
            .iter()
            .filter_map(|row| row.first()?.as_integer())
            .collect())
    }

    async fn replay_one(&self, number: i64) -> Result<(), Failure> {
        match self.unread(number)? {
            Some(kept) => self.read_again(number, kept).await,
            None => Ok(self.begin_again(number)?),
        }
    }

    /// Those deliveries of the event that stand as the range says; of one that arrived everywhere, all of them.
    fn replay_deliveries(&self, number: i64, range: &ReplayRange) -> Result<(), StorageFault> {
        if range.webhook_id.is_none() && range.status != EventStatus::Failed {
            return self.begin_again(number);
        }
        self.report_mended(number)?;
        let webhook = range.webhook_id.map(|id| id.to_string());
        let webhook = webhook.map_or(SqlValue::Null, SqlValue::Text);
        let statement = "UPDATE delivery SET status = 'pending', tries = 0, next_at = ? \
                         WHERE event = ? AND status = ? AND webhook_id = COALESCE(?, webhook_id)";
        let now = self.outside.now().as_millis();
        let values = [
            now.into(),
            number.into(),
            range.status.as_str().into(),
            webhook,
        ];
        self.storage.exec(statement, &values)?;
        self.settle_event(number)
    }

    /// To all who subscribed by now.
    fn begin_again(&self, number: i64) -> Result<(), StorageFault> {
        self.report_mended(number)?;
        let now = self.outside.now().as_millis();
        let statement =
            "UPDATE delivery SET status = 'pending', tries = 0, next_at = ? WHERE event = ?";
        self.storage.exec(statement, &[now.into(), number.into()])?;
        let statement = "UPDATE event SET is_expanded = 0, status = 'pending' WHERE number = ?";
        self.storage.exec(statement, &[number.into()]).map(drop)
    }

    async fn read_again(&self, number: i64, kept: DeadLetter) -> Result<(), Failure> {
        let gone = || Failure::not_found("integrated account");
        let loaded = self.settled().await?.ok_or_else(gone)?;
        let resolved = self.resolved_config(&loaded.account).await?;
        let is_of_install = kept.is_of_install;
        if is_of_install {
            // Before it is active none of an install's webhooks is for it.
            loaded.account.status.check_callable()?;
        }
        let again = kept.into_request();
        let (request, room) = (again.request(), self.isolate.room());
        room.take(built_bytes(request.values(), 2 * request.body().len()))?;
        let ground = self.webhook_ground(&loaded, &resolved, is_of_install, ("", &room));
        let plain = OnceCell::new();
        let request = ground.readable(request, &plain)?;
        let (_, events) = ground.read(&request)?;
        let events = events.map_err(|error| {
            Failure::new(
                Code::TransformFailed,
                ground.redactor.text(&error.to_string()),
            )
        })?;
        let own = self.lookup(&resolved, &loaded).value;
        let is_own = |event: &Event| {
            let named = event.integrated_account_id.as_deref();
            let found_by = event.context_lookup_field_value.as_deref();
            named.is_none_or(|named| named == self.id.to_string())
                && found_by.is_none_or(|value| own.as_deref() == Some(value))
        };
        // What is another account's is not stored here; on an account's own URL all is its own.
        let events = events
            .into_iter()
            .filter(|event| !is_of_install || is_own(event));
        let events = ground.new_events(events.collect());
        if !self.is_here() || self.unread(number)?.is_none() {
            return Err(gone());
        }
        Ok(self.replace_unread(number, events)?)
    }

    /// What was unread becomes what it brings; the first keeps its id.
    fn replace_unread(&self, number: i64, events: Vec<NewEvent>) -> Result<(), StorageFault> {
        self.report_mended(number)?;
        let mut events = events.into_iter();
        if let Some(first) = events.next() {
            self.name_event(number, &first)?;
        } else {
            let statement =
                "UPDATE event SET status = 'delivered', last_error = NULL WHERE number = ?";
            self.storage.exec(statement, &[number.into()])?;
        }
        let rest: Vec<_> = events
            .map(|event| self.numbered(event))
            .collect::<Result<_, _>>()?;
        if let Some(environment) = self.outbox_environment()? {
            self.write_events(environment, &rest)?;
        }
        self.storage
            .exec("DELETE FROM unread WHERE event = ?", &[number.into()])
            .map(drop)
    }

    fn name_event(&self, number: i64, event: &NewEvent) -> Result<(), StorageFault> {
        let text = |text: &Option<String>| text.as_deref().map_or(SqlValue::Null, SqlValue::from);
        let statement = "UPDATE event SET event = ?, resource_type = ?, resource_id = ?, payload = ?, last_error = NULL, \
                         status = 'pending', is_expanded = 0 WHERE number = ?";
        let values = [
            event.event.as_str().into(),
            text(&event.resource_type),
            text(&event.resource_id),
            event.payload.as_str().into(),
            number.into(),
        ];
        self.storage.exec(statement, &values).map(drop)
    }

    /// What a webhook of this account is verified and read with.
    pub(in crate::flows) fn webhook_ground<'a>(
        &'a self,
        loaded: &'a LoadedAccount,
        resolved: &'a crate::flows::config::resolved_config::ResolvedConfig,
        is_of_install: bool,
        (request_id, room): (&'a str, &'a Room),
    ) -> WebhookContext<'a, O> {
        WebhookContext {
            outside: &self.outside,
            isolate: &self.isolate,
            room,
            resolved,
            context: &loaded.context,
            sealed: &loaded.sealed,
            shown: (!is_of_install).then(|| loaded.public(&resolved.compiled)),
            at: ("integrated_account_id", self.id.to_string()),
            request_id,
            redactor: self.redactor(&resolved.compiled, &loaded.context),
        }
    }
}
