//! Refuses secrets with white space around them, as pasting leaves it: at the provider, or in a signature, they would
//! fail without a reason.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::config::binding::leaves;
use crate::config::reads::VariableReads;
use crate::config::secrets::{self, KEYS};
use crate::error::{Complaint, Failure};
use crate::secret::is_padded;

/// Parts of a configuration that authenticate requests, or are sent with each.
const SIGNING: [&str; 6] = [
    "headers",
    "query",
    "body",
    "authorization",
    "credentials",
    "webhook",
];

/// 422 that names each text, at any depth, that begins or ends with white space, and quotes none of them.
pub fn refuse_padded(values: &Value, at: &str) -> Result<(), Failure> {
    let mut complaints = Vec::new();
    for place in leaves(values) {
        collect(
            place.find(values),
            &format!("{at}.{}", place.shown()),
            &mut complaints,
        );
    }
    if complaints.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid_in(&complaints))
}

/// Like [`refuse_padded`], for the secret part of a context. `password_fields` and `sealed` as for
/// [`secrets::split_context`].
pub fn refuse_padded_context(
    context: &Value,
    password_fields: &BTreeSet<String>,
    sealed: &Value,
) -> Result<(), Failure> {
    let (_, secret) = secrets::split_context(context, password_fields, sealed);
    refuse_padded(&secret, "context")
}

/// Like [`refuse_padded`], for an install's override: its secrets, and the clear variables that are used like secrets.
/// `resolved` is the configuration with the override.
pub fn refuse_padded_override(
    secret: &Value,
    public: &Value,
    resolved: &Value,
) -> Result<(), Failure> {
    refuse_padded(secret, "override")?;
    let parts = SIGNING.map(|key| resolved.get(key));
    let read = VariableReads::of(&json!(parts));
    let clear = public
        .get("environment_variables")
        .and_then(Value::as_object);
    let signing = clear
        .into_iter()
        .flatten()
        .filter(|(name, _)| KEYS.contains(&name.as_str()) || read.has(name));
    let signing: Map<String, Value> = signing
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    refuse_padded(&Value::Object(signing), "override.environment_variables")
}

fn collect(value: Option<&Value>, path: &str, complaints: &mut Vec<Complaint>) {
    match value {
        Some(Value::String(text)) if is_padded(text) => complaints.push(Complaint {
            path: path.to_owned(),
            message: "begins or ends with white space or an invisible character: remove it"
                .to_owned(),
        }),
        Some(Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                collect(Some(item), &format!("{path}[{index}]"), complaints);
            }
        }
        Some(Value::Object(entries)) => {
            for (key, item) in entries {
                collect(Some(item), &format!("{path}.{key}"), complaints);
            }
        }
        _ => {}
    }
}
