//! Checking the override of an install against the integration it changes.

use serde_json::{Map, Value};

use crate::config::{self, overrides, secrets};
use crate::error::{Complaint, Failure};
use crate::flows::save_integration::refused;
use crate::json;

/// The public and the secret half of an override, when the integration still reads well with it.
pub fn checked_override(config: &Value, change: &Value) -> Result<(Value, Value), Failure> {
    let mut change = match change {
        Value::Null => Value::Object(Map::new()),
        Value::Object(_) => change.clone(),
        _ => return Err(Failure::invalid("override", "is not an object")),
    };
    check_variables(&change)?;
    config::normalise(&mut change);
    let effective = overrides::effective(config, &change, &Value::Null);
    let (read, findings) = config::read_config(&effective);
    if read.is_none() {
        return Err(in_override(&refused(&findings)));
    }
    Ok(split(&change))
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
