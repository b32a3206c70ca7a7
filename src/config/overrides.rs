//! The layers of a configuration: integration ← install `override` ← account
//! `integration_override`, by the one merge rule.

use serde_json::Value;

use crate::json::merge;

use super::amount::{MAX_DEPTH, is_too_deep};
use super::normalise;

/// Keys of an override that are no configuration: the install's variables.
const VARIABLES: [&str; 2] = ["environment_variables", "secret_environment_variables"];

/// The configuration that counts for an account. The result is to be read
/// with [`super::read_config`], which refuses the `null` that comes of a layer
/// nested deeper than any file may be.
pub fn effective(base: &Value, install_override: &Value, account_override: &Value) -> Value {
    let layers = [base, install_override, account_override];
    if layers
        .into_iter()
        .any(|layer| is_too_deep(layer, MAX_DEPTH))
    {
        return Value::Null;
    }
    let mut config = base.clone();
    normalise(&mut config);
    for layer in [install_override, account_override] {
        let Value::Object(_) = layer else { continue };
        let mut layer = layer.clone();
        if let Value::Object(keys) = &mut layer {
            keys.retain(|key, _| !VARIABLES.contains(&key.as_str()));
        }
        normalise(&mut layer);
        let was_off = is_switched_off(&config);
        merge(&mut config, &layer);
        if was_off && let Value::Object(keys) = &mut config {
            keys.insert(CUSTOM.to_owned(), Value::Bool(false));
        }
    }
    config
}

/// What a layer switches off no later one switches on: who may change a layer is not who wrote the one below.
const CUSTOM: &str = "custom";

fn is_switched_off(config: &Value) -> bool {
    config.get(CUSTOM) == Some(&Value::Bool(false))
}

#[cfg(test)]
mod tests {
    use super::effective;
    use crate::config::read_config;
    use serde_json::{Value, json};

    #[test]
    fn a_layer_that_nests_too_deep_is_refused_wherever_it_does() {
        let nested = |levels: usize| (1..levels).fold(json!(1), |value: Value, _| json!([value]));
        let base = json!({"label": "a"});
        for key in ["environment_variables", "x-note"] {
            let layer = |levels: usize| json!({ key: nested(levels) });
            let read = |install: &Value, account: &Value| {
                read_config(&effective(&base, install, account)).0.is_some()
            };
            assert!(read(&layer(63), &layer(63)), "{key}");
            assert!(!read(&layer(64), &json!({})), "{key}");
            assert!(!read(&json!({}), &layer(200)), "{key}");
        }
    }

    #[test]
    fn what_is_switched_off_stays_off() {
        let off = json!({"custom": false});
        for layer in [
            json!({"custom": true}),
            json!({"custom": null}),
            json!({}),
            json!(null),
        ] {
            assert_eq!(effective(&off, &layer, &json!({})), off, "{layer}");
            assert_eq!(effective(&json!({}), &off, &layer), off, "{layer}");
            assert_eq!(effective(&off, &json!({}), &layer), off, "{layer}");
        }
        assert_eq!(effective(&json!({"custom": true}), &json!({}), &off), off);
    }

    #[test]
    fn later_layers_win_and_variables_are_no_configuration() {
        let base = json!({"label": "a", "headers": {"x": "1", "y": "2"}, "credentials": {"format": "api_key", "config": {"fields": []}}});
        let install = json!({
            "headers": {"x": null}, "environment_variables": {"a": 1}, "secret_environment_variables": {"b": 2},
            "credentials": {"format": "oauth2", "config": {"scope": ["a"]}}
        });
        let account = json!({"label": "c", "resources": {"u": {"list": {}}}});
        assert_eq!(
            effective(&base, &install, &account),
            json!({
                "label": "c", "headers": {"y": "2"}, "resources": {"u": {"list": {}}},
                "credentials": {
                    "api_key": {"format": "api_key", "config": {"fields": []}},
                    "oauth2": {"format": "oauth2", "config": {"scope": ["a"]}}
                }
            })
        );
        assert_eq!(
            effective(&json!({"label": "a"}), &json!(null), &json!({})),
            json!({"label": "a"})
        );
    }
}
