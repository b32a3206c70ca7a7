//! The request that a call would send, with the secrets of the account and the install masked. Nothing is sent.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::error::Failure;
use crate::flows::call::Call;
use crate::flows::call::account::{LiveAccount, StreamOf};
use crate::flows::call::admit::Access;
use crate::flows::call::build::build;
use crate::flows::call::current::Current;
use crate::json;
use crate::ports::{Body, Visibility};
use crate::proxy::request::Payload;

/// What takes the place of a secret.
const MASK: &str = "[secret]";

/// The request: `{method, url, body}`. Its header fields, and the credential, are left out.
pub(super) async fn dry_run<A: LiveAccount>(
    account: &Rc<A>,
    visibility: &Visibility,
    call: &Call<StreamOf<A>>,
) -> Result<Value, Failure> {
    let access = Access::check(account, visibility, call.timeout).await?;
    let admitted = access.admit().await?;
    let body = call.body.again().unwrap_or(Body::Empty);
    let (mut prepared, body) = build(&admitted, call, body, None).await?;
    let (loaded, compiled) = (admitted.loaded(), &admitted.config().compiled);
    let (shown, mut secret) = compiled.split_context(&loaded.context, &loaded.sealed);
    mask(&mut secret);
    let mut context = shown.clone();
    json::merge(&mut context, &secret);
    let variables = compiled.masked_variables(mask);
    let current = Current::of_action(Rc::clone(loaded), &context, &shown);
    let current = current.with_variables(&variables);
    // Masked values may not fit, as a number that is secret does not: then there is less to show.
    let Ok(draft) = prepared.request(&**account, &current) else {
        let method = prepared.subject().method().as_str();
        return Ok(json!({ "method": method, "url": null, "body": null }));
    };
    let redactor = account.redactor(compiled, &loaded.context);
    let body = match (draft.body, body) {
        (Payload::Nothing, _) | (Payload::Callers, Body::Empty) => None,
        (Payload::Ours(bytes), _) => Some(text(&bytes)),
        (Payload::Callers, Body::Bytes(bytes)) => Some(text(&bytes)),
        (Payload::Callers, Body::Stream(_)) => Some("[a stream]".to_owned()),
    };
    Ok(json!({
        "method": draft.method.as_str(),
        "url": redactor.text(draft.url.as_str()),
        "body": body.map(|body| redactor.text(&body)),
    }))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Masks every text and number. The shape stays, so that paths still lead somewhere.
fn mask(value: &mut Value) {
    match value {
        Value::Object(entries) => entries.values_mut().for_each(mask),
        Value::Array(items) => items.iter_mut().for_each(mask),
        other => *other = Value::from(MASK),
    }
}
