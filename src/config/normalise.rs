//! Shorthands of the file, written out: what several spellings mean is said
//! here once, so that the types and the merge see only one.

use serde_json::{Map, Value, json};

use super::action::EXCHANGE;

/// Writes a single credential as a map from its format, so that overrides
/// merge into the right one.
pub fn normalise(config: &mut Value) {
    let Some(credentials) = config.get_mut("credentials") else {
        return;
    };
    if let Some(format) = credentials.get("format").and_then(Value::as_str) {
        let format = format.to_owned();
        *credentials = json!({format: credentials.take()});
    }
}

/// Makes a configuration ready to be read into types: `format` and `type`
/// before `config`, so that errors keep their path; formats without settings
/// get empty ones; the aliases of signature formats are resolved.
pub(super) fn prepare(config: &mut Value) {
    normalise(config);
    if let Some(Value::Object(credentials)) = config.get_mut("credentials") {
        for (format, credential) in credentials {
            named(credential, format);
            tagged(credential, "format");
            for list in ["steps", "refresh_steps"] {
                let steps = credential
                    .get_mut("config")
                    .and_then(|own| own.get_mut(list));
                let steps = steps.and_then(Value::as_array_mut);
                steps.into_iter().flatten().for_each(credential_step);
            }
        }
    }
    shared(config);
    if let Some(resources) = config.get_mut("resources") {
        each(resources, |methods| each(methods, shared));
    }
    if let Some(actions) = config.get_mut("actions") {
        each(actions, action);
        if let Some(exchange) = actions.get_mut(EXCHANGE) {
            without_token(exchange);
        }
    }
    if let Some(verification) = config
        .get_mut("webhook")
        .and_then(|webhook| webhook.get_mut("signature_verification"))
    {
        match verification {
            Value::Array(schemes) => schemes.iter_mut().for_each(signature_format),
            only => signature_format(only),
        }
    }
}

/// The sections that a method has too.
fn shared(section: &mut Value) {
    if let Some(value) = section.get_mut("pagination") {
        tagged(value, "format");
    }
    match section.get_mut("authorization") {
        Some(Value::Array(list)) => list.iter_mut().for_each(|one| tagged(one, "format")),
        Some(only) => tagged(only, "format"),
        None => {}
    }
}

fn each(map: &mut Value, change: impl Fn(&mut Value)) {
    if let Value::Object(entries) = map {
        entries.values_mut().for_each(change);
    }
}

/// A credential that does not say its format has that of its key.
fn named(credential: &mut Value, format: &str) {
    if let Value::Object(keys) = credential {
        keys.entry("format").or_insert_with(|| json!(format));
    }
}

/// Puts the tag in front and makes sure of a `config`.
fn tagged(value: &mut Value, tag: &str) {
    let Value::Object(keys) = value else { return };
    let Some(name) = keys.shift_remove(tag) else {
        return;
    };
    let mut ordered = Map::from_iter([(tag.to_owned(), name)]);
    ordered.append(keys);
    if ordered.get("config").is_none_or(Value::is_null) {
        ordered.insert("config".to_owned(), json!({}));
    }
    *keys = ordered;
}

fn action(action: &mut Value) {
    if action.get("steps").is_some() {
        if let Some(Value::Array(steps)) = action.get_mut("steps") {
            steps.iter_mut().for_each(step);
        }
    } else {
        step(action);
    }
}

/// Puts `type` in front; a `request` that names a resource calls its method. The alternatives of a step are steps, too.
fn step(step: &mut Value) {
    each_alternative(step, written_out);
    written_out(step);
}

fn each_alternative(step: &mut Value, change: impl Fn(&mut Value)) {
    let steps = step.get_mut("any_of").and_then(Value::as_array_mut);
    steps.into_iter().flatten().for_each(change);
}

fn written_out(step: &mut Value) {
    let names_resource = step.pointer("/config/resource").is_some();
    let Value::Object(keys) = step else { return };
    let Some(mut name) = keys.shift_remove("type") else {
        return;
    };
    if names_resource && name == "request" {
        name = json!("request_method");
    }
    let mut ordered = Map::from_iter([("type".to_owned(), name)]);
    ordered.append(keys);
    if let Some(config) = ordered.get_mut("config") {
        shared(config);
    }
    *keys = ordered;
}

/// The steps of an action that gets a token.
fn without_token(action: &mut Value) {
    match action.get_mut("steps") {
        Some(Value::Array(steps)) => steps.iter_mut().for_each(credential_step),
        _ => credential_step(action),
    }
}

/// A request that gets a token has none: unless it says how it is authenticated, it is not.
fn credential_step(own: &mut Value) {
    each_alternative(own, credential_request);
    credential_request(own);
}

fn credential_request(own: &mut Value) {
    written_out(own);
    if own.get("type").is_some_and(|kind| kind == "request")
        && let Some(Value::Object(config)) = own.get_mut("config")
        && !config.contains_key("authorization")
    {
        config.entry("no_auth").or_insert(json!(true));
    }
}

/// `HMAC-SHA256` → `hmac` with `algorithm: sha256`; names in lower case.
fn signature_format(verification: &mut Value) {
    let Value::Object(keys) = verification else {
        return;
    };
    if keys.get("config").is_none_or(Value::is_null) {
        keys.insert("config".to_owned(), json!({}));
    }
    let name = text(keys, "format").map(|format| format.to_ascii_lowercase().replace('-', "_"));
    let hash = name
        .as_deref()
        .and_then(|name| name.strip_prefix("hmac_"))
        .map(hash_name);
    if let Some(name) = &name {
        let format = if hash.is_some() { "hmac" } else { name };
        keys.insert("format".to_owned(), json!(format));
    }
    let Some(Value::Object(config)) = keys.get_mut("config") else {
        return;
    };
    if let Some(algorithm) = text(config, "algorithm").map(hash_name).or(hash) {
        config.insert("algorithm".to_owned(), json!(algorithm));
    }
}

fn text<'v>(keys: &'v Map<String, Value>, key: &str) -> Option<&'v str> {
    keys.get(key)?.as_str()
}

/// `SHA-256` → `sha256`
fn hash_name(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '_'], "")
}

#[cfg(test)]
mod tests {
    use super::{normalise, prepare};
    use serde_json::json;

    #[test]
    fn a_single_credential_becomes_a_map() {
        let mut config = json!({"credentials": {"config": {}, "format": "api_key"}});
        normalise(&mut config);
        assert_eq!(
            config,
            json!({"credentials": {"api_key": {"config": {}, "format": "api_key"}}})
        );
        let once = config.clone();
        normalise(&mut config);
        assert_eq!(config, once);
    }

    #[test]
    fn tags_come_first_and_settings_are_never_absent() {
        let mut config = json!({
            "authorization": {"config": {"a": 1}, "format": "bearer"},
            "pagination": {"format": "link_header"},
            "resources": {"u": {"list": {"authorization": [{"config": {}, "format": "bearer"}, {"format": "query"}]}}},
            "actions": {"one": {"config": {"resource": "u"}, "type": "request"}, "two": {"steps": [{"config": {}, "type": "form"}]}},
        });
        prepare(&mut config);
        assert_eq!(
            config.to_string(),
            concat!(
                r#"{"authorization":{"format":"bearer","config":{"a":1}},"#,
                r#""pagination":{"format":"link_header","config":{}},"#,
                r#""resources":{"u":{"list":{"authorization":[{"format":"bearer","config":{}},{"format":"query","config":{}}]}}},"#,
                r#""actions":{"one":{"type":"request_method","config":{"resource":"u"}},"two":{"steps":[{"type":"form","config":{}}]}}}"#
            )
        );
    }

    #[test]
    fn the_name_of_a_signature_may_carry_its_algorithm() {
        for (format, expected) in [
            (
                "HMAC-SHA256",
                json!({"format": "hmac", "config": {"algorithm": "sha256"}}),
            ),
            (
                "hmac_sha1",
                json!({"format": "hmac", "config": {"algorithm": "sha1"}}),
            ),
            ("JWT", json!({"format": "jwt", "config": {}})),
            (
                "standard-webhooks",
                json!({"format": "standard_webhooks", "config": {}}),
            ),
        ] {
            let mut config = json!({"webhook": {"signature_verification": {"format": format}}});
            prepare(&mut config);
            assert_eq!(config["webhook"]["signature_verification"], expected);
        }
    }
}
