//! A caller runs an action of an account: whether it may, the run itself, and what is kept and shown of it.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::config::action::RESERVED;
use crate::error::Failure;
use crate::flows::account_object::AccountObject;
use crate::flows::proxy_call::{Trace, callable, sandbox_refusal};
use crate::flows::redaction::Redactor;
use crate::flows::run_action::{NamedAction, run_action};
use crate::ports::{Outside, Sees, Storage};

/// Runs the action of this name; its result. The context changes only when it ran to its end.
pub async fn call_action<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    trace: &Trace,
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
    trace.runs(action.name());
    if loaded.account.is_sandbox && action.may_write(&compiled.config) {
        return Err(sandbox_refusal());
    }
    let outcome = run_action(object, &loaded, &effective, action, input, deadline).await?;
    let mut result = outcome.result;
    object
        .redactor(compiled, &loaded.context)
        .value(&mut result);
    if let Some(context) = &outcome.context {
        object.keep_changes(&loaded.context, context).await?;
        Redactor::of_context(compiled, context).value(&mut result);
    }
    Ok(result)
}
