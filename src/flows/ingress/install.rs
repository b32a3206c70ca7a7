//! An install's webhook, at the front Worker: verified with the install's own secrets, then stored in every account
//! that it is for.

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
use crate::flows::ingress::assign::{MatchedAccounts, Shares};
use crate::flows::ingress::verify::Verified;
use crate::flows::ingress::webhook_context::WebhookContext;
use crate::flows::ingress::{Received, read_body, refuse_event_by, registered_url, unreadable};
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::environment::{EnvironmentMessage, LookupMatch};
use crate::flows::messages::webhook::{VerifiedWebhook, WebhookContent};
use crate::flows::messages::{send_to_account, send_to_environment};
use crate::ids::{AccountId, EventId, InstallId};
use crate::ports::{Incoming, Outside};
use crate::webhook::{self, TransformedEvent, WebhookRequest};

/// Accounts in parallel.
const AT_ONCE: usize = 6;

/// The bytes of one webhook that are sent to accounts in parallel. A large webhook goes to fewer of them at a time.
const COPIES_BYTES: usize = 4 * 1024 * 1024;

/// Handles a request to `/environment-integration-webhook/{id}`.
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
    let webhook_context = WebhookContext {
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
    let url = registered_url(
        outside.settings(),
        &incoming.url,
        incoming.raw_target.as_deref(),
    );
    let sent = WebhookRequest::new(&incoming.method, &url, &incoming.headers, &body);
    let plain = OnceCell::new();
    let request = match webhook_context.verified(sent, &plain).await? {
        Verified::Event(request) => *request,
        Verified::Handshake(handshake) => {
            webhook_context.confirm(&handshake).await?;
            return Ok(Received::Handshake(handshake));
        }
    };
    refuse_event_by(&incoming.method)?;
    if !resolved.install.is_enabled {
        return Err(Failure::install_disabled());
    }
    let (key, events) = webhook_context.read(&request)?;
    let matched = webhook_context
        .accounts(&request, events.as_deref().unwrap_or_default())
        .await?;
    let shares = match events {
        Ok(events) => webhook_context.assign_events(events, &matched),
        Err(error) => webhook_context.assign_dead_letter(&request, &error, &matched)?,
    };
    webhook_context.store(key, shares, &matched).await
}

impl<O: Outside> WebhookContext<'_, O> {
    async fn accounts(
        &self,
        request: &WebhookRequest<'_>,
        events: &[TransformedEvent],
    ) -> Result<MatchedAccounts, Failure> {
        let webhook = self.resolved.compiled.config.webhook.as_ref();
        let schemes = webhook.and_then(|webhook| webhook.signature_verification.as_ref());
        let verification = schemes.and_then(Schemes::with_lookup);
        let field = webhook.and_then(Webhook::lookup_field);
        let (Some(verification), Some(field)) = (verification, field) else {
            return Ok(MatchedAccounts::default());
        };
        let looked_up = webhook::lookup(verification, request, &moment(self.outside));
        let looked_up = looked_up.map_err(|error| {
            self.log("error", "webhook_lookup_failed", &error.to_string());
            Failure::busy("The account of the webhook could not be determined. Try again.")
        })?;
        let own = looked_up.map(|(_, value)| value);
        let of_events = events
            .iter()
            .filter_map(|event| event.context_lookup_field_value.clone());
        let values: BTreeSet<String> = of_events.chain(own.clone()).collect();
        if values.is_empty() {
            return Ok(MatchedAccounts::default());
        }
        let install = &self.resolved.install;
        let message = EnvironmentMessage::FindAccounts(
            install.id,
            field.to_owned(),
            values.into_iter().collect(),
        );
        let matched: Option<BTreeMap<String, Vec<AccountId>>> =
            send_to_environment(self.outside, install.environment_id, &message).await?;
        let by_value = matched
            .ok_or_else(|| Failure::busy("The index of accounts is being rebuilt. Try again."))?;
        let of_request = own.as_ref().and_then(|value| by_value.get(value)).cloned();
        Ok(MatchedAccounts {
            field: field.to_owned(),
            own,
            of_request: of_request.unwrap_or_default(),
            by_value,
        })
    }

    /// Answers only after every account has stored its share.
    async fn store(
        &self,
        key: Option<String>,
        shares: Shares,
        matched: &MatchedAccounts,
    ) -> Result<Received, Failure> {
        if shares.is_empty() && matched.of_request.is_empty() {
            self.log(
                "warn",
                "webhook_matched_no_account",
                "no account has the value that the webhook names",
            );
        }
        let has_events = !shares.is_empty();
        let largest = shares.values().map(|share| bytes_of(&share.content)).max();
        let at_once = (COPIES_BYTES / largest.unwrap_or(1).max(1)).clamp(1, AT_ONCE);
        let requests = shares.into_iter().map(|(account, share)| {
            let found_by = share.found_by.map(|value| LookupMatch {
                field: matched.field.clone(),
                value,
            });
            self.store_in(account, key.clone(), share.content, found_by)
        });
        let stored: Vec<Option<Vec<EventId>>> = stream::iter(requests)
            .buffered(at_once)
            .try_collect()
            .await?;
        let stored: Vec<_> = stored.into_iter().flatten().collect();
        // A request without events still matched its accounts.
        let matched = if has_events {
            stored.len()
        } else {
            matched.of_request.len()
        };
        Ok(Received::Matched(
            matched,
            stored.into_iter().flatten().collect(),
        ))
    }

    /// `None` where the account is not an active one of this install, or no longer has the lookup value.
    async fn store_in(
        &self,
        account: AccountId,
        key: Option<String>,
        content: Rc<WebhookContent>,
        found_by: Option<LookupMatch>,
    ) -> Result<Option<Vec<EventId>>, Failure> {
        // The copy of the content, and its text as it is sent.
        let room = self.isolate.room();
        room.take(2 * bytes_of(&content))?;
        let content = (*content).clone();
        let webhook = VerifiedWebhook {
            key,
            content,
            found_by,
        };
        let message = AccountMessage::Receive(self.resolved.install.id, Box::new(webhook));
        match send_to_account(self.outside, account, &message).await {
            Ok(ids) => Ok(Some(ids)),
            Err(failure) if failure.code == Code::NotFound => {
                self.log(
                    "warn",
                    "webhook_account_unknown",
                    "the event names an account that is not an active one of this install",
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

/// The memory of a content.
fn bytes_of(content: &WebhookContent) -> usize {
    match content {
        WebhookContent::Events(events) => events.iter().map(|event| event.payload.len()).sum(),
        WebhookContent::DeadLetter(kept, _) => kept.bytes(),
    }
}
