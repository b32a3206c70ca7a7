//! What a webhook is verified and read with, and the steps that use it: URL verification, the events, the refusals.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::config::Webhook;
use crate::error::Failure;
use crate::expression::TemplateScope;
use crate::flows::base::fetch;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::bytes_of_values;
use crate::flows::base::moment::moment;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::ingress::{bad_signature, unreadable};
use crate::flows::messages::dead_letter::DeadLetter;
use crate::flows::messages::webhook::{NewEvent, WebhookContent};
use crate::ports::Outside;
use crate::webhook::{
    self, Handshake, HandshakeError, Refusal, SenderProof, TransformError, TransformedEvent,
    WebhookRequest,
};

/// The limit of all payloads of one request together.
const ALL_PAYLOADS: usize = 8 * 1024 * 1024;

/// The deduplication key of a request, and its events, or why it has none.
pub type ReadEvents = (
    Option<String>,
    Result<Vec<TransformedEvent>, TransformError>,
);

/// What a webhook is verified and read with.
pub struct WebhookContext<'a, O> {
    pub outside: &'a O,
    pub isolate: &'a Isolate,
    /// The memory of the request: in the share of unproved senders until it is verified.
    pub room: &'a Room,
    pub resolved: &'a ResolvedConfig,
    /// The account's whole context. Empty on an install's URL.
    pub context: &'a Value,
    /// The sealed part of the context.
    pub sealed: &'a Value,
    /// The part of the context that expressions see. `None` on an install's URL.
    pub shown: Option<Value>,
    /// The key and the id of the account or install in log lines.
    pub at: (&'static str, String),
    /// The id of the request in log lines.
    pub request_id: &'a str,
    /// Redacts the secrets of the account and the install.
    pub redactor: Rc<Redactor>,
}

impl<O: Outside> WebhookContext<'_, O> {
    /// Moves the memory of a verified request to the proved share, and allows reading all its values.
    pub(in crate::flows) fn prove(&self, request: &WebhookRequest) -> Result<(), Failure> {
        self.room.prove()?;
        if request.release() || request.is_token() {
            let values = request.values();
            self.room
                .take(bytes_of_values(values, request.body().len()))?;
        }
        Ok(())
    }

    /// A URL verification whose expression fails may be an event; then it is read as one.
    pub(in crate::flows) fn signed_handshake(
        &self,
        webhook: &Webhook,
        request: &WebhookRequest,
    ) -> Result<Option<Handshake>, Failure> {
        match self.handshake(webhook, request, SenderProof::Signed) {
            Err(error @ (HandshakeError::Expression(_) | HandshakeError::Shape(_))) => {
                self.log("warn", "webhook_handshake_failed", &error.to_string());
                Ok(None)
            }
            outcome => outcome.map_err(|error| self.refused_handshake(&error)),
        }
    }

    pub(in crate::flows) fn handshake(
        &self,
        webhook: &Webhook,
        request: &WebhookRequest,
        proof: SenderProof,
    ) -> Result<Option<Handshake>, HandshakeError> {
        let moment = moment(self.outside);
        let shown = self.shown.as_ref();
        webhook::handshake(webhook, request, shown, &self.scope(), proof, &moment)
    }

    /// Whether the context keys that a URL verification sets may still be set.
    pub fn may_hand_over(&self, handshake: &Handshake) -> bool {
        let webhook = self.resolved.compiled.config.webhook.as_ref();
        let update = &handshake.update_context;
        webhook.is_some_and(|webhook| {
            webhook::may_hand_over(webhook, update, &self.scope(), handshake.proof).is_ok()
        })
    }

    /// The context keys that signatures are computed with: anyone who knows their values can sign.
    pub fn keys_of_proof(&self) -> BTreeSet<String> {
        let webhook = self.resolved.compiled.config.webhook.as_ref();
        webhook.map(webhook::keys_of_proof).unwrap_or_default()
    }

    /// Reads a verified request: its deduplication key and its events. The events count with the memory of the request.
    pub fn read(&self, request: &WebhookRequest) -> Result<ReadEvents, Failure> {
        let Some(webhook) = &self.resolved.compiled.config.webhook else {
            return Ok((None, Ok(Vec::new())));
        };
        let moment = moment(self.outside);
        let shown = self.shown.as_ref();
        let key = webhook::event_id(webhook, request, shown, &moment).unwrap_or_else(|error| {
            self.log("warn", "webhook_event_id_failed", &error.to_string());
            None
        });
        let events = webhook::transform(webhook, request, shown, &moment);
        let events = events.and_then(|events| self.checked(events));
        let payloads = events.iter().flatten().map(|event| event.payload.len());
        // Once as they are read, once as they are stored.
        self.room.take(2 * payloads.sum::<usize>())?;
        Ok((key, events))
    }

    /// A payload must fit into one column of a row.
    fn checked(
        &self,
        events: Vec<TransformedEvent>,
    ) -> Result<Vec<TransformedEvent>, TransformError> {
        let limit = self.outside.settings().webhook_body_bytes;
        let all: usize = events.iter().map(|event| event.payload.len()).sum();
        let is_large = events.iter().any(|event| event.payload.len() > limit);
        if is_large || all > ALL_PAYLOADS {
            return Err(TransformError::Shape {
                key: "payload_transform",
                what: format!(
                    "a payload of more than {limit} bytes, or payloads of more than {ALL_PAYLOADS} bytes together"
                ),
            });
        }
        Ok(events)
    }

    /// Events for storage, without the secrets that a sender repeats: those of the file and the install, and the
    /// account's where it is known.
    pub fn new_events(&self, events: Vec<TransformedEvent>) -> Vec<NewEvent> {
        let new = events.into_iter().map(|event| {
            let mut new = NewEvent {
                event: event.event_type,
                resource_type: event.resource_type,
                resource_id: event.resource_id,
                payload: event.payload,
            };
            self.redactor.redact_event(&mut new);
            new
        });
        new.collect()
    }

    /// The dead letter of a request that the file cannot read.
    pub fn dead_letter(&self, request: &WebhookRequest, error: &TransformError) -> WebhookContent {
        let dead_letter = DeadLetter::new(request, self.shown.is_none());
        self.log("error", "webhook_transform_failed", &error.to_string());
        WebhookContent::DeadLetter(
            Box::new(dead_letter),
            self.redactor.text(&error.to_string()),
        )
    }

    /// Confirms a subscription: calls the address that a signed URL verification names.
    pub async fn confirm(&self, handshake: &Handshake) -> Result<(), Failure> {
        let Some(url) = &handshake.confirm_url else {
            return Ok(());
        };
        let fetched = fetch::get(self.outside, url, self.room).await;
        fetched.map(drop).map_err(|reason| {
            self.log("error", "webhook_confirmation_failed", &reason);
            Failure::busy("The subscription could not be confirmed. Try again.")
        })
    }

    pub(in crate::flows) fn scope(&self) -> TemplateScope<'_> {
        let compiled = &self.resolved.compiled;
        compiled.scope(self.context, self.shown.as_ref().unwrap_or(&Value::Null))
    }

    /// Where a secret was set for another use, the sender is asked to try again: the operator can set it again.
    pub(in crate::flows) fn refused(&self, refusal: &Refusal) -> Failure {
        if let Refusal::Render(_, error) = refusal
            && error.withheld().is_some()
        {
            let failure = Failure::from(error.clone());
            return unreadable(self.outside, &failure, &self.at.1);
        }
        self.log_refusal(refusal.code(), &refusal.to_string())
    }

    pub(in crate::flows) fn refused_handshake(&self, error: &HandshakeError) -> Failure {
        if let HandshakeError::Challenge(refusal @ Refusal::Render(..)) = error {
            return self.refused(refusal);
        }
        self.log_refusal("handshake", &error.to_string())
    }

    /// The response is the same for every reason; the log has the exact one.
    fn log_refusal(&self, code: &str, reason: &str) -> Failure {
        let (key, id) = &self.at;
        let line = json!({ "level": "warn", "event": "webhook_refused", "code": code, "reason": reason, "integration": self.resolved.integration.name, *key: id, "request_id": self.request_id });
        self.outside.log(&line);
        bad_signature()
    }

    /// The message of an expression (`$error`) may quote the sender.
    pub(in crate::flows) fn log(&self, level: &str, event: &str, reason: &str) {
        let reason = self.redactor.text(reason);
        let (key, id) = &self.at;
        let line = json!({ "level": level, "event": event, "reason": reason, "integration": self.resolved.integration.name, *key: id, "request_id": self.request_id });
        self.outside.log(&line);
    }
}
