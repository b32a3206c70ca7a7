//! Replay: events are delivered again. A dead letter is first read again, by the file as it is now.

use std::cell::OnceCell;

use crate::error::{Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::bytes_of_values;
use crate::flows::base::sql;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::ingress::receive::WebhookInbox;
use crate::flows::ingress::webhook_context::WebhookContext;
use crate::flows::messages::dead_letter::DeadLetter;
use crate::flows::messages::event::ReplayRange;
use crate::flows::messages::webhook::NewEvent;
use crate::ids::EventId;
use crate::ports::{Outside, Storage, StorageFault, Visibility};
use crate::webhook::TransformedEvent;

/// Whether the failure concerns one event, so that a replay of many continues.
fn is_of_one(code: Code) -> bool {
    matches!(
        code,
        Code::TransformFailed | Code::NeedsReauth | Code::Connecting | Code::NotReady
    )
}

impl<O: Outside, S: Storage> WebhookInbox<O, S> {
    /// Replays one event, to all present subscriptions.
    pub(in crate::flows) async fn replay(
        &self,
        visibility: &Visibility,
        id: EventId,
    ) -> Result<(), Failure> {
        let hidden = |_| Failure::not_found("event");
        self.events
            .visible_outbox(visibility)
            .await
            .map_err(hidden)?;
        let number = self.events.number_of(id)?;
        self.replay_one(number).await?;
        self.events.deliver_now().await;
        Ok(())
    }

    /// Replays the events of a range. Returns their number.
    pub(in crate::flows) async fn replay_all(
        &self,
        visibility: &Visibility,
        range: &ReplayRange,
    ) -> Result<u64, Failure> {
        self.events.visible_outbox(visibility).await?;
        if !self.outbox.is_there()? {
            return Ok(0);
        }
        // The alarm is set first: what was restarted is delivered even if a later step fails.
        self.events.deliver_now().await;
        let mut replayed = 0;
        for number in self.deliveries.rows().numbers_of(range)? {
            let outcome = match self.dead_letters.get(number)? {
                Some(dead_letter) => self.read_again(number, dead_letter).await,
                None => self
                    .deliveries
                    .rows()
                    .replay_deliveries(number, range)
                    .map_err(Failure::from),
            };
            match outcome {
                Ok(()) => replayed += 1,
                Err(failure) if is_of_one(failure.code) => {}
                Err(failure) => return Err(failure),
            }
        }
        self.events.deliver_now().await;
        Ok(replayed)
    }

    async fn replay_one(&self, number: i64) -> Result<(), Failure> {
        match self.dead_letters.get(number)? {
            Some(dead_letter) => self.read_again(number, dead_letter).await,
            None => Ok(self.deliveries.rows().expand_again(number)?),
        }
    }

    async fn read_again(&self, number: i64, dead_letter: DeadLetter) -> Result<(), Failure> {
        let gone = || Failure::not_found("integrated account");
        let loaded = self.record.settled().await?.ok_or_else(gone)?;
        let resolved = self.record.resolved_config(&loaded.account).await?;
        let is_of_install = dead_letter.is_of_install;
        if is_of_install {
            // An install's webhooks are only for accounts that are active.
            loaded.account.status.check_callable()?;
        }
        let again = dead_letter.into_request();
        let (request, room) = (again.request(), self.base.isolate().room());
        room.take(bytes_of_values(request.values(), 2 * request.body().len()))?;
        let webhook_context = self.webhook_context(&loaded, &resolved, is_of_install, ("", &room));
        let plain = OnceCell::new();
        let request = webhook_context.readable(request, &plain)?;
        let (_, events) = webhook_context.read(&request)?;
        let events = events.map_err(|error| {
            Failure::new(
                Code::TransformFailed,
                webhook_context.redactor.text(&error.to_string()),
            )
        })?;
        let own = self.record.lookup(&resolved, &loaded).value;
        let is_own = |event: &TransformedEvent| {
            let named = event.integrated_account_id.as_deref();
            let found_by = event.context_lookup_field_value.as_deref();
            named.is_none_or(|named| named == self.base.id().to_string())
                && found_by.is_none_or(|value| own.as_deref() == Some(value))
        };
        // An event of another account is not stored here. Everything on an account's own URL belongs to it.
        let events = events
            .into_iter()
            .filter(|event| !is_of_install || is_own(event));
        let events = webhook_context.new_events(events.collect());
        if !self.record.is_here() || self.dead_letters.get(number)?.is_none() {
            return Err(gone());
        }
        Ok(self.replace_dead_letter(number, events)?)
    }

    /// Replaces a dead letter by its events. The first one keeps the id.
    fn replace_dead_letter(&self, number: i64, events: Vec<NewEvent>) -> Result<(), StorageFault> {
        self.deliveries.rows().report_not_failed(number)?;
        let mut events = events.into_iter();
        if let Some(first) = events.next() {
            self.deliveries.rows().write_read_event(number, &first)?;
        } else {
            let statement =
                "UPDATE event SET status = 'delivered', last_error = NULL WHERE number = ?";
            sql::run(self.base.storage(), statement, &[number.into()])?;
        }
        let rest: Vec<_> = events
            .map(|event| self.outbox.numbered(event))
            .collect::<Result<_, _>>()?;
        if let Some(environment) = self.outbox.environment()? {
            self.outbox.write_events(environment, &rest)?;
        }
        self.dead_letters.drop_one(number)
    }

    /// The context that a webhook of this account is verified and read with.
    pub(super) fn webhook_context<'a>(
        &'a self,
        loaded: &'a LoadedAccount,
        resolved: &'a ResolvedConfig,
        is_of_install: bool,
        (request_id, room): (&'a str, &'a Room),
    ) -> WebhookContext<'a, O> {
        WebhookContext {
            outside: self.base.outside(),
            isolate: self.base.isolate(),
            room,
            resolved,
            context: &loaded.context,
            sealed: &loaded.sealed,
            shown: (!is_of_install).then(|| loaded.public(&resolved.compiled)),
            at: ("integrated_account_id", self.base.id().to_string()),
            request_id,
            redactor: self.record.redactor(&resolved.compiled, &loaded.context),
        }
    }
}
