//! An account's own override of the config: what each kind of token may write, and that no secret is sent to another
//! host because of it.

use serde_json::{Map, Value};

use crate::account::Account;
use crate::config::{self, secrets};
use crate::error::{Code, Failure};
use crate::flows::account::base::Base;
use crate::flows::config::resolved_config;
use crate::flows::config::resolved_config::AccountOverride;
use crate::flows::config::resolved_config::compile::review;
use crate::flows::config::secret_binding as bind;
use crate::flows::directory::validate_install::refuse_reserved;
use crate::flows::messages::account::OverrideChange;
use crate::flows::messages::environment::Writer;
use crate::json;
use crate::ports::Outside;

/// Changes the account's override, if the writer's token may write that and no secret is sent to another host.
pub(super) async fn change_override<O: Outside, S>(
    base: &Base<O, S>,
    account: &mut Account,
    change: &OverrideChange,
) -> Result<(), Failure> {
    let published = resolved_config::published(base.outside(), base.isolate(), account).await?;
    let review =
        |account: &Account| review(base.outside(), &published, AccountOverride::of(account));
    let (before, _) = review(account)?;
    let patch = normalised(&change.patch)?;
    account.integration_override = merged_override(account.integration_override.take(), &patch)?;
    let compiled = resolved_config::compiled(base.outside(), base.isolate(), account, &published);
    compiled.map(drop).map_err(|failure| match failure.code {
        Code::BadIntegration => Failure::invalid("integration_override", "does not fit the integration: POST /integration/validate shows the errors of the merged file"),
        _ => failure,
    })?;
    let (now, lower) = review(account)?;
    if change.writer == Writer::ApiToken {
        refuse_reserved(&before.reserved, &now.reserved, "integration_override")?;
        let moved = lower.moved(&before.resolved, &now.resolved);
        refuse_reserved(&[], &moved, "integration_override")?;
    }
    bind::refuse_unbound(
        &bind::newly_unbound(&before.unbound, &now.unbound),
        "integration_override",
    )?;
    let written = match change.writer {
        Writer::AdminToken => &patch,
        Writer::ApiToken => &Value::Null,
    };
    account.override_by_admin_token = lower.trusted(AccountOverride::of(account), written);
    Ok(())
}

fn normalised(patch: &Value) -> Result<Value, Failure> {
    let mut patch = match patch {
        Value::Null | Value::Object(_) => patch.clone(),
        _ => return Err(Failure::invalid("integration_override", "is not an object")),
    };
    config::normalise(&mut patch);
    Ok(patch)
}

fn merged_override(own: Option<Value>, patch: &Value) -> Result<Option<Value>, Failure> {
    if patch.is_null() {
        return Ok(None);
    }
    let mut own = own.unwrap_or_else(|| Value::Object(Map::new()));
    json::merge(&mut own, patch);
    let (_, secrets) = secrets::split_config(&own);
    let has_secret = secrets
        .as_object()
        .is_some_and(|secrets| !secrets.is_empty());
    if has_secret || own.get("secret_environment_variables").is_some() {
        return Err(Failure::invalid(
            "integration_override",
            "holds a secret; an account's own secrets belong in its context",
        ));
    }
    Ok(Some(own))
}
