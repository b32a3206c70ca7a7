//! The parts of a webhook: its schemes, and what is done with what they prove.

use serde_json::{Map, Value, json};

use super::Sections;

/// Keys of a webhook that use its secrets.
const USES: [&str; 5] = [
    "signature_verification",
    "challenge",
    "handle_verification",
    "allow_unsigned_handshake",
    "confirm_url_pattern",
];
/// Keys outside the signature that say whose events they are, and see no secret.
const LOOKUP: [&str; 2] = ["context_lookup_field_name", "context_lookup_field_value"];
impl Sections {
    /// A webhook: all its schemes together are one part.
    pub(super) fn webhook(&mut self, webhook: &Value) {
        let mut core: Map<String, Value> = USES
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), webhook.get(*key)?.clone())))
            .collect();
        let mut configs: Vec<&mut Map<String, Value>> = Vec::new();
        match core.get_mut("signature_verification") {
            Some(Value::Array(schemes)) => configs.extend(schemes.iter_mut().filter_map(config_of)),
            only => configs.extend(only.and_then(config_of)),
        }
        for key in LOOKUP {
            let found: Vec<Option<Value>> = configs
                .iter()
                .map(|config| config.get(key).cloned())
                .collect();
            let found = match found.as_slice() {
                [only] => json!(only),
                [] => Value::Null,
                all => json!(all),
            };
            self.add_part("webhook".to_owned(), &json!({ key: found }));
        }
        for config in configs {
            config.retain(|key, _| !LOOKUP.contains(&key.as_str()));
        }
        self.add("webhook".to_owned(), &Value::Object(core));
        if let Value::Object(keys) = webhook {
            for (name, value) in keys
                .iter()
                .filter(|(name, _)| !USES.contains(&name.as_str()))
            {
                self.add_part("webhook".to_owned(), &json!({ name: value }));
            }
        }
    }
}

/// How long after it was signed a webhook counts is no use of its secret.
pub(super) fn without_tolerance(config: &mut Value) {
    let schemes = match config.pointer_mut("/webhook/signature_verification") {
        Some(Value::Array(schemes)) => schemes.as_mut_slice(),
        only => only.map(std::slice::from_mut).unwrap_or_default(),
    };
    for scheme in schemes {
        if let Some(Value::Object(timestamp)) = scheme.pointer_mut("/config/timestamp") {
            timestamp.shift_remove("tolerance");
        }
    }
}

fn config_of(scheme: &mut Value) -> Option<&mut Map<String, Value>> {
    scheme.get_mut("config")?.as_object_mut()
}
