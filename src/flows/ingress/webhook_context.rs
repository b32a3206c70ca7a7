//! Where a webhook arrives, and what is found out there: whether it is proved, whether it is a handshake, what it brings.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::config::Webhook;
use crate::error::Failure;
use crate::expression::TemplateScope;
use crate::flows::base::fetch;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::built::built_bytes;
use crate::flows::base::moment::moment;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::ingress::{bad_signature, unreadable};
use crate::flows::messages::dead_letter::Kept;
use crate::flows::messages::webhook::{NewEvent, WebhookContent};
use crate::ports::Outside;
use crate::webhook::{
    self, Handshake, HandshakeError, Refusal, SenderProof, TransformError, TransformedEvent,
    WebhookRequest,
};

/// All events of one request together may have so much payload.
const ALL_PAYLOADS: usize = 8 * 1024 * 1024;

/// By what a request is known, and its events; or why there are none.
pub type ReadEvents = (
    Option<String>,
    Result<Vec<TransformedEvent>, TransformError>,
);

/// Where a webhook arrives: what it is verified and read with.
pub struct WebhookContext<'a, O> {
    /// The outside.
    pub outside: &'a O,
    /// What its objects share.
    pub isolate: &'a Isolate,
    /// What the request holds: in the share of unproved senders until it is verified.
    pub room: &'a Room,
    /// The integration as it counts here.
    pub resolved: &'a ResolvedConfig,
    /// The account's whole context; an empty one on an install's URL.
    pub context: &'a Value,
    /// What is sealed of it.
    pub sealed: &'a Value,
    /// What expressions see of it; nothing on an install's URL.
    pub shown: Option<Value>,
    /// The id the log names: its key, and itself.
    pub at: (&'static str, String),
    /// The id of the request, for the log.
    pub request_id: &'a str,
    /// What finds the secrets of the account and the install.
    pub redactor: Rc<Redactor>,
}

impl<O: Outside> WebhookContext<'_, O> {
    /// What is held of it counts with what proved senders hold; all of it may be looked into.
    pub(in crate::flows) fn prove(&self, request: &WebhookRequest) -> Result<(), Failure> {
        self.room.prove()?;
        if request.release() || request.is_token() {
            let values = request.values();
            self.room.take(built_bytes(values, request.body().len()))?;
        }
        Ok(())
    }

    /// A handshake that cannot be worked out may be an event: that is not lost for it.
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

    /// Whether what a handshake hands over is still free.
    pub fn may_hand_over(&self, handshake: &Handshake) -> bool {
        let webhook = self.resolved.compiled.config.webhook.as_ref();
        let update = &handshake.update_context;
        webhook.is_some_and(|webhook| {
            webhook::may_hand_over(webhook, update, &self.scope(), handshake.proof).is_ok()
        })
    }

    /// The context keys that the proof of a webhook rests on: who knows what is there can sign.
    pub fn keys_of_proof(&self) -> BTreeSet<String> {
        let webhook = self.resolved.compiled.config.webhook.as_ref();
        webhook.map(webhook::keys_of_proof).unwrap_or_default()
    }

    /// What is to be stored of a verified request, and the events as they were read, which count with what it holds.
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
        // As they are read, and as they are stored.
        self.room.take(2 * payloads.sum::<usize>())?;
        Ok((key, events))
    }

    /// A payload is one column of a row.
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
                    "a payload of more than {limit} bytes, or of {ALL_PAYLOADS} together"
                ),
            });
        }
        Ok(events)
    }

    /// Events on their way into storage, without the secrets that a sender repeats: those of the file and the install,
    /// and the account's, where one is named.
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

    /// A request that the file cannot read.
    pub fn unread(&self, request: &WebhookRequest, error: &TransformError) -> WebhookContent {
        let kept = Kept::new(request, self.shown.is_none());
        self.log("error", "webhook_transform_failed", &error.to_string());
        WebhookContent::Unread(Box::new(kept), self.redactor.text(&error.to_string()))
    }

    /// Calls an address that a signed handshake asks to be called.
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

    /// Where a secret was given for another use the sender shall try again: the operator can send it again.
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

    /// One answer outside, the exact reason in the log.
    fn log_refusal(&self, code: &str, reason: &str) -> Failure {
        let (key, id) = &self.at;
        let line = json!({ "level": "warn", "event": "webhook_refused", "code": code, "reason": reason, "integration": self.resolved.integration.name, *key: id, "request_id": self.request_id });
        self.outside.log(&line);
        bad_signature()
    }

    /// An expression's own words (`$error`) may be the sender's.
    pub(in crate::flows) fn log(&self, level: &str, event: &str, reason: &str) {
        let reason = self.redactor.text(reason);
        let (key, id) = &self.at;
        let line = json!({ "level": level, "event": event, "reason": reason, "integration": self.resolved.integration.name, *key: id, "request_id": self.request_id });
        self.outside.log(&line);
    }
}
