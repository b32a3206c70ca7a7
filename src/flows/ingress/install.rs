//! An install's webhook, at the front Worker: verified with the install's own secrets, then stored in every
//! account it is for.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::config::Webhook;
use crate::config::webhook::Schemes;
use crate::error::{Code, Failure};
use crate::flows::base::moment::moment;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::{config_cache, resolved_config};
use crate::flows::ingress::verify::Verified;
use crate::flows::ingress::webhook_context::WebhookContext;
use crate::flows::ingress::{Received, asked_url, read_body, refuse_event_by, unreadable};
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::environment::{EnvironmentMessage, FoundBy};
use crate::flows::messages::webhook::{VerifiedWebhook, WebhookContent};
use crate::flows::messages::{send_to_account, send_to_environment};
use crate::ids::{AccountId, EventId, InstallId};
use crate::ports::{Incoming, Outside};
use crate::webhook::{self, TransformedEvent, WebhookRequest};

/// Accounts that are asked at a time.
const AT_ONCE: usize = 6;

/// What accounts are sent at a time of one webhook: fewer of them where it is large.
const COPIES_BYTES: usize = 4 * 1024 * 1024;

/// What each account is to store; several may be to store the same.
type Shares = BTreeMap<AccountId, Share>;

/// What one account is to store.
struct Share {
    brings: Rc<WebhookContent>,
    /// By which value it was looked up; nothing: it is named outright.
    found_by: Option<String>,
}

/// Takes what came to `/environment-integration-webhook/{id}`.
pub async fn receive_for_install<O: Outside>(
    outside: &O,
    isolate: &Isolate,
    request_id: &str,
    id: &str,
    incoming: Incoming<O::Stream>,
) -> Result<Received, Failure> {
    let hidden = || Failure::not_found("environment integration");
    let id: InstallId = id.parse().map_err(|_| hidden())?;
    let install = config_cache::published_install(outside, isolate, id).await?;
    let install = install.ok_or_else(hidden)?;
    let room = isolate.memory.unproved_room();
    let body = read_body(outside, incoming.body, &room).await?;
    let resolved = resolved_config::of_install(outside, isolate, install).await;
    let resolved = resolved.map_err(|failure| unreadable(outside, &failure, &id.to_string()))?;
    let context = json!({});
    let ground = WebhookContext {
        outside,
        isolate,
        room: &room,
        resolved: &resolved,
        context: &context,
        sealed: &Value::Null,
        shown: None,
        at: ("environment_integration_id", id.to_string()),
        request_id,
        redactor: resolved.compiled.redactor(),
    };
    let url = asked_url(outside.settings(), &incoming.url, incoming.asked.as_deref());
    let sent = WebhookRequest::new(&incoming.method, &url, &incoming.headers, &body);
    let plain = OnceCell::new();
    let request = match ground.verified(sent, &plain).await? {
        Verified::Event(request) => *request,
        Verified::Handshake(handshake) => {
            ground.confirm(&handshake).await?;
            return Ok(Received::Handshake(handshake));
        }
    };
    refuse_event_by(&incoming.method)?;
    if !resolved.install.is_enabled {
        return Err(Failure::install_disabled());
    }
    let (key, events) = ground.read(&request)?;
    let found = ground
        .accounts(&request, events.as_deref().unwrap_or_default())
        .await?;
    let shares = match events {
        Ok(events) => ground.shared_out(events, &found),
        Err(error) if found.of_request.is_empty() => {
            ground.log("error", "webhook_transform_failed", &error.to_string());
            return Err(Failure::busy(
                "The webhook cannot be read, and no account is known that could keep it.",
            ));
        }
        Err(error) => {
            let unread = Rc::new(ground.unread(&request, &error));
            let share = || Share {
                brings: Rc::clone(&unread),
                found_by: found.own.clone(),
            };
            found.of_request.iter().map(|id| (*id, share())).collect()
        }
    };
    ground.store(key, shares, &found).await
}

/// The accounts a request, and each of its events, is for.
#[derive(Default)]
struct Found {
    /// The key of their context.
    field: String,
    /// The request's own value.
    own: Option<String>,
    of_request: Vec<AccountId>,
    by_value: BTreeMap<String, Vec<AccountId>>,
}

impl<O: Outside> WebhookContext<'_, O> {
    async fn accounts(
        &self,
        request: &WebhookRequest<'_>,
        events: &[TransformedEvent],
    ) -> Result<Found, Failure> {
        let webhook = self.resolved.compiled.config.webhook.as_ref();
        let schemes = webhook.and_then(|webhook| webhook.signature_verification.as_ref());
        let verification = schemes.and_then(Schemes::with_lookup);
        let field = webhook.and_then(Webhook::lookup_field);
        let (Some(verification), Some(field)) = (verification, field) else {
            return Ok(Found::default());
        };
        let looked_up = webhook::lookup(verification, request, &moment(self.outside));
        let looked_up = looked_up.map_err(|error| {
            self.log("error", "webhook_lookup_failed", &error.to_string());
            Failure::busy("The webhook's account cannot be told. Try again.")
        })?;
        let own = looked_up.map(|(_, value)| value);
        let of_events = events
            .iter()
            .filter_map(|event| event.context_lookup_field_value.clone());
        let values: BTreeSet<String> = of_events.chain(own.clone()).collect();
        if values.is_empty() {
            return Ok(Found::default());
        }
        let install = &self.resolved.install;
        let ask = EnvironmentMessage::FindAccounts(
            install.id,
            field.to_owned(),
            values.into_iter().collect(),
        );
        let found: Option<BTreeMap<String, Vec<AccountId>>> =
            send_to_environment(self.outside, install.environment_id, &ask).await?;
        let by_value = found
            .ok_or_else(|| Failure::busy("The index of accounts is being renewed. Try again."))?;
        let of_request = own.as_ref().and_then(|value| by_value.get(value)).cloned();
        Ok(Found {
            field: field.to_owned(),
            own,
            of_request: of_request.unwrap_or_default(),
            by_value,
        })
    }

    /// Each account gets what names it, what its value finds, or what names nobody and came in its request. Accounts with
    /// the same events share them: one webhook can be for many.
    fn shared_out(&self, events: Vec<TransformedEvent>, found: &Found) -> Shares {
        let mut wanted: BTreeMap<AccountId, (Vec<usize>, Option<String>)> = BTreeMap::new();
        for (at, event) in events.iter().enumerate() {
            let (accounts, found_by) = self.accounts_of(event, found);
            for account in accounts {
                let (places, by) = wanted.entry(account).or_default();
                places.push(at);
                *by = by.take().or_else(|| found_by.map(str::to_owned));
            }
        }
        let events = self.new_events(events);
        let mut made: BTreeMap<Vec<usize>, Rc<WebhookContent>> = BTreeMap::new();
        let share = |(account, (places, found_by)): (AccountId, (Vec<usize>, Option<String>))| {
            let brings = made.entry(places).or_insert_with_key(|places| {
                let own = places.iter().filter_map(|at| events.get(*at).cloned());
                Rc::new(WebhookContent::Events(own.collect()))
            });
            let brings = Rc::clone(brings);
            (account, Share { brings, found_by })
        };
        wanted.into_iter().map(share).collect()
    }

    /// The accounts, and the value they are looked up by.
    fn accounts_of<'f>(
        &self,
        event: &'f TransformedEvent,
        found: &'f Found,
    ) -> (Vec<AccountId>, Option<&'f str>) {
        match (
            &event.integrated_account_id,
            &event.context_lookup_field_value,
        ) {
            (Some(id), _) => {
                let account = id.parse().ok();
                if account.is_none() {
                    let reason = "`integrated_account_id` is no id of an account";
                    self.log("warn", "webhook_account_unknown", reason);
                }
                (account.into_iter().collect(), None)
            }
            (None, Some(value)) => {
                let accounts = found.by_value.get(value).cloned();
                (accounts.unwrap_or_default(), Some(value))
            }
            (None, None) => (found.of_request.clone(), found.own.as_deref()),
        }
    }

    /// Only when every account has stored its share it is answered that they have.
    async fn store(
        &self,
        key: Option<String>,
        shares: Shares,
        found: &Found,
    ) -> Result<Received, Failure> {
        if shares.is_empty() && found.of_request.is_empty() {
            self.log(
                "warn",
                "webhook_matched_nobody",
                "no account has the value that the webhook names",
            );
        }
        let has_events = !shares.is_empty();
        let largest = shares.values().map(|share| bytes_of(&share.brings)).max();
        let at_once = (COPIES_BYTES / largest.unwrap_or(1).max(1)).clamp(1, AT_ONCE);
        let asks = shares.into_iter().map(|(account, share)| {
            let found_by = share.found_by.map(|value| FoundBy {
                field: found.field.clone(),
                value,
            });
            self.store_in(account, key.clone(), share.brings, found_by)
        });
        let stored: Vec<Option<Vec<EventId>>> =
            stream::iter(asks).buffered(at_once).try_collect().await?;
        let stored: Vec<_> = stored.into_iter().flatten().collect();
        // A request that brings no event still has its accounts.
        let matched = if has_events {
            stored.len()
        } else {
            found.of_request.len()
        };
        Ok(Received::Matched(
            matched,
            stored.into_iter().flatten().collect(),
        ))
    }

    /// `None` where it is no active account of this install, or the value is not its own any more.
    async fn store_in(
        &self,
        account: AccountId,
        key: Option<String>,
        brings: Rc<WebhookContent>,
        found_by: Option<FoundBy>,
    ) -> Result<Option<Vec<EventId>>, Failure> {
        // Its copy, and the copy's text as it is sent.
        let room = self.isolate.room();
        room.take(2 * bytes_of(&brings))?;
        let brings = (*brings).clone();
        let arrival = VerifiedWebhook {
            key,
            brings,
            found_by,
        };
        let ask = AccountMessage::Receive(self.resolved.install.id, Box::new(arrival));
        match send_to_account(self.outside, account, &ask).await {
            Ok(ids) => Ok(Some(ids)),
            Err(failure) if failure.code == Code::NotFound => {
                self.log(
                    "warn",
                    "webhook_account_unknown",
                    "an account it names is not an active one of this install",
                );
                Ok(None)
            }
            Err(failure) => {
                let reason = Value::from(failure.code.as_str());
                self.log("error", "webhook_not_stored", &reason.to_string());
                Err(Failure::storage())
            }
        }
    }
}

/// What a share takes in memory.
fn bytes_of(brings: &WebhookContent) -> usize {
    match brings {
        WebhookContent::Events(events) => events.iter().map(|event| event.payload.len()).sum(),
        WebhookContent::Unread(kept, _) => kept.bytes(),
    }
}
