//! Verifies that a webhook comes from the provider: tries each scheme of the file over the bytes that were sent, then
//! over the decoded ones.

use std::cell::OnceCell;

use crate::config::Webhook;
use crate::config::webhook::{SignatureVerification, SignedBody};
use crate::error::Failure;
use crate::flows::base::memory::values::too_many_values;
use crate::flows::config::key_cache;
use crate::flows::ingress::decode;
use crate::flows::ingress::decode::{DecodedRequest, decoded_request};
use crate::flows::ingress::limit_values;
use crate::flows::ingress::webhook_context::WebhookContext;
use crate::media::coding::Undecoded;
use crate::ports::Outside;
use crate::settings::UNPROVED_VALUES;
use crate::webhook::{self, Handshake, KeySource, Refusal, SenderProof, WebhookRequest};

/// A verified request.
pub enum Verified<'r> {
    /// An event, its body decoded.
    Event(Box<WebhookRequest<'r>>),
    /// A URL verification.
    Handshake(Box<Handshake>),
}

impl<O: Outside> WebhookContext<'_, O> {
    /// Verifies a request (else 401) and detects URL verifications: over the bytes that were sent, then, unless the
    /// file forbids it, over the decoded ones. `plain` holds the decoded body.
    pub async fn verified<'r>(
        &self,
        sent: WebhookRequest<'r>,
        plain: &'r OnceCell<DecodedRequest>,
    ) -> Result<Verified<'r>, Failure> {
        let Some(webhook) = &self.resolved.compiled.config.webhook else {
            return Err(self.refused(&Refusal::NotConfigured));
        };
        limit_values(&sent, self.room)?;
        let mut schemes: Vec<_> = webhook.schemes().map(|(_, scheme)| scheme).collect();
        let refusal = match self.proof(&schemes, &sent).await? {
            Ok(()) => {
                self.prove(&sent)?;
                let request = self.readable(sent, plain)?;
                return self.signed(webhook, request);
            }
            Err(refusal) => refusal,
        };
        schemes.retain(|scheme| scheme.config.signed_body == SignedBody::Either);
        if schemes.is_empty() || !sent.is_coded() {
            return self.unsigned(webhook, &sent, &refusal);
        }
        match decoded_request(&sent, plain, self.body_limit(), self.room) {
            Ok(None) => self.unsigned(webhook, &sent, &refusal),
            Ok(Some(request)) => {
                limit_values(&request, self.room)?;
                match self.proof(&schemes, &request).await? {
                    Ok(()) => {
                        self.prove(&request)?;
                        self.signed(webhook, request)
                    }
                    Err(refusal) => self.unsigned(webhook, &request, &refusal),
                }
            }
            Err(error) => match decode::refused(error) {
                Some(failure) => Err(failure),
                None => self.unsigned(webhook, &sent, &refusal),
            },
        }
    }

    /// A verified request with its decoded body. A body that cannot be decoded fails where it is read.
    pub fn readable<'r>(
        &self,
        sent: WebhookRequest<'r>,
        plain: &'r OnceCell<DecodedRequest>,
    ) -> Result<WebhookRequest<'r>, Failure> {
        match decoded_request(&sent, plain, self.body_limit(), self.room) {
            Ok(None) => Ok(sent),
            Ok(Some(request)) => {
                limit_values(&request, self.room)?;
                self.prove(&request)?;
                Ok(request)
            }
            Err(Undecoded::NoRoom(failure)) => Err(failure),
            Err(error) => Ok(sent.undecoded(error.to_string())),
        }
    }

    fn body_limit(&self) -> usize {
        self.outside.settings().webhook_body_bytes
    }

    fn signed<'r>(
        &self,
        webhook: &Webhook,
        request: WebhookRequest<'r>,
    ) -> Result<Verified<'r>, Failure> {
        let handshake = self.signed_handshake(webhook, &request)?;
        Ok(handshake.map_or_else(
            || Verified::Event(Box::new(request)),
            |handshake| Verified::Handshake(Box::new(handshake)),
        ))
    }

    /// An unverified sender does not learn what is wrong with a URL verification.
    fn unsigned<'r>(
        &self,
        webhook: &Webhook,
        request: &WebhookRequest<'_>,
        refusal: &Refusal,
    ) -> Result<Verified<'r>, Failure> {
        match self.handshake(webhook, request, SenderProof::Unsigned) {
            Ok(Some(handshake)) => Ok(Verified::Handshake(Box::new(handshake))),
            _ if request.is_missed() => Err(too_many_values("The body", UNPROVED_VALUES)),
            Ok(None) => Err(self.refused(refusal)),
            Err(error) => Err(self.refused_handshake(&error)),
        }
    }

    /// Tries these schemes. Of several refusals the most specific is kept. Where keys could not be loaded, and no other
    /// scheme matches, the sender is asked to try again.
    async fn proof(
        &self,
        schemes: &[&SignatureVerification],
        request: &WebhookRequest<'_>,
    ) -> Result<Result<(), Refusal>, Failure> {
        let (mut refused, mut failed) = (Refusal::NotConfigured, None);
        for scheme in schemes {
            let is_withheld = request.is_withheld();
            let proof = match self.proof_by(scheme, request).await {
                Ok(Ok(())) if is_withheld => Ok(self.check_body_values(scheme, request)?),
                proof => proof,
            };
            match proof {
                Ok(Ok(())) => return Ok(Ok(())),
                Ok(Err(refusal)) if refused.tells_less_than(&refusal) => refused = refusal,
                Ok(Err(_)) => {}
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        failed.map_or(Ok(Err(refused)), Err)
    }

    /// Whether the body of a large request that this scheme proves has the values that the scheme requires. The body was
    /// not parsed before the proof.
    fn check_body_values(
        &self,
        scheme: &SignatureVerification,
        request: &WebhookRequest<'_>,
    ) -> Result<Result<(), Refusal>, Failure> {
        self.prove(request)?;
        let checked = webhook::is_meant_by_body(scheme, request);
        if checked.is_err() {
            request.unprove();
        }
        Ok(checked)
    }

    async fn proof_by(
        &self,
        verification: &SignatureVerification,
        request: &WebhookRequest<'_>,
    ) -> Result<Result<(), Refusal>, Failure> {
        let pins = self.resolved.compiled.pins(self.outside.settings());
        let source = match webhook::key_source(verification, request, &self.scope(), &pins) {
            Ok(source) => source,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let verify = |keys: &[_]| {
            let now = self.outside.now();
            webhook::verify(verification, request, &self.scope(), keys, now)
        };
        let Some(source) = source else {
            return Ok(verify(&[]));
        };
        let outcome = match self.keys(&source, key_cache::Age::Any).await? {
            Some(keys) => verify(&keys),
            None => Err(Refusal::UnreadableKeys),
        };
        let may_be_new = matches!(outcome, Err(Refusal::NoKey | Refusal::Mismatch))
            && matches!(source, KeySource::Published(_));
        if !may_be_new {
            return Ok(outcome);
        }
        let keys = self.keys(&source, key_cache::Age::Recent).await?;
        Ok(keys.map_or(outcome, |keys| verify(&keys)))
    }

    /// `None` where the address that the request names serves no keys.
    async fn keys(
        &self,
        source: &KeySource,
        age: key_cache::Age,
    ) -> Result<Option<key_cache::Keys>, Failure> {
        let asked = key_cache::KeyRequest {
            source,
            age,
            owner: &self.at.1,
            room: self.room,
        };
        match key_cache::keys(self.outside, &self.isolate.keys, asked).await {
            Ok(keys) => Ok(Some(keys)),
            Err(key_cache::KeyError::Refused) => Ok(None),
            Err(key_cache::KeyError::Unavailable(reason)) => {
                self.log("error", "webhook_keys_failed", &reason);
                Err(Failure::busy(
                    "The provider's keys could not be fetched. Try again.",
                ))
            }
        }
    }
}
