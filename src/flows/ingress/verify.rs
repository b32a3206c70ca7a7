//! Whether a webhook comes from the provider: each scheme of the file in turn, over the bytes that were sent, then over
//! those they decode to.

use std::cell::OnceCell;

use crate::config::Webhook;
use crate::config::webhook::{SignatureVerification, SignedBody};
use crate::error::Failure;
use crate::flows::base::memory::built::too_many_values;
use crate::flows::config::key_cache as keys;
use crate::flows::ingress::decode;
use crate::flows::ingress::decode::{Plain, plain_of};
use crate::flows::ingress::limit_values;
use crate::flows::ingress::webhook_context::WebhookContext;
use crate::media::coding::Undecoded;
use crate::ports::Outside;
use crate::settings::UNPROVED_VALUES;
use crate::webhook::{self, Handshake, KeySource, Refusal, SenderProof, WebhookRequest};

/// A request that may be read, or was answered.
pub enum Verified<'r> {
    /// It is proved, its body decoded.
    Event(Box<WebhookRequest<'r>>),
    /// It is a handshake.
    Handshake(Box<Handshake>),
}

impl<O: Outside> WebhookContext<'_, O> {
    /// Whether it comes from the provider (else 401), and whether it is a handshake: by the bytes that were sent, then,
    /// where the file does not forbid it, by those they decode to. `plain` holds the decoded body.
    pub async fn verified<'r>(
        &self,
        sent: WebhookRequest<'r>,
        plain: &'r OnceCell<Plain>,
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
        match plain_of(&sent, plain, self.body_limit(), self.room) {
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

    /// A proved request as it is read. One that cannot be decoded says so when it is.
    pub fn readable<'r>(
        &self,
        sent: WebhookRequest<'r>,
        plain: &'r OnceCell<Plain>,
    ) -> Result<WebhookRequest<'r>, Failure> {
        match plain_of(&sent, plain, self.body_limit(), self.room) {
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

    /// Whoever is unknown learns nothing of what is wrong with a handshake.
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

    /// Whether one of these schemes fits. Of several refusals the most telling is kept; where keys could not be had, and no
    /// other scheme fits, the sender shall try again.
    async fn proof(
        &self,
        schemes: &[&SignatureVerification],
        request: &WebhookRequest<'_>,
    ) -> Result<Result<(), Refusal>, Failure> {
        let (mut refused, mut failed) = (Refusal::NotConfigured, None);
        for scheme in schemes {
            let is_withheld = request.is_withheld();
            let proof = match self.proof_by(scheme, request).await {
                Ok(Ok(())) if is_withheld => Ok(self.meant(scheme, request)?),
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

    /// Whether the body of a large request that this scheme proves says what the scheme asks for: it was not looked into so far.
    fn meant(
        &self,
        scheme: &SignatureVerification,
        request: &WebhookRequest<'_>,
    ) -> Result<Result<(), Refusal>, Failure> {
        self.prove(request)?;
        let meant = webhook::is_meant_by_body(scheme, request);
        if meant.is_err() {
            request.unprove();
        }
        Ok(meant)
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
        let outcome = match self.keys(&source, keys::Age::Any).await? {
            Some(keys) => verify(&keys),
            None => Err(Refusal::UnreadableKeys),
        };
        let may_be_new = matches!(outcome, Err(Refusal::NoKey | Refusal::Mismatch))
            && matches!(source, KeySource::Published(_));
        if !may_be_new {
            return Ok(outcome);
        }
        let keys = self.keys(&source, keys::Age::Recent).await?;
        Ok(keys.map_or(outcome, |keys| verify(&keys)))
    }

    /// `None` where the address that the request names has none.
    async fn keys(
        &self,
        source: &KeySource,
        age: keys::Age,
    ) -> Result<Option<keys::Keys>, Failure> {
        let asked = keys::Asked {
            source,
            age,
            owner: &self.at.1,
            room: self.room,
        };
        match keys::keys(self.outside, &self.isolate.keys, asked).await {
            Ok(keys) => Ok(Some(keys)),
            Err(keys::NoKeys::Refused) => Ok(None),
            Err(keys::NoKeys::Unavailable(reason)) => {
                self.log("error", "webhook_keys_failed", &reason);
                Err(Failure::busy(
                    "The provider's keys could not be fetched. Try again.",
                ))
            }
        }
    }
}
