//! Runs an action for a caller: the checks, the run, the changes that are stored and the result that is shown.

use crate::account::origin::Origin;
use crate::config::action::RESERVED;
use crate::error::Failure;
use crate::flows::actions::keep_changes::keep_changes;
use crate::flows::actions::{NamedAction, run_action};
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::call::admit::Access;
use crate::flows::call::subject::sandbox_refusal;
use crate::flows::call::trace::Trace;
use crate::flows::config::redaction::Redactor;
use crate::json::Exact;
use crate::ports::{Outside, Storage, Visibility};

/// Runs the action of this name and returns its result. The context is changed only if all steps succeed.
pub(in crate::flows) async fn call_action<O: Outside, S: Storage>(
    access: Access<'_, AccountCalls<O, S>>,
    trace: &Trace,
    name: &str,
    input: Exact,
) -> Result<Exact, Failure> {
    let admitted = access.admit().await?;
    let (object, loaded) = (admitted.account(), admitted.loaded());
    let (resolved, deadline) = (admitted.config(), admitted.deadline());
    let compiled = &resolved.compiled;
    // Lifecycle and credential actions run at their own time; callers cannot run them.
    let action = NamedAction::find(&compiled.config, name)
        .filter(|action| !RESERVED.contains(&action.name()))
        .ok_or_else(|| Failure::not_found("action of this integration"))?;
    trace.runs(action.name());
    if loaded.account.is_sandbox && action.may_write(&compiled.config) {
        return Err(sandbox_refusal());
    }
    let who = writer(admitted.visibility(), &input);
    let outcome = run_action(&**object, loaded, resolved, action, input, deadline).await?;
    if outcome.has_written {
        trace.has_written();
    }
    keep_changes(object.changes(), who, &loaded.context, &outcome).await?;
    let mut result = outcome.result;
    object
        .record()
        .redactor(compiled, &loaded.context)
        .value(result.inside_mut());
    if let Some(context) = &outcome.context {
        Redactor::of_context(compiled, context, &loaded.sealed).value(result.inside_mut());
    }
    Ok(result)
}

/// The origin of what the action writes: the provider, unless a customer gave the input.
fn writer(visibility: &Visibility, input: &Exact) -> Origin {
    match visibility {
        Visibility::AccountToken(_) if !input.is_null() => Origin::Customer,
        _ => Origin::Provider,
    }
}
