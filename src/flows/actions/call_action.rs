//! A caller runs an action of an account: permission, the run, and what is stored and returned of it.

use std::rc::Rc;
use std::time::Duration;

use crate::account::origin::Origin;
use crate::config::action::RESERVED;
use crate::error::Failure;
use crate::flows::account_object::AccountObject;
use crate::flows::actions::{NamedAction, run_action};
use crate::flows::config::redaction::Redactor;
use crate::flows::proxy_call::callable;
use crate::flows::proxy_call::plan::sandbox_refusal;
use crate::flows::proxy_call::trace::Trace;
use crate::json::Exact;
use crate::ports::{Outside, Sees, Storage};

/// Runs the action of this name and returns its result. The context changes only when the action ran to its end.
pub async fn call_action<O: Outside, S: Storage>(
    object: &Rc<AccountObject<O, S>>,
    sees: &Sees,
    trace: &Trace,
    name: &str,
    input: Exact,
    timeout: Duration,
) -> Result<Exact, Failure> {
    let deadline = object.outside.now().plus(timeout);
    let (loaded, resolved) = callable(object, sees, deadline).await?;
    let compiled = &resolved.compiled;
    // The gateway runs the reserved actions at its own times; a caller cannot.
    let action = NamedAction::find(&compiled.config, name)
        .filter(|action| !RESERVED.contains(&action.name()))
        .ok_or_else(|| Failure::not_found("action of this integration"))?;
    trace.runs(action.name());
    if loaded.account.is_sandbox && action.may_write(&compiled.config) {
        return Err(sandbox_refusal());
    }
    let origin = origin_of(sees, &input);
    let outcome = run_action(object, &loaded, &resolved, action, input, deadline).await?;
    if outcome.has_written {
        trace.has_written();
    }
    object
        .keep_changes(origin, &loaded.context, &outcome)
        .await?;
    let mut result = outcome.result;
    object
        .redactor(compiled, &loaded.context)
        .value(result.inside_mut());
    if let Some(context) = &outcome.context {
        Redactor::of_context(compiled, context, &loaded.sealed).value(result.inside_mut());
    }
    Ok(result)
}

/// Who set the values that the action writes: the provider, unless a customer passed an input.
fn origin_of(sees: &Sees, input: &Exact) -> Origin {
    match sees {
        Sees::AccountToken(_) if !input.is_null() => Origin::Customer,
        _ => Origin::Provider,
    }
}
