//! Webhooks of this account. A request to the account's own URL is verified here; one to an install's URL arrives verified.
//! The answer is 200 only after the events are stored.

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::Value;

use crate::account::origin::Origin;
use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::changes::{Changes, refuse_host_keys};
use crate::flows::account::contents::Contents;
use crate::flows::account::event::EventType;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::record::AccountRecord;
use crate::flows::base::context_limits::check_context;
use crate::flows::base::memory::Room;
use crate::flows::base::sql;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::events::account_events::AccountEvents;
use crate::flows::events::deliver::Dispatcher;
use crate::flows::ingress::dead_letters::DeadLetters;
use crate::flows::ingress::verify::Verified;
use crate::flows::ingress::{
    Received, bad_signature, read_body, refuse_event_by, registered_url, unreadable,
};
use crate::flows::messages::webhook::{NewEvent, VerifiedWebhook, WebhookContent};
use crate::flows::sync::Syncs;
use crate::ids::{EnvironmentId, EventId, InstallId};
use crate::ports::{Incoming, Outside, Storage, StorageFault, Visibility};
use crate::settings::DEDUPLICATION;
use crate::time::Timestamp;
use crate::webhook::{Handshake, SenderProof, WebhookRequest};

/// The components that [`WebhookInbox`] is built on.
pub(in crate::flows) struct InboxStores<'a, O, S> {
    pub(in crate::flows) outbox: &'a Rc<Outbox<O, S>>,
    pub(in crate::flows) deliveries: &'a Rc<Dispatcher<O, S>>,
    pub(in crate::flows) dead_letters: &'a Rc<DeadLetters<O, S>>,
}

/// Receives the webhooks of the account.
pub(in crate::flows) struct WebhookInbox<O, S> {
    pub(super) base: Rc<Base<O, S>>,
    pub(super) record: Rc<AccountRecord<O, S>>,
    changes: Rc<Changes<O, S>>,
    pub(super) outbox: Rc<Outbox<O, S>>,
    pub(super) events: Rc<AccountEvents<O, S>>,
    pub(super) deliveries: Rc<Dispatcher<O, S>>,
    pub(super) dead_letters: Rc<DeadLetters<O, S>>,
    syncs: Rc<Syncs<O, S>>,
}

impl<O: Outside, S: Storage> WebhookInbox<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        changes: &Rc<Changes<O, S>>,
        events: &Rc<AccountEvents<O, S>>,
        syncs: &Rc<Syncs<O, S>>,
        stores: &InboxStores<'_, O, S>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            changes: Rc::clone(changes),
            outbox: Rc::clone(stores.outbox),
            events: Rc::clone(events),
            deliveries: Rc::clone(stores.deliveries),
            dead_letters: Rc::clone(stores.dead_letters),
            syncs: Rc::clone(syncs),
        }
    }

    /// Handles a request to `/integrated-account-webhook/{id}`.
    pub async fn receive(
        &self,
        request_id: &str,
        incoming: Incoming<O::Stream>,
    ) -> Result<Received, Failure> {
        let hidden = || Failure::not_found("integrated account");
        let loaded = self.record.settled().await?.ok_or_else(hidden)?;
        let room = self.base.isolate().memory.unproved_room();
        let body = read_body(self.base.outside(), incoming.body, &room).await?;
        let resolved = self.record.resolved_config(&loaded.account).await;
        let resolved = resolved.map_err(|failure| {
            unreadable(self.base.outside(), &failure, &self.base.id().to_string())
        })?;
        let url = registered_url(
            self.base.outside().settings(),
            &incoming.url,
            incoming.raw_target.as_deref(),
        );
        let sent = WebhookRequest::new(&incoming.method, &url, &incoming.headers, &body);
        let plain = OnceCell::new();
        let webhook_context = self.webhook_context(&loaded, &resolved, false, (request_id, &room));
        let request = match webhook_context.verified(sent, &plain).await? {
            Verified::Event(request) => *request,
            Verified::Handshake(handshake) => {
                self.store_handed_over(&handshake, (request_id, &room))
                    .await?;
                webhook_context.confirm(&handshake).await?;
                return Ok(Received::Handshake(handshake));
            }
        };
        refuse_event_by(&incoming.method)?;
        if !resolved.install.is_enabled {
            return Err(Failure::install_disabled());
        }
        let (key, events) = webhook_context.read(&request)?;
        let content = match events {
            Ok(events) => WebhookContent::Events(webhook_context.new_events(events)),
            Err(error) => webhook_context.dead_letter(&request, &error),
        };
        if !self.record.is_here() {
            return Err(hidden());
        }
        let webhook = VerifiedWebhook::own(key, content);
        let run_at = self.start_syncs(&resolved, &webhook);
        let ids = self.store(loaded.account.environment_id, webhook)?;
        self.wake(run_at).await;
        Ok(Received::Stored(ids))
    }

    /// Stores the share of a webhook that was verified at the install's URL.
    pub(in crate::flows) async fn receive_of_install(
        &self,
        install: InstallId,
        webhook: VerifiedWebhook,
    ) -> Result<Vec<EventId>, Failure> {
        let hidden = || Failure::not_found("integrated account");
        let loaded = self.record.settled().await?;
        let of_install =
            |loaded: &Rc<LoadedAccount>| loaded.account.environment_integration_id == install;
        let loaded = loaded.filter(of_install).ok_or_else(hidden)?;
        let resolved = self.record.resolved_config(&loaded.account).await?;
        let webhook = without_secrets(
            webhook,
            &self.record.redactor(&resolved.compiled, &loaded.context),
        );
        if !self.record.is_here() {
            return Err(hidden());
        }
        if !self
            .record
            .is_found(&resolved, &loaded, webhook.found_by.as_ref())
        {
            // The index may have a pending change that the account's row does not have yet.
            return Err(if self.record.has_pending()? {
                Failure::busy("The account is being changed. Try again.")
            } else {
                hidden()
            });
        }
        let run_at = self.start_syncs(&resolved, &webhook);
        let ids = self.store(loaded.account.environment_id, webhook)?;
        self.wake(run_at).await;
        Ok(ids)
    }

    /// Starts the syncs that follow the webhook's events, in the same write. Returns when the first of them is due.
    fn start_syncs(
        &self,
        resolved: &ResolvedConfig,
        webhook: &VerifiedWebhook,
    ) -> Option<Timestamp> {
        let WebhookContent::Events(events) = &webhook.content else {
            return None;
        };
        let names = events.iter().map(|event| event.event.as_str());
        let started = self.syncs.note_events(&resolved.compiled.config, &names);
        started.unwrap_or_else(|failure| {
            self.base.log("sync_not_started", failure.code.as_str());
            None
        })
    }

    async fn wake(&self, run_at: Option<Timestamp>) {
        self.events.wake_to_deliver().await;
        if let Some(at) = run_at {
            self.events.wake_by(at).await;
        }
    }

    /// Stores the events and their deduplication key in one event-loop tick, so in one write. A repeated webhook gets the ids
    /// of the first.
    fn store(
        &self,
        environment: EnvironmentId,
        webhook: VerifiedWebhook,
    ) -> Result<Vec<EventId>, Failure> {
        self.outbox.open(environment)?;
        if let Some(key) = &webhook.key
            && let Some(ids) = self.seen(key)?
        {
            return Ok(ids);
        }
        let numbers = match webhook.content {
            WebhookContent::Events(events) => self.store_new(environment, events)?,
            WebhookContent::DeadLetter(dead_letter, reason) => {
                vec![self.dead_letters.store(&dead_letter, &reason)?]
            }
        };
        let ids: Vec<EventId> = numbers
            .into_iter()
            .map(|number| self.outbox.event_id(number))
            .collect();
        if let Some(key) = &webhook.key {
            self.note_seen(key, &ids)?;
        }
        Ok(ids)
    }

    /// Stores the context values that a URL verification sets. Whether they may be set is checked again under the lock: two
    /// requests may arrive at once.
    async fn store_handed_over(
        &self,
        handshake: &Handshake,
        (request_id, room): (&str, &Room),
    ) -> Result<(), Failure> {
        if handshake.update_context.is_empty() {
            return Ok(());
        }
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.record.visible(&Visibility::All).await?;
        let resolved = self.record.resolved_config(&loaded.account).await?;
        let webhook_context = self.webhook_context(&loaded, &resolved, false, (request_id, room));
        if !webhook_context.may_hand_over(handshake) {
            return Err(bad_signature());
        }
        let mut contents = Contents::of(&loaded);
        let update = Value::Object(handshake.update_context.clone());
        let who = match handshake.proof {
            SenderProof::Signed => {
                contents.origin_by(&webhook_context.keys_of_proof(), &resolved.compiled)
            }
            // Any sender can have sent an unsigned request.
            SenderProof::Unsigned => Origin::Customer,
        };
        contents.write(who, &update)?;
        check_context(contents.context())?;
        let account = loaded.account.clone();
        let method = &account.authentication_method;
        refuse_host_keys(
            &resolved.compiled,
            method,
            &loaded.context,
            contents.context(),
        )?;
        self.changes
            .store(&loaded, account, &contents, &[EventType::Updated])
            .await
            .map(drop)
    }

    fn store_new(
        &self,
        environment: EnvironmentId,
        events: Vec<NewEvent>,
    ) -> Result<Vec<i64>, StorageFault> {
        let events: Vec<_> = events
            .into_iter()
            .map(|event| self.outbox.numbered(event))
            .collect::<Result<_, _>>()?;
        self.outbox.write_events(environment, &events)?;
        Ok(events.iter().map(|event| event.number).collect())
    }

    fn seen(&self, key: &str) -> Result<Option<Vec<EventId>>, StorageFault> {
        let since = self.base.outside().now().minus(DEDUPLICATION).as_millis();
        let statement = "SELECT events FROM seen WHERE key = ? AND at > ?";
        let values = [key.into(), since.into()];
        let text: Option<String> = sql::one(self.base.storage(), statement, &values)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn note_seen(&self, key: &str, ids: &[EventId]) -> Result<(), StorageFault> {
        let now = self.base.outside().now();
        let statement = "INSERT OR REPLACE INTO seen (key, events, at) VALUES (?, ?, ?)";
        sql::run(
            self.base.storage(),
            statement,
            &[key.into(), sql::json(&ids)?, now.as_millis().into()],
        )?;
        self.outbox.note_stored(now);
        Ok(())
    }
}

/// Redacts the account's secrets; the install's URL knows only those of the install.
fn without_secrets(webhook: VerifiedWebhook, redactor: &Redactor) -> VerifiedWebhook {
    let WebhookContent::Events(mut events) = webhook.content else {
        return webhook;
    };
    for event in &mut events {
        redactor.redact_event(event);
    }
    VerifiedWebhook {
        content: WebhookContent::Events(events),
        ..webhook
    }
}
