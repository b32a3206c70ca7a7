//! The parts of a resolved configuration that aim or use secrets, each with what it reads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Place, digest_of, remove};
use crate::config::credentials::FORMATS;
use crate::config::reads::Variables;

mod address;
mod known;

use address::{add_urls, base_urls, dotted};
use known::Known;

/// Keys of a credential that say where its client goes and how it is proved there.
const AIMS: [&str; 5] = ["client", "auth", "options", "tokenParams", "refreshParams"];
/// Keys of a webhook that use its secrets.
const USES: [&str; 5] = [
    "signature_verification",
    "challenge",
    "handle_verification",
    "allow_unsigned_handshake",
    "confirm_url_pattern",
];
/// Keys beside the signature that say whose events they are, and see no secret.
const LOOKUP: [&str; 2] = ["context_lookup_field_name", "context_lookup_field_value"];
/// Keys of a method that are never sent.
const PROSE: [&str; 7] = [
    "description",
    "api_documentation_url",
    "query_schema",
    "body_schema",
    "response_schema",
    "examples",
    "scopes",
];

/// A part that aims or uses secrets.
struct Section {
    /// Parts of one group belong together: who is read in one of them is aimed by its core.
    group: String,
    is_core: bool,
    /// Of its text, and of the variables that it reads.
    digest: String,
}

/// All of them.
pub(super) struct Sections {
    parts: Vec<Section>,
    /// The parts that read a variable, by its name, and those that may read any.
    readers: BTreeMap<String, BTreeSet<usize>>,
    readers_of_all: BTreeSet<usize>,
    /// The cores of groups.
    cores: BTreeMap<String, usize>,
    /// What every secret is bound to: the hosts that are allowed.
    hosts: String,
    clear: Known,
    secret: Known,
    /// Digests of credentials whose settings are secret as a whole, by key.
    whole: BTreeMap<String, String>,
    /// Of everything, for a secret in a place that is not known here.
    everything: String,
}

impl Sections {
    /// Of a resolved configuration with all secrets in their places. `changes` is the install's override.
    pub(super) fn of(resolved: &Value, secrets: &[Place], changes: &Value) -> Self {
        let mut public = resolved.clone();
        for place in secrets {
            if is_known_format(resolved, place) && is_literal(place, resolved) {
                remove(&mut public, place);
            }
        }
        let hosts = json!([public.get("allowed_hosts"), dotted(&public)]);
        let mut all = Self {
            parts: Vec::new(),
            readers: BTreeMap::new(),
            readers_of_all: BTreeSet::new(),
            cores: BTreeMap::new(),
            hosts: digest_of(&hosts),
            clear: Known::of(changes.get("environment_variables")),
            secret: Known::of(changes.get("secret_environment_variables")),
            whole: BTreeMap::new(),
            everything: digest_of(&public),
        };
        all.read(&public);
        all
    }

    fn read(&mut self, config: &Value) {
        let all = json!(base_urls(config));
        let (bases, aims) = (digest_of(&all), Variables::of(&all));
        let nothing = Variables::default();
        let Value::Object(keys) = config else { return };
        for (key, value) in keys {
            match key.as_str() {
                "credentials" => each(value, |format, credential| {
                    self.credential(format, credential);
                }),
                "resources" => each(value, |resource, methods| {
                    each(methods, |name, method| {
                        let base = method.get("base_url").or_else(|| config.get("base_url"));
                        let group = format!("resources.{resource}.{name}");
                        let value = json!({ "base_url": base, "method": without_prose(method) });
                        self.push(group, true, &value, &nothing);
                    });
                }),
                "webhook" => self.webhook(value),
                "label" | "logo" | "icon" | "tool_tags" | "allowed_hosts" => {}
                "headers" | "query" => each(value, |name, entry| {
                    let value = json!({ "base_urls": bases, "is": { name: entry } });
                    self.push(format!("{key}.{name}"), true, &value, &aims);
                }),
                "actions" => each(value, |name, action| {
                    let value = json!({ "base_urls": bases, "action": action });
                    self.push(format!("actions.{name}"), true, &value, &aims);
                }),
                _ => {
                    let value = json!({ "base_urls": bases, "is": { key: value } });
                    self.push(key.clone(), true, &value, &aims);
                }
            }
        }
    }

    fn credential(&mut self, key: &str, credential: &Value) {
        let group = format!("credentials.{key}");
        let format = credential.get("format").and_then(Value::as_str);
        if !FORMATS.contains(&format.unwrap_or(key)) {
            self.whole.insert(key.to_owned(), digest_of(credential));
        }
        let config = credential.get("config");
        let core: Map<String, Value> = AIMS
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), config?.get(*key)?.clone())))
            .collect();
        self.add(group.clone(), &json!({ "format": format, "config": core }));
        if let Some(Value::Object(keys)) = config {
            let others = keys.iter();
            for (name, value) in
                others.filter(|(name, _)| !AIMS.contains(&name.as_str()) && *name != "fields")
            {
                self.add_part(group.clone(), &json!({ name: value }));
            }
        }
    }

    fn webhook(&mut self, webhook: &Value) {
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

    fn add(&mut self, group: String, value: &Value) {
        self.push(group, true, value, &Variables::default());
    }

    fn add_part(&mut self, group: String, value: &Value) {
        self.push(group, false, value, &Variables::default());
    }

    /// `aims` are variables that aim it beside those of its own texts.
    fn push(&mut self, group: String, is_core: bool, value: &Value, aims: &Variables) {
        let mut aimed_by = aims.clone();
        add_urls(value, &mut aimed_by);
        let reads = Variables::of(value);
        let index = self.parts.len();
        let known = [
            digest_of(value),
            self.clear.digest(&reads),
            self.clear.digest(&aimed_by),
            // A secret variable counts where it aims: what only uses it is free of its value.
            self.secret.digest(&aimed_by),
        ];
        if reads.all {
            self.readers_of_all.insert(index);
        }
        for name in reads.names {
            self.readers.entry(name).or_default().insert(index);
        }
        if is_core {
            self.cores.insert(group.clone(), index);
        }
        let digest = digest_of(&json!(known));
        self.parts.push(Section {
            group,
            is_core,
            digest,
        });
    }

    /// What the secret at this place is bound to.
    pub(super) fn digest(&self, place: &Place) -> String {
        let bound = match (place.part(0), place.part(1)) {
            ("secret_environment_variables", name) => self.of_variable(name),
            ("credentials", key) => match self.whole.get(key) {
                Some(whole) => json!([whole, self.hosts]),
                None => self.of_group(&format!("credentials.{key}")),
            },
            ("webhook", _) => self.of_group("webhook"),
            _ => json!([self.everything, self.hosts]),
        };
        digest_of(&bound)
    }

    fn of_group(&self, group: &str) -> Value {
        self.joined(self.cores.get(group).into_iter().copied())
    }

    fn of_variable(&self, name: &str) -> Value {
        let named = self.readers.get(name).into_iter().flatten();
        let readers: BTreeSet<usize> = named.chain(&self.readers_of_all).copied().collect();
        if readers.is_empty() {
            return Value::Null;
        }
        let groups = readers.iter().filter_map(|index| self.parts.get(*index));
        let cores = groups
            .filter(|section| !section.is_core)
            .filter_map(|section| self.cores.get(&section.group).copied());
        let all: BTreeSet<usize> = cores.chain(readers.iter().copied()).collect();
        self.joined(all.into_iter())
    }

    /// The digests of these parts, in an order that the file's does not change.
    fn joined(&self, used: impl Iterator<Item = usize>) -> Value {
        let parts = used.filter_map(|index| self.parts.get(index));
        let parts: BTreeSet<(&str, &str)> = parts
            .map(|section| (section.group.as_str(), section.digest.as_str()))
            .collect();
        json!([parts, self.hosts])
    }
}

fn config_of(scheme: &mut Value) -> Option<&mut Map<String, Value>> {
    scheme.get_mut("config")?.as_object_mut()
}

/// A place in a credential that this version does not execute is secret with all that is around it.
fn is_known_format(resolved: &Value, place: &Place) -> bool {
    if place.part(0) != "credentials" {
        return true;
    }
    let key = place.part(1);
    let format = resolved
        .pointer("/credentials")
        .and_then(|all| all.get(key)?.get("format")?.as_str());
    FORMATS.contains(&format.unwrap_or(key))
}

/// Whether a secret stands there; a layer may have put a placeholder in its place.
fn is_literal(place: &Place, resolved: &Value) -> bool {
    let text = place.find(resolved).and_then(Value::as_str);
    text.is_none_or(|text| !text.contains("{{"))
}

fn each<'v>(value: &'v Value, mut work: impl FnMut(&'v str, &'v Value)) {
    for (key, item) in value.as_object().into_iter().flatten() {
        work(key, item);
    }
}

fn without_prose(method: &Value) -> Value {
    let mut method = method.clone();
    if let Value::Object(keys) = &mut method {
        keys.retain(|key, _| !PROSE.contains(&key.as_str()));
    }
    method
}
