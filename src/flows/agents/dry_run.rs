//! The request that a call would send, with the secrets of the account and the install masked. Nothing is sent.

use std::rc::Rc;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::error::{Code, Failure};
use crate::flows::call::Call;
use crate::flows::call::account::{LiveAccount, StreamOf};
use crate::flows::call::admit::Access;
use crate::flows::call::build::build;
use crate::flows::call::current::Current;
use crate::json;
use crate::ports::{Body, Visibility};
use crate::proxy::request::{Draft, Payload};

/// What takes the place of a secret.
const MASK: &str = "[secret]";

/// A request that was not sent.
pub(super) struct UnsentRequest {
    /// `{method, url, body}`. Its header fields, and the credential, are left out.
    pub(super) shown: Value,
    /// The digest of the request with its secrets.
    pub(super) digest: String,
}

/// The request of a call. Its body has at most `most` bytes.
pub(super) async fn dry_run<A: LiveAccount>(
    account: &Rc<A>,
    visibility: &Visibility,
    call: &Call<StreamOf<A>>,
    most: usize,
) -> Result<UnsentRequest, Failure> {
    let access = Access::check(account, visibility, call.timeout).await?;
    let admitted = access.admit().await?;
    let body = call.body.again().unwrap_or(Body::Empty);
    let (mut prepared, body) = build(&admitted, call, body, None).await?;
    let callers = match body {
        Body::Bytes(bytes) => bytes,
        Body::Empty | Body::Stream(_) => Bytes::new(),
    };
    let (loaded, compiled) = (admitted.loaded(), &admitted.config().compiled);
    let current = Current::of_call(Rc::clone(loaded));
    let sent = prepared.request(&**account, &current)?;
    check_length(&sent, &callers, most)?;
    let digest = sent.digest(&callers);
    let (mut shown, mut secret) = compiled.split_context(&loaded.context, &loaded.sealed);
    let mut variables = compiled.masked_variables(mask);
    // What the call itself says is not searched for secrets: an answer without it would confirm a guess.
    let redactor = account.redactor(compiled, &loaded.context);
    redactor.value(&mut shown);
    redactor.value(&mut variables);
    mask(&mut secret);
    let mut context = shown.clone();
    json::merge(&mut context, &secret);
    let current = Current::of_action(Rc::clone(loaded), &context, &shown);
    let current = current.with_variables(&variables);
    // Masked values may not fit, as a number that is secret does not: then there is less to show.
    let Ok(draft) = prepared.request(&**account, &current) else {
        let method = prepared.subject().method().as_str();
        let shown = json!({ "method": method, "url": null, "body": null });
        return Ok(UnsentRequest { shown, digest });
    };
    check_length(&draft, &callers, most)?;
    let body = match draft.body {
        Payload::Nothing => None,
        Payload::Ours(bytes) => Some(Bytes::from(bytes)),
        Payload::Callers => Some(callers).filter(|bytes| !bytes.is_empty()),
    };
    let body = body.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let shown = json!({ "method": draft.method.as_str(), "url": draft.url.as_str(), "body": body });
    Ok(UnsentRequest { shown, digest })
}

fn check_length(draft: &Draft, callers: &Bytes, most: usize) -> Result<(), Failure> {
    let length = match &draft.body {
        Payload::Nothing => 0,
        Payload::Ours(bytes) => bytes.len(),
        Payload::Callers => callers.len(),
    };
    (length <= most).then_some(()).ok_or_else(|| too_long(most))
}

pub(super) fn too_long(most: usize) -> Failure {
    let message = format!(
        "The request is too long to be shown, and so to be confirmed: a result has at most {most} bytes (MCP_RESULT_BYTES)."
    );
    Failure::new(Code::BodyTooLarge, message)
}

/// Masks every text and number. The shape stays, so that paths still lead somewhere.
fn mask(value: &mut Value) {
    match value {
        Value::Object(entries) => entries.values_mut().for_each(mask),
        Value::Array(items) => items.iter_mut().for_each(mask),
        other => *other = Value::from(MASK),
    }
}
