//! An install's webhook, at the front Worker: verified with the install's own secrets, then stored in every
//! account it is for.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use super::{
    Arrival, Brings, Ground, Received, asked_url, limit_values, read_body, refuse_event_by,
    unreadable,
};
use crate::error::{Code, Failure};
use crate::flows::ask::{AccountAsk, EnvironmentAsk, ask_account, ask_environment};
use crate::flows::import_account::install_disabled;
use crate::flows::isolate::Isolate;
use crate::flows::proxy_call::moment;
use crate::flows::{effective, published};
use crate::ids::{AccountId, EventId, InstallId};
use crate::ports::{Incoming, Outside};
use crate::webhook::{self, Event, Request};

/// Accounts that are asked at a time.
const AT_ONCE: usize = 6;

/// What accounts are sent at a time of one webhook: fewer of them where it is large.
const COPIES_BYTES: usize = 4 * 1024 * 1024;

/// What each account is to store; several may be to store the same.
type Shares = BTreeMap<AccountId, Rc<Brings>>;

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
    let install = published::published_install(outside, isolate, id).await?;
    let install = install.ok_or_else(hidden)?;
    let room = isolate.memory.unproved_room();
    let body = read_body(outside, incoming.body, &room).await?;
    let effective = effective::of_install(outside, isolate, install).await;
    let effective = effective.map_err(|failure| unreadable(outside, &failure, &id.to_string()))?;
    let context = json!({});
    let ground = Ground {
        outside,
        isolate,
        room: &room,
        effective: &effective,
        context: &context,
        shown: None,
        at: ("environment_integration_id", id.to_string()),
        request_id,
        redactor: effective.compiled.redactor(),
    };
    let url = asked_url(outside.settings(), &incoming.url);
    let request = Request::new(&incoming.method, &url, &incoming.headers, &body);
    limit_values(&request, &room)?;
    if let Some(handshake) = ground.verified(&request).await? {
        ground.confirm(&handshake).await?;
        return Ok(Received::Handshake(Box::new(handshake)));
    }
    refuse_event_by(&incoming.method)?;
    if !effective.install.is_enabled {
        return Err(install_disabled());
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
            found
                .of_request
                .iter()
                .map(|id| (*id, Rc::clone(&unread)))
                .collect()
        }
    };
    ground.store(key, shares, &found).await
}

/// The accounts a request, and each of its events, is for.
#[derive(Default)]
struct Found {
    of_request: Vec<AccountId>,
    by_value: BTreeMap<String, Vec<AccountId>>,
}

impl<O: Outside> Ground<'_, O> {
    async fn accounts(&self, request: &Request<'_>, events: &[Event]) -> Result<Found, Failure> {
        let webhook = self.effective.compiled.config.webhook.as_ref();
        let verification = webhook.and_then(|webhook| webhook.signature_verification.as_ref());
        let field = verification
            .and_then(|verification| verification.config.context_lookup_field_name.as_deref());
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
        let install = &self.effective.install;
        let ask = EnvironmentAsk::FindAccounts(
            install.id,
            field.to_owned(),
            values.into_iter().collect(),
        );
        let found: Option<BTreeMap<String, Vec<AccountId>>> =
            ask_environment(self.outside, install.environment_id, &ask).await?;
        let by_value = found
            .ok_or_else(|| Failure::busy("The index of accounts is being renewed. Try again."))?;
        let of_request = own.and_then(|value| by_value.get(&value)).cloned();
        Ok(Found {
            of_request: of_request.unwrap_or_default(),
            by_value,
        })
    }

    /// Each account gets what names it, what its value finds, or what names nobody and came in its request. Accounts with
    /// the same events share them: one webhook can be for many.
    fn shared_out(&self, events: Vec<Event>, found: &Found) -> Shares {
        let mut wanted: BTreeMap<AccountId, Vec<usize>> = BTreeMap::new();
        for (at, event) in events.iter().enumerate() {
            for account in self.accounts_of(event, found) {
                wanted.entry(account).or_default().push(at);
            }
        }
        let events = self.new_events(events);
        let mut made: BTreeMap<Vec<usize>, Rc<Brings>> = BTreeMap::new();
        let share = |(account, places): (AccountId, Vec<usize>)| {
            let share = made.entry(places).or_insert_with_key(|places| {
                let own = places.iter().filter_map(|at| events.get(*at).cloned());
                Rc::new(Brings::Events(own.collect()))
            });
            (account, Rc::clone(share))
        };
        wanted.into_iter().map(share).collect()
    }

    fn accounts_of(&self, event: &Event, found: &Found) -> Vec<AccountId> {
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
                account.into_iter().collect()
            }
            (None, Some(value)) => found.by_value.get(value).cloned().unwrap_or_default(),
            (None, None) => found.of_request.clone(),
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
        let largest = shares.values().map(|brings| bytes_of(brings)).max();
        let at_once = (COPIES_BYTES / largest.unwrap_or(1).max(1)).clamp(1, AT_ONCE);
        let asks = shares.into_iter().map(|(account, brings)| {
            let key = key.clone();
            self.store_in(account, key, brings)
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

    /// `None` where it is no account of this install.
    async fn store_in(
        &self,
        account: AccountId,
        key: Option<String>,
        brings: Rc<Brings>,
    ) -> Result<Option<Vec<EventId>>, Failure> {
        // Its copy, and the copy's text as it is sent.
        let room = self.isolate.room();
        room.take(2 * bytes_of(&brings))?;
        let brings = (*brings).clone();
        let arrival = Arrival { key, brings };
        let ask = AccountAsk::Receive(self.effective.install.id, Box::new(arrival));
        match ask_account(self.outside, account, &ask).await {
            Ok(ids) => Ok(Some(ids)),
            Err(failure) if failure.code == Code::NotFound => {
                self.log(
                    "warn",
                    "webhook_account_unknown",
                    "an account it names is not one of this install",
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
fn bytes_of(brings: &Brings) -> usize {
    match brings {
        Brings::Events(events) => events.iter().map(|event| event.payload.len()).sum(),
        Brings::Unread(kept, _) => kept.bytes(),
    }
}
