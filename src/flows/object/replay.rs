//! Events are delivered again; one that could not be read is read again, by the file as it is now.

use std::cell::OnceCell;

use crate::error::{Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::built::built_bytes;
use crate::flows::base::sql;
use crate::flows::ingress::webhook_context::WebhookContext;
use crate::flows::messages::dead_letter::Kept;
use crate::flows::messages::event::{EventStatus, ReplayRange};
use crate::flows::messages::webhook::NewEvent;
use crate::flows::object::AccountObject;
use crate::flows::object::outbox::Outbox;
use crate::ids::EventId;
use crate::ports::{Outside, Storage, StorageFault, Visibility};
use crate::webhook::TransformedEvent;

/// What keeps one event, and not the others.
fn is_of_one(code: Code) -> bool {
    matches!(
        code,
        Code::TransformFailed | Code::NeedsReauth | Code::NotReady
    )
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// One event, to all who subscribed by now.
    pub(super) async fn replay(&self, sees: &Visibility, id: EventId) -> Result<(), Failure> {
        let hidden = |_| Failure::not_found("event");
        self.visible_outbox(sees).await.map_err(hidden)?;
        let number = self.outbox.number_of(id)?;
        self.replay_one(number).await?;
        self.wake_by(self.base.outside.now()).await;
        Ok(())
    }

    /// All events of a range; how many.
    pub(super) async fn replay_all(
        &self,
        sees: &Visibility,
        range: &ReplayRange,
    ) -> Result<u64, Failure> {
        self.visible_outbox(sees).await?;
        if !self.outbox.is_there()? {
            return Ok(0);
        }
        // Whatever comes in between, what was begun goes out.
        self.wake_by(self.base.outside.now()).await;
        let mut replayed = 0;
        for number in self.outbox.numbers_of(range)? {
            let outcome = match self.dead_letters.get(number)? {
                Some(kept) => self.read_again(number, kept).await,
                None => self
                    .outbox
                    .replay_deliveries(number, range)
                    .map_err(Failure::from),
            };
            match outcome {
                Ok(()) => replayed += 1,
                Err(failure) if is_of_one(failure.code) => {}
                Err(failure) => return Err(failure),
            }
        }
        self.wake_by(self.base.outside.now()).await;
        Ok(replayed)
    }

    async fn replay_one(&self, number: i64) -> Result<(), Failure> {
        match self.dead_letters.get(number)? {
            Some(kept) => self.read_again(number, kept).await,
            None => Ok(self.outbox.begin_again(number)?),
        }
    }

    async fn read_again(&self, number: i64, kept: Kept) -> Result<(), Failure> {
        let gone = || Failure::not_found("integrated account");
        let loaded = self.settled().await?.ok_or_else(gone)?;
        let resolved = self.resolved_config(&loaded.account).await?;
        let is_of_install = kept.is_of_install;
        if is_of_install {
            // Before it is active none of an install's webhooks is for it.
            loaded.account.status.check_callable()?;
        }
        let again = kept.again();
        let (request, room) = (again.request(), self.base.isolate.room());
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
        let is_own = |event: &TransformedEvent| {
            let named = event.integrated_account_id.as_deref();
            let found_by = event.context_lookup_field_value.as_deref();
            named.is_none_or(|named| named == self.base.id.to_string())
                && found_by.is_none_or(|value| own.as_deref() == Some(value))
        };
        // What is another account's is not stored here; on an account's own URL all is its own.
        let events = events
            .into_iter()
            .filter(|event| !is_of_install || is_own(event));
        let events = ground.new_events(events.collect());
        if !self.is_here() || self.dead_letters.get(number)?.is_none() {
            return Err(gone());
        }
        Ok(self.replace_unread(number, events)?)
    }

    /// What was unread becomes what it brings; the first keeps its id.
    fn replace_unread(&self, number: i64, events: Vec<NewEvent>) -> Result<(), StorageFault> {
        self.outbox.report_mended(number)?;
        let mut events = events.into_iter();
        if let Some(first) = events.next() {
            self.outbox.name_event(number, &first)?;
        } else {
            let statement =
                "UPDATE event SET status = 'delivered', last_error = NULL WHERE number = ?";
            sql::run(&self.base.storage, statement, &[number.into()])?;
        }
        let rest: Vec<_> = events
            .map(|event| self.outbox.numbered(event))
            .collect::<Result<_, _>>()?;
        if let Some(environment) = self.outbox.environment()? {
            self.outbox.write_events(environment, &rest)?;
        }
        self.dead_letters.drop_one(number)
    }

    /// What a webhook of this account is verified and read with.
    pub(super) fn webhook_ground<'a>(
        &'a self,
        loaded: &'a LoadedAccount,
        resolved: &'a crate::flows::config::resolved_config::ResolvedConfig,
        is_of_install: bool,
        (request_id, room): (&'a str, &'a Room),
    ) -> WebhookContext<'a, O> {
        WebhookContext {
            outside: &self.base.outside,
            isolate: &self.base.isolate,
            room,
            resolved,
            context: &loaded.context,
            sealed: &loaded.sealed,
            shown: (!is_of_install).then(|| loaded.public(&resolved.compiled)),
            at: ("integrated_account_id", self.base.id.to_string()),
            request_id,
            redactor: self.redactor(&resolved.compiled, &loaded.context),
        }
    }
}

impl<O: Outside, S: Storage> Outbox<O, S> {
    fn numbers_of(&self, range: &ReplayRange) -> Result<Vec<i64>, StorageFault> {
        let status = range.status.as_str();
        let (from, to) = (range.from.as_millis().into(), range.to.as_millis().into());
        match range.webhook_id {
            None => {
                let statement = "SELECT number FROM event WHERE status = ? AND created_at BETWEEN ? AND ? ORDER BY number";
                sql::column(&self.base.storage, statement, &[status.into(), from, to])
            }
            Some(webhook) => {
                let statement = "SELECT e.number FROM event e JOIN delivery d ON d.event = e.number \
                     WHERE d.webhook_id = ? AND d.status = ? AND e.created_at BETWEEN ? AND ? ORDER BY e.number";
                let values = [webhook.to_string().into(), status.into(), from, to];
                sql::column(&self.base.storage, statement, &values)
            }
        }
    }

    /// Those deliveries of the event that stand as the range says; of one that arrived everywhere, all of them.
    fn replay_deliveries(&self, number: i64, range: &ReplayRange) -> Result<(), StorageFault> {
        if range.webhook_id.is_none() && range.status != EventStatus::Failed {
            return self.begin_again(number);
        }
        self.report_mended(number)?;
        let webhook = range.webhook_id.map(|id| id.to_string());
        let webhook = sql::nullable(webhook);
        let statement = "UPDATE delivery SET status = 'pending', tries = 0, next_at = ? \
                         WHERE event = ? AND status = ? AND webhook_id = COALESCE(?, webhook_id)";
        let now = self.base.outside.now().as_millis();
        let values = [
            now.into(),
            number.into(),
            range.status.as_str().into(),
            webhook,
        ];
        sql::run(&self.base.storage, statement, &values)?;
        self.settle_event(number)
    }

    /// To all who subscribed by now.
    fn begin_again(&self, number: i64) -> Result<(), StorageFault> {
        self.report_mended(number)?;
        let now = self.base.outside.now().as_millis();
        let statement =
            "UPDATE delivery SET status = 'pending', tries = 0, next_at = ? WHERE event = ?";
        sql::run(&self.base.storage, statement, &[now.into(), number.into()])?;
        let statement = "UPDATE event SET is_expanded = 0, status = 'pending' WHERE number = ?";
        sql::run(&self.base.storage, statement, &[number.into()])
    }

    fn name_event(&self, number: i64, event: &NewEvent) -> Result<(), StorageFault> {
        let statement = "UPDATE event SET event = ?, resource_type = ?, resource_id = ?, payload = ?, last_error = NULL, \
                         status = 'pending', is_expanded = 0 WHERE number = ?";
        let values = [
            event.event.as_str().into(),
            sql::nullable(event.resource_type.as_deref()),
            sql::nullable(event.resource_id.as_deref()),
            event.payload.as_str().into(),
            number.into(),
        ];
        sql::run(&self.base.storage, statement, &values)
    }
}
