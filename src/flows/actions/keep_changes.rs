//! Stores what an action changed in an account's context.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::account::origin::Origin;
use crate::error::Failure;
use crate::flows::account::changes::{Changes, refuse_host_keys};
use crate::flows::account::contents::Contents;
use crate::flows::account::oauth_token::split_token;
use crate::flows::actions::ActionOutcome;
use crate::flows::base::context_limits::check_context;
use crate::json;
use crate::ports::{Outside, Storage, Visibility};

/// Merges what an action changed of `before`, and nothing else: changes by others while it ran are not undone. `who` is the
/// origin of every value that it wrote, also of an equal one; a value that it copied may still be the customer's. If the
/// account's host changed while it ran, nothing is stored: its results came from the old host.
pub(in crate::flows) async fn keep_changes<O: Outside, S: Storage>(
    changes: &Changes<O, S>,
    who: Origin,
    before: &Value,
    outcome: &ActionOutcome,
) -> Result<(), Failure> {
    if outcome.written.is_empty() {
        return Ok(());
    }
    let record = changes.record();
    let after = &without_token(outcome.context.as_ref().unwrap_or(before));
    let _one_at_a_time = record.lock_changing().await;
    let loaded = record.visible(&Visibility::All).await?;
    let resolved = record.resolved_config(&loaded.account).await?;
    let compiled = &resolved.compiled;
    let method = &loaded.account.authentication_method;
    // A refresh may have changed the token while the action ran. That is not another credential.
    let (began, now) = match before.pointer("/oauth/token") {
        Some(_) => (before, &loaded.context),
        None => (before, &without_token(&loaded.context)),
    };
    if refuse_host_keys(compiled, method, began, now).is_err() {
        return Err(Failure::busy(
            "The account's credentials were replaced while the action ran: what it changed was not stored. Run it again.",
        ));
    }
    let mut contents = Contents::of(&loaded);
    let who = match who {
        Origin::Provider => contents.provider(compiled),
        who => who,
    };
    if let Some(patch) = json::diff(&without_token(before), after) {
        let (copied, own) = split_copied(patch, &outcome.copied);
        contents.write(who, &own)?;
        contents.write(Origin::Customer, &copied)?;
    }
    let written = outcome.written.difference(&outcome.copied);
    let is_there = |key: &&String| contents.context().get(*key) == after.get(*key);
    contents.confirm(who, &written.filter(is_there).cloned().collect());
    check_context(contents.context())?;
    // Only `post_install` can set a first host. Here no action may send stored secrets to another host.
    if compiled.moves_host(method, &loaded.context, contents.context()) {
        refuse_host_keys(compiled, method, &loaded.context, contents.context())?;
    }
    changes
        .store(&loaded, loaded.account.clone(), &contents, &[])
        .await
        .map(drop)
}

/// Splits a patch into the values that were copied from the context, and the others.
fn split_copied(patch: Value, copied: &BTreeSet<String>) -> (Value, Value) {
    let Value::Object(entries) = patch else {
        return (Value::Null, Value::Null);
    };
    let parts: (Map<String, Value>, Map<String, Value>) = entries
        .into_iter()
        .partition(|(key, _)| copied.contains(key));
    (Value::Object(parts.0), Value::Object(parts.1))
}

/// The context without the token, which is stored where it is read.
pub(super) fn without_token(context: &Value) -> Value {
    split_token(context.clone()).0
}
