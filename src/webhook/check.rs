//! One scheme over one request. Everything compared is compared in constant time.

use std::borrow::Cow;

use crate::config::webhook::{
    BodyHash, RequestPart, SecretEncoding, SignatureConfig, SignatureFormat, SignatureVerification,
    StringType,
};
use crate::crypto::{self, KeyKind, PublicKey, constant_time_eq};
use crate::expression::TemplateScope;
use crate::time::Timestamp;

use super::content::Content;
use super::encoding::{decode, hash};
use super::key_source::key_of_file;
use super::{PublishedKey, Refusal, WebhookRequest};
use super::{bearer, candidates, jwt, secret, spelling, standard, time};

/// What a check reads from.
#[derive(Clone, Copy)]
pub(super) struct Check<'a> {
    pub(super) config: &'a SignatureConfig,
    pub(super) request: &'a WebhookRequest<'a>,
    pub(super) scope: &'a TemplateScope<'a>,
    pub(super) keys: &'a [PublishedKey],
    pub(super) now: Timestamp,
}

/// Whether the provider sent this request, by one of its schemes. `keys` are those fetched from where
/// [`super::key_source()`] says; none where it names no place. The scope is the account's, or on an install's URL
/// that of the install over an empty context.
///
/// Where the body is withheld, what `when` names of it is asked afterwards: [`is_meant_by_body`].
pub fn verify(
    verification: &SignatureVerification,
    request: &WebhookRequest,
    scope: &TemplateScope,
    keys: &[PublishedKey],
    now: Timestamp,
) -> Result<(), Refusal> {
    is_meant(verification, request)?;
    fits(verification, request, scope, keys, now)?;
    request.prove_by(verification.format);
    Ok(())
}

/// Whether the request says what `when` names, as far as it is looked into.
pub(super) fn is_meant(
    verification: &SignatureVerification,
    request: &WebhookRequest,
) -> Result<(), Refusal> {
    let is_withheld = request.is_withheld();
    let is_seen = |part: &RequestPart| !is_withheld || !matches!(part, RequestPart::BodyField(_));
    says(verification, request, is_seen)
}

/// Whether the body of a request that is proved says what `when` names.
pub fn is_meant_by_body(
    verification: &SignatureVerification,
    request: &WebhookRequest,
) -> Result<(), Refusal> {
    says(verification, request, |part| {
        matches!(part, RequestPart::BodyField(_))
    })
}

fn says(
    verification: &SignatureVerification,
    request: &WebhookRequest,
    is_asked: impl Fn(&RequestPart) -> bool,
) -> Result<(), Refusal> {
    let mut places = verification
        .when
        .0
        .iter()
        .filter(|(place, _)| is_asked(place));
    let says = |(place, text): &(RequestPart, String)| {
        request
            .place(place)
            .is_ok_and(|said| said == text.as_bytes())
    };
    places.all(says).then_some(()).ok_or(Refusal::OtherScheme)
}

fn fits(
    verification: &SignatureVerification,
    request: &WebhookRequest,
    scope: &TemplateScope,
    keys: &[PublishedKey],
    now: Timestamp,
) -> Result<(), Refusal> {
    if !verification.has_signature_place() {
        return Err(Refusal::NoSetting("compare_with"));
    }
    let check = Check {
        config: &verification.config,
        request,
        scope,
        keys,
        now,
    };
    match verification.format {
        SignatureFormat::Hmac => check.hmac(),
        SignatureFormat::Hash => check.hash(),
        SignatureFormat::Rsa => check.public_key(KeyKind::Rsa),
        SignatureFormat::Ecdsa => check.public_key(KeyKind::Ecdsa),
        SignatureFormat::Ed25519 => check.public_key(KeyKind::Ed25519),
        SignatureFormat::Jwt => jwt::verify(&check),
        SignatureFormat::Basic => bearer::basic(&check),
        SignatureFormat::Bearer => bearer::bearer(&check),
        SignatureFormat::StandardWebhooks => standard::verify(&check),
        SignatureFormat::None => Ok(()),
    }
}

impl Check<'_> {
    pub(super) fn content(&self) -> Content<'_> {
        self.content_at(self.request.url)
    }

    /// What is signed, once for each way its URL may have been spelt.
    pub(super) fn contents(&self) -> Vec<Content<'_>> {
        let urls = spelling::of(self.config, self.request.url);
        urls.into_iter().map(|url| self.content_at(url)).collect()
    }

    fn content_at<'c>(&'c self, url: impl Into<Cow<'c, str>>) -> Content<'c> {
        Content {
            config: self.config,
            request: self.request,
            scope: self.scope,
            url: url.into(),
        }
    }

    fn hmac(&self) -> Result<(), Refusal> {
        let hash = hash(self.config.algorithm);
        let signatures = self.signatures(StringType::Hex)?;
        let contents = self.contents();
        for key in secret::keys(self.config, self.config.secret_encoding, self.scope)? {
            for content in &contents {
                let code = crypto::hmac(hash, &key, &content.signed(&key)?);
                if signatures
                    .iter()
                    .any(|signature| constant_time_eq(signature, &code))
                {
                    return self.covers();
                }
            }
        }
        Err(Refusal::Mismatch)
    }

    fn hash(&self) -> Result<(), Refusal> {
        // Without a secret in it any sender could make it.
        if !self
            .config
            .parts
            .iter()
            .any(|part| part.holds(&RequestPart::Secret))
        {
            return Err(Refusal::BadSetting(
                "parts",
                "`hash` needs `$secret` among them",
            ));
        }
        let hash = hash(self.config.algorithm);
        let signatures = self.signatures(StringType::Hex)?;
        let contents = self.contents();
        for key in secret::keys(self.config, SecretEncoding::Utf8, self.scope)? {
            for content in &contents {
                let digest = crypto::digest(hash, &content.signed(&key)?);
                let mut signatures = signatures.iter();
                if signatures.any(|signature| constant_time_eq(signature, &digest)) {
                    return self.covers();
                }
            }
        }
        Err(Refusal::Mismatch)
    }

    fn public_key(&self, kind: KeyKind) -> Result<(), Refusal> {
        let usual = match kind {
            KeyKind::Ed25519 => StringType::Hex,
            KeyKind::Rsa | KeyKind::Ecdsa => StringType::Base64,
        };
        let signatures = self.signatures(usual)?;
        let messages = self.contents();
        let messages = messages.iter().map(|content| content.signed(&[]));
        let messages = messages.collect::<Result<Vec<_>, _>>()?;
        let hash = hash(self.config.algorithm);
        let keys = self.keys_of(kind)?;
        let fits = |key: &PublicKey| {
            let mut signatures = signatures.iter();
            signatures.any(|signature| {
                let mut messages = messages.iter();
                messages.any(|message| key.verifies(hash, message, signature))
            })
        };
        if keys.iter().any(fits) {
            self.covers()
        } else {
            Err(Refusal::Mismatch)
        }
    }

    /// The keys of one kind: the file's own, else those that were fetched.
    pub(super) fn keys_of(&self, kind: KeyKind) -> Result<Vec<PublicKey>, Refusal> {
        let own = key_of_file(self.config, self.scope)?;
        let fetched = self.keys.iter().map(|published| &published.key);
        let keys: Vec<_> = match &own {
            Some(key) => vec![key.clone()],
            None => fetched.cloned().collect(),
        };
        let keys: Vec<_> = keys.into_iter().filter(|key| key.kind() == kind).collect();
        if keys.is_empty() {
            return Err(Refusal::NoKey);
        }
        Ok(keys)
    }

    /// The signatures' bytes; what is not written as the scheme says is none.
    fn signatures(&self, usual: StringType) -> Result<Vec<Vec<u8>>, Refusal> {
        let written = candidates::candidates(self.config, self.request)?;
        let kind = self.config.string_type.unwrap_or(usual);
        let signatures: Vec<_> = written
            .iter()
            .filter_map(|text| decode(text, kind))
            .collect();
        if signatures.is_empty() {
            return Err(Refusal::Malformed("the signature".to_owned()));
        }
        Ok(signatures)
    }

    /// What a fitting signature leaves to be checked: the time, and a body that is signed by its hash.
    fn covers(&self) -> Result<(), Refusal> {
        if let Some(timestamp) = &self.config.timestamp {
            let written = self.content().time(timestamp)?;
            time::check(&written, timestamp.unit, timestamp.tolerance.0, self.now)?;
        }
        match &self.config.body_hash {
            Some(body_hash) => self.body_hash(body_hash),
            None => Ok(()),
        }
    }

    fn body_hash(&self, body_hash: &BodyHash) -> Result<(), Refusal> {
        let written = match self.request.place(&body_hash.from) {
            Err(Refusal::Missing(_)) if self.form_covers_the_body() => return Ok(()),
            other => other?,
        };
        let kind = body_hash.string_type.unwrap_or(StringType::Hex);
        let expected = crypto::digest(hash(body_hash.algorithm), self.request.body);
        let fits =
            decode(&written, kind).is_some_and(|digest| constant_time_eq(&digest, &expected));
        fits.then_some(()).ok_or(Refusal::BodyHash)
    }

    fn form_covers_the_body(&self) -> bool {
        let mut parts = self.config.parts.iter();
        let is_signed = parts.any(|part| part.holds(&RequestPart::FormSorted));
        is_signed && (self.request.is_form() || self.request.body.is_empty())
    }
}
