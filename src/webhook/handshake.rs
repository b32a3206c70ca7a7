//! A provider that asks whether we are there: `handle_verification`. What is answered cannot become a page
//! of ours, and an unsigned handshake can hand a secret over only where there is none yet.

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use url::Url;

use crate::config::Webhook;
use crate::config::webhook::{Challenge, Schemes, SignatureConfig, StringType};
use crate::crypto;
use crate::expression::scope::TEMPLATE_ROOTS;
use crate::expression::{ExpressionError, ExpressionScope, Moment, TemplateScope};
use crate::json::Path;

use super::encoding::{encode, hash};
use super::key_source::pinned;
use super::{Refusal, WebhookRequest, secret};

mod answer;

/// A secret that a handshake brings is shorter.
const LONGEST_VALUE: usize = 4096;
/// Longest challenge that is answered to an unverified sender.
const LONGEST_CHALLENGE: usize = 256;
/// Whether [`super::verify`] accepted the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenderProof {
    /// It did.
    Signed,
    /// It did not: only a file with `allow_unsigned_handshake` answers.
    Unsigned,
}

/// What a handshake is answered, and what it changes. The caller adds `nosniff` and `sandbox`.
#[derive(Debug, Clone, PartialEq)]
pub struct Handshake {
    /// 2xx or 4xx.
    pub status: StatusCode,
    /// `content-type`, and headers of the provider's own (`x-…`, `webhook-…`).
    pub headers: HeaderMap,
    pub body: String,
    /// Keys of the context that were free, with their values. Check again that they are when storing
    /// ([`may_hand_over`]).
    pub update_context: Map<String, Value>,
    /// Whether a scheme proved who sent it; `none` proves nothing.
    pub proof: SenderProof,
    /// An address to be called with GET to confirm; the file's pattern fits it.
    pub confirm_url: Option<Url>,
}

/// Why there is no answer although the file wants one. Nothing that was sent is quoted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HandshakeError {
    /// The expression failed.
    #[error("`handle_verification`: {0}")]
    Expression(#[from] ExpressionError),
    /// The result is not an answer.
    #[error("`handle_verification` gives no answer: {0}")]
    Shape(&'static str),
    /// It wants to fill a key that has a value, or that is not the file's to fill.
    #[error("the handshake would change `{0}` of the context")]
    Taken(String),
    /// It is unsigned and wants to hand something over, and the scheme has its secret or keys already.
    #[error("an unsigned handshake hands something over, and there is a secret in force already")]
    InForce,
    /// It wants to fill a key where there is no account, or without `allow_unsigned_handshake`.
    #[error("the handshake may not change a context here")]
    NoContext,
    /// The address to confirm is another than the file allows.
    #[error("`confirm_url` is not signed for, or `confirm_url_pattern` does not fit it")]
    ConfirmAddress,
    /// The challenge cannot be answered.
    #[error("the challenge: {0}")]
    Challenge(Refusal),
}

/// The answer to a handshake; `None` when the request is none, and so is an event, or is to be refused.
/// `context` is what expressions may see of the account, `None` on an install's URL.
pub fn handshake(
    webhook: &Webhook,
    request: &WebhookRequest,
    context: Option<&Value>,
    scope: &TemplateScope,
    proof: SenderProof,
    moment: &Moment,
) -> Result<Option<Handshake>, HandshakeError> {
    let Some(expression) = &webhook.handle_verification else {
        return Ok(None);
    };
    if proof == SenderProof::Unsigned && !webhook.allow_unsigned_handshake {
        return Ok(None);
    }
    let digest = match &webhook.challenge {
        Some(challenge) => answered(challenge, webhook, request, scope, proof)?,
        None => Value::Null,
    };
    let (headers, query) = (request.headers_value(), request.query_value());
    let seen = ExpressionScope::webhook(
        request.value(),
        &headers,
        &query,
        request.method.as_str(),
        context,
    );
    let result = expression.evaluate(&seen.with_challenge_hmac(&digest), moment)?;
    let Some(result) = result.filter(|value| !matches!(value, Value::Null | Value::Bool(false)))
    else {
        return Ok(None);
    };
    let Some((answer, rest)) = answer::split_answer(result)? else {
        return Ok(None);
    };
    let mut handshake = answer::read(answer)?;
    handshake.proof = proved(webhook, proof);
    if let Some(update) = rest.get("update_context").filter(|value| !value.is_null()) {
        if !webhook.allow_unsigned_handshake || context.is_none() {
            return Err(HandshakeError::NoContext);
        }
        let update = update.as_object().filter(|entries| !entries.is_empty());
        let update = update.ok_or(HandshakeError::Shape("`update_context` is no object"))?;
        may_hand_over(webhook, update, scope, handshake.proof)?;
        handshake.update_context.clone_from(update);
    }
    if let Some(address) = rest.get("confirm_url").filter(|value| !value.is_null()) {
        handshake.confirm_url = Some(confirmed(address, webhook, proof)?);
    }
    Ok(Some(handshake))
}

/// The HMAC of the challenge, null when there is none. To an unverified sender only a challenge that no event
/// could look like is answered: it is signed with the very secret that signs events.
fn answered(
    challenge: &Challenge,
    webhook: &Webhook,
    request: &WebhookRequest,
    scope: &TemplateScope,
    proof: SenderProof,
) -> Result<Value, HandshakeError> {
    let message = match request.place(&challenge.from) {
        Ok(message) => message,
        Err(Refusal::Missing(_)) => return Ok(Value::Null),
        Err(refusal) => return Err(HandshakeError::Challenge(refusal)),
    };
    if proof == SenderProof::Unsigned && !is_harmless(&message) {
        let refusal = Refusal::Malformed("an unsigned challenge".to_owned());
        return Err(HandshakeError::Challenge(refusal));
    }
    // Without a signature any sender could get any text signed that the provider signs.
    let schemes = webhook.signature_verification.as_ref();
    let schemes = schemes.filter(|schemes| schemes.prove_sender());
    let schemes = schemes.ok_or(HandshakeError::Challenge(Refusal::NotConfigured))?;
    let (config, key) = key_of_challenge(schemes, scope).map_err(HandshakeError::Challenge)?;
    let algorithm = hash(challenge.algorithm.or(config.algorithm));
    let code = crypto::hmac(algorithm, &key, &message);
    let kind = challenge.string_type.unwrap_or(StringType::Hex);
    Ok(Value::String(encode(&code, kind)))
}

/// The secret of the first scheme that has one; why there is none is said of the first.
fn key_of_challenge<'s>(
    schemes: &'s Schemes,
    scope: &TemplateScope,
) -> Result<(&'s SignatureConfig, Vec<u8>), Refusal> {
    let mut refused = None;
    for scheme in schemes.all() {
        let config = &scheme.config;
        match secret::keys(config, config.secret_encoding, scope) {
            Ok(keys) => return Ok((config, keys.into_iter().next().unwrap_or_default())),
            Err(refusal) => drop(refused.get_or_insert(refusal)),
        }
    }
    Err(refused.unwrap_or(Refusal::NotConfigured))
}

/// One word, as random challenges are; no JSON, no form, no text with a timestamp in front.
fn is_harmless(message: &[u8]) -> bool {
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_~+/=".contains(byte);
    (1..=LONGEST_CHALLENGE).contains(&message.len()) && message.iter().all(is_of_word)
}

/// A scheme that proves nothing signs nothing.
fn proved(webhook: &Webhook, proof: SenderProof) -> SenderProof {
    let schemes = webhook.signature_verification.as_ref();
    if schemes.is_some_and(Schemes::prove_sender) {
        proof
    } else {
        SenderProof::Unsigned
    }
}

/// Whether these texts may be kept: each under a key that is still empty in the whole context, secrets included. Who is
/// unknown hands something over only where no webhook of the account could be proved before: else they would replace
/// the secret in force, the account's own or the install's.
pub fn may_hand_over(
    webhook: &Webhook,
    update: &Map<String, Value>,
    scope: &TemplateScope,
    proof: SenderProof,
) -> Result<(), HandshakeError> {
    let has_secret = || {
        let mut schemes = webhook.schemes();
        schemes.any(|(_, scheme)| secret::is_in_force(&scheme.config, scope))
    };
    if proof == SenderProof::Unsigned && has_secret() {
        return Err(HandshakeError::InForce);
    }
    update.iter().try_for_each(|(key, value)| {
        let is_empty = |value: &Value| value.is_null() || value.as_str() == Some("");
        let present = format!("context.{key}").parse::<Path>();
        let present = present.ok().and_then(|path| scope.lookup(&path).cloned());
        let is_reserved =
            key == "oauth" || key.contains('.') || TEMPLATE_ROOTS.contains(&key.as_str());
        if is_reserved || !present.is_none_or(|value| is_empty(&value)) {
            return Err(HandshakeError::Taken(key.clone()));
        }
        let is_short = |text: &str| (1..=LONGEST_VALUE).contains(&text.len());
        let is_text = value.as_str().is_some_and(is_short);
        let shape = "a value of `update_context` is no short text";
        is_text.then_some(()).ok_or(HandshakeError::Shape(shape))
    })
}

/// Only a signed request may have us call somewhere, and only where the file allows.
fn confirmed(
    address: &Value,
    webhook: &Webhook,
    proof: SenderProof,
) -> Result<Url, HandshakeError> {
    let pattern = webhook.confirm_url_pattern.as_ref();
    let pattern = pattern.filter(|_| proof == SenderProof::Signed);
    let url = pattern.and_then(|pattern| pinned(address.as_str()?, pattern));
    url.ok_or(HandshakeError::ConfirmAddress)
}
