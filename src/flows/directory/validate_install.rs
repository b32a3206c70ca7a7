//! Checks the override of an install against the integration that it changes.

use crate::flows::config::stored_secrets::secret_names;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::config::binding::{Bound, Layers};
use crate::config::reserved::{OverrideLayer, Reserved, Trusted, aiming_variables, moved};
use crate::config::{self, overrides, secrets};
use crate::error::{Complaint, Failure};
use crate::flows::config::padded_secrets::refuse_padded_override;
use crate::flows::config::secret_binding as bind;
use crate::flows::directory::validate_integration::refused;
use crate::flows::messages::environment::Writer;
use crate::json::{self, typed};

/// A stored override: the public half, its secrets, and which entries the admin token wrote.
#[derive(Debug, Clone, Default)]
pub struct StoredOverride {
    pub public: Value,
    /// The secrets, with their bindings.
    pub secrets: Bound,
    /// The entries that the admin token wrote.
    pub trusted: Trusted,
}

#[derive(Debug, Clone, Copy)]
pub struct Changed<'a> {
    pub config: &'a Value,
    pub secrets: &'a Bound,
}

/// Checks a new override: the integration must be valid with it, no secret may change its use, and the writer must be
/// allowed to write it.
pub fn new_override(
    integration: Changed,
    whole: &Value,
    writer: Writer,
) -> Result<StoredOverride, Failure> {
    let whole = match whole {
        Value::Null => Value::Object(Map::new()),
        Value::Object(_) => normalised(whole),
        _ => return Err(Failure::invalid("override", "is not an object")),
    };
    checked(
        integration,
        &StoredOverride::default(),
        &whole,
        &whole,
        writer,
    )
}

/// Merges a patch into an override (RFC 7396), and checks the result like a new one.
pub fn changed_override(
    integration: Changed,
    old: &StoredOverride,
    patch: &Value,
    writer: Writer,
) -> Result<StoredOverride, Failure> {
    let mut before = old.public.clone();
    if old.secrets.secrets.is_object() {
        json::merge(&mut before, &old.secrets.secrets);
    }
    let whole = merged_override(&before, patch)?;
    checked(integration, old, &whole, &normalised(patch), writer)
}

fn checked(
    integration: Changed,
    old: &StoredOverride,
    whole: &Value,
    patch: &Value,
    writer: Writer,
) -> Result<StoredOverride, Failure> {
    check_variables(whole)?;
    let resolved = overrides::effective(integration.config, whole, &Value::Null);
    let (read, findings) = config::read_config(&resolved);
    let Some(read) = read else {
        return Err(in_override(&refused(&findings)));
    };
    let (public, secrets) = split(patch);
    refuse_padded_override(&secrets, &public, &resolved)?;
    let (public, secrets) = split(whole);
    let unbound = Bound {
        secrets,
        ..Bound::default()
    };
    let trusted = written(integration, old, (&public, &unbound), patch, writer)?;
    if writer == Writer::ApiToken {
        let after = merged_variables(whole);
        let mut before = old.public.clone();
        if old.secrets.secrets.is_object() {
            json::merge(&mut before, &old.secrets.secrets);
        }
        refuse_aiming(&aiming_variables(&read, &merged_variables(&before), &after))?;
    }
    let secrets = bind::install(
        &layers(integration, &old.public, &old.secrets),
        &layers(integration, &public, &unbound),
        patch,
    )?;
    Ok(StoredOverride {
        public,
        secrets,
        trusted,
    })
}

/// The entries of the override that the admin token wrote. 422 for entries that an API token may not write.
fn written(
    integration: Changed,
    old: &StoredOverride,
    (public, secrets): (&Value, &Bound),
    patch: &Value,
    writer: Writer,
) -> Result<Trusted, Failure> {
    let (names, old_names) = (
        secret_names(integration.config, &secrets.secrets),
        secret_names(integration.config, &old.secrets.secrets),
    );
    let new = OverrideLayer {
        below: integration.config,
        changes: public,
        trusted: &old.trusted,
        secrets: &names,
    };
    if writer == Writer::AdminToken {
        return Ok(new.trusted_with(patch));
    }
    let before = OverrideLayer {
        changes: &old.public,
        secrets: &old_names,
        ..new
    };
    refuse_reserved(&before.reserved(), &new.reserved(), "override")?;
    let moved = moved(&before.resolved(), &new.resolved(), &names);
    refuse_reserved(&[], &moved, "override")?;
    Ok(new.trusted_with(&Value::Null))
}

/// The variables of an override as placeholders read them: the secret ones take precedence.
fn merged_variables(whole: &Value) -> Value {
    let mut all = Value::Object(Map::new());
    for key in ["environment_variables", "secret_environment_variables"] {
        if let Some(variables) = whole.get(key).filter(|part| part.is_object()) {
            json::merge(&mut all, variables);
        }
    }
    all
}

fn refuse_aiming(names: &[String]) -> Result<(), Failure> {
    if names.is_empty() {
        return Ok(());
    }
    let complaints: Vec<Complaint> = names
        .iter()
        .map(|name| Complaint {
            path: format!("override.environment_variables.{name}"),
            message: "is part of the host of a URL: only the admin token may change it".to_owned(),
        })
        .collect();
    Err(bind::host_key(&complaints))
}

/// 422 that names the new entries that an API token may not write.
pub fn refuse_reserved(before: &[Reserved], now: &[Reserved], at: &str) -> Result<(), Failure> {
    let before: BTreeSet<_> = before
        .iter()
        .map(|entry| (&entry.place, &entry.digest))
        .collect();
    let new = now
        .iter()
        .filter(|entry| !before.contains(&(&entry.place, &entry.digest)));
    let complaints: Vec<_> = new
        .map(|entry| Complaint {
            path: format!("{at}.{}", entry.place.shown()),
            message: entry.reason.clone(),
        })
        .collect();
    if complaints.is_empty() {
        return Ok(());
    }
    Err(bind::host_key(&complaints))
}

fn layers<'a>(integration: Changed<'a>, install: &'a Value, secrets: &'a Bound) -> Layers<'a> {
    Layers {
        file: integration.config,
        file_secrets: integration.secrets,
        install,
        install_secrets: secrets,
        account: &Value::Null,
    }
}

/// Merges a patch into an override (RFC 7396).
fn merged_override(whole: &Value, patch: &Value) -> Result<Value, Failure> {
    if !patch.is_object() {
        return Err(Failure::invalid("override", "is not an object"));
    }
    let mut whole = normalised(whole);
    json::merge(&mut whole, &normalised(patch));
    Ok(whole)
}

fn normalised(value: &Value) -> Value {
    let mut value = value.clone();
    config::normalise(&mut value);
    value
}

/// Splits off what is sealed: secret variables, and secrets of the configuration.
fn split(change: &Value) -> (Value, Value) {
    let (mut public, mut secret) = secrets::split_config(change);
    let variables = public
        .as_object_mut()
        .and_then(|public| public.shift_remove("secret_environment_variables"));
    if let Some(variables) = variables {
        json::merge(
            &mut secret,
            &serde_json::json!({ "secret_environment_variables": variables }),
        );
    }
    (public, secret)
}

fn check_variables(change: &Value) -> Result<(), Failure> {
    for key in ["environment_variables", "secret_environment_variables"] {
        if change
            .get(key)
            .is_some_and(|variables| !variables.is_object())
        {
            return Err(Failure::invalid(
                &format!("override.{key}"),
                "is not an object",
            ));
        }
    }
    Ok(())
}

fn in_override(failure: &Failure) -> Failure {
    let complaints = failure
        .details
        .as_ref()
        .and_then(|details| details.get("failures"));
    let complaints: Vec<Complaint> = complaints
        .and_then(|all| typed::read(all).ok())
        .unwrap_or_default();
    let moved = complaints.into_iter().map(|one| Complaint {
        path: one.path.replacen("config", "override", 1),
        ..one
    });
    Failure::invalid_in(&moved.collect::<Vec<_>>())
}
