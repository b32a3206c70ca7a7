//! Checking the override of an install against the integration it changes.

use serde_json::{Map, Value};

use crate::config::{self, overrides, secrets};
use crate::error::{Complaint, Failure};
use crate::flows::ask::Aim;
use crate::flows::save_integration::refused;
use crate::json;

/// The public and the secret half of a whole override, when the integration still reads well with it.
pub fn checked_override(
    config: &Value,
    whole: &Value,
    aim: Aim,
) -> Result<(Value, Value), Failure> {
    let whole = match whole {
        Value::Null => Value::Object(Map::new()),
        Value::Object(_) => normalised(whole),
        _ => return Err(Failure::invalid("override", "is not an object")),
    };
    check_variables(&whole)?;
    if aim == Aim::Guarded {
        check_aim(&whole)?;
    }
    let effective = overrides::effective(config, &whole, &Value::Null);
    let (read, findings) = config::read_config(&effective);
    if read.is_none() {
        return Err(in_override(&refused(&findings)));
    }
    Ok(split(&whole))
}

/// An override with a patch merged in by the one rule.
pub fn merged_override(whole: &Value, patch: &Value) -> Result<Value, Failure> {
    if !patch.is_object() {
        return Err(Failure::invalid("override", "is not an object"));
    }
    let mut whole = normalised(whole);
    json::merge(&mut whole, &normalised(patch));
    Ok(whole)
}

/// The operator's client secret goes to the token endpoint: who names another endpoint, or another
/// client, brings that client's secret.
fn check_aim(whole: &Value) -> Result<(), Failure> {
    let credentials = whole.get("credentials").and_then(Value::as_object);
    for (format, credential) in credentials.into_iter().flatten() {
        let config = credential.get("config");
        let client = |key: &str| {
            config
                .and_then(|config| config.get("client"))
                .and_then(|client| client.get(key))
        };
        let re_aims =
            config.is_some_and(|config| config.get("auth").is_some()) || client("id").is_some();
        if re_aims && client("secret").is_none() {
            let path = format!("override.credentials.{format}.config");
            return Err(Failure::host_key(
                &path,
                "changes where the integration's client secret would go; bring client.secret, too",
            ));
        }
    }
    Ok(())
}

fn normalised(value: &Value) -> Value {
    let mut value = value.clone();
    config::normalise(&mut value);
    value
}

/// Secret variables, and secrets of the config itself, are sealed.
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
        .and_then(|all| serde_json::from_value(all.clone()).ok())
        .unwrap_or_default();
    let moved = complaints.into_iter().map(|one| Complaint {
        path: one.path.replacen("config", "override", 1),
        ..one
    });
    Failure::invalid_in(&moved.collect::<Vec<_>>())
}
