//! A caller runs an action of an account: whether it may, the run itself, and what is kept and shown of it.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::config::action::RESERVED;
use crate::error::Failure;
use crate::flows::account_object::AccountObject;
use crate::flows::effective::Compiled;
use crate::flows::proxy_call::{callable, sandbox_refusal};
use crate::flows::run_action::{NamedAction, run_action};
use crate::ports::{Outside, Sees, Storage};

/// Shorter secrets are not looked for in results: they could be anything.
const MIN_SECRET_CHARS: usize = 8;
const REDACTED: &str = "[redacted]";

/// Runs the action of this name; its result. The context changes only when it ran to its end.
pub async fn call_action<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    name: &str,
    input: Value,
    timeout: Duration,
) -> Result<Value, Failure> {
    let deadline = object.outside.now().plus(timeout);
    let (loaded, effective) = callable(object, sees, deadline).await?;
    let compiled = &effective.compiled;
    // Those that run by themselves, at their own time, are nobody's to call.
    let action = NamedAction::find(&compiled.config, name)
        .filter(|action| !RESERVED.contains(&action.name()))
        .ok_or_else(|| Failure::not_found("action of this integration"))?;
    if loaded.account.is_sandbox && action.may_write(&compiled.config) {
        return Err(sandbox_refusal());
    }
    let outcome = run_action(object, &loaded, &effective, action, input, deadline).await?;
    let mut secrets = secrets_of(compiled, &loaded.context);
    if let Some(context) = &outcome.context {
        object.keep_changes(&loaded.context, context).await?;
        secrets.extend(secrets_of(compiled, context));
    }
    let mut result = outcome.result;
    redact(&mut result, &secrets);
    Ok(result)
}

/// The texts of a context that rest sealed.
pub fn secrets_of(compiled: &Compiled, context: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    collect(&compiled.split_context(context).1, &mut texts);
    texts
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= MIN_SECRET_CHARS => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(entries) => entries.values().for_each(|item| collect(item, texts)),
        _ => {}
    }
}

/// A text with those secrets in it that it repeats made unreadable.
pub fn redacted(text: &str, secrets: &[String]) -> String {
    let hidden = |text: String, secret: &String| text.replace(secret.as_str(), REDACTED);
    secrets.iter().fold(text.to_owned(), hidden)
}

/// A result cannot come to hold a secret by itself; a provider may have sent one that the action stored, or may
/// repeat one.
fn redact(value: &mut Value, secrets: &[String]) {
    match value {
        Value::String(text) if secrets.iter().any(|secret| text.contains(secret.as_str())) => {
            REDACTED.clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, secrets)),
        Value::Object(entries) => entries.values_mut().for_each(|item| redact(item, secrets)),
        _ => {}
    }
}
