//! The parts of a resolved configuration that aim or use secrets, each with what it reads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{FilePlace, Uses, digest_of, remove};
use crate::config::credentials::FORMATS;
use crate::config::prose;
use crate::config::reads::VariableReads;
use crate::json;

mod address;
mod known;
mod webhook;

use address::{add_urls, base_origins, hosts};
use known::KnownVariables;
use webhook::without_tolerance;

/// Keys of a credential that say where its client goes and how it is proved there.
const AIMS: [&str; 27] = [
    "alsoFor",
    "consumer",
    "requestTokenUrl",
    "authorizeUrl",
    "tokenUrl",
    "signatureMethod",
    "realm",
    "jwt",
    "client",
    "auth",
    "registration",
    "options",
    "tokenParams",
    "refreshParams",
    "tokenHeaders",
    "tokenParamNames",
    "callbackGrant",
    "steps",
    "refresh_steps",
    "host",
    "port",
    "username",
    "password",
    "private_key",
    "passphrase",
    "host_keys",
    "root",
];

/// A part that aims or uses secrets.
struct BoundSection {
    /// Parts of one group belong together: who is read in one of them is aimed by its core.
    group: String,
    is_core: bool,
    /// Of its text, and of the variables that it reads.
    digest: String,
}

/// All of them.
pub(super) struct Sections {
    parts: Vec<BoundSection>,
    /// The parts that read a variable, by its name, and those that may read any.
    readers: BTreeMap<String, BTreeSet<usize>>,
    readers_of_all: BTreeSet<usize>,
    /// The cores of groups.
    cores: BTreeMap<String, usize>,
    /// What every secret is bound to: the hosts that are allowed.
    hosts: String,
    clear: KnownVariables,
    secret: KnownVariables,
    /// Digests of credentials whose settings are secret as a whole, by key.
    whole: BTreeMap<String, String>,
    /// Of everything, for a secret in a place that is not known here.
    everything: String,
}

impl Sections {
    /// Of a resolved configuration with all secrets in their places. `changes` is the install's override.
    pub(super) fn of(resolved: &Value, secrets: &[FilePlace], changes: &Value) -> Self {
        let mut public = resolved.clone();
        for place in secrets {
            if is_known_format(resolved, place) && is_literal(place, resolved) {
                remove(&mut public, place);
            }
        }
        without_tolerance(&mut public);
        let mut all = Self {
            parts: Vec::new(),
            readers: BTreeMap::new(),
            readers_of_all: BTreeSet::new(),
            cores: BTreeMap::new(),
            hosts: hosts(&public),
            clear: KnownVariables::of(changes.get("environment_variables")),
            secret: KnownVariables::of(changes.get("secret_environment_variables")),
            whole: BTreeMap::new(),
            everything: digest_of(&public),
        };
        all.read(&public);
        all
    }

    fn read(&mut self, config: &Value) {
        let all = json!(base_origins(config));
        let (bases, aims) = (digest_of(&all), VariableReads::of(&all));
        let nothing = VariableReads::default();
        let Value::Object(keys) = config else { return };
        for (key, value) in keys {
            match key.as_str() {
                "credentials" => each(value, |format, credential| {
                    self.credential(format, credential, (&bases, &aims));
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
                key if prose::is_of_file(key) => {}
                "headers" | "query" | "body" => each(value, |name, entry| {
                    let value = json!({ "origins": bases, "is": { name: entry } });
                    self.push(format!("{key}.{name}"), true, &value, &aims);
                }),
                "actions" | "syncs" => each(value, |name, action| {
                    let value = json!({ "origins": bases, "action": action });
                    self.push(format!("{key}.{name}"), true, &value, &aims);
                }),
                _ => {
                    let value = json!({ "origins": bases, "is": { key: value } });
                    self.push(key.clone(), true, &value, &aims);
                }
            }
        }
    }

    /// `bases` are the origins that the requests of its steps can go to, with the variables that decide them.
    fn credential(
        &mut self,
        key: &str,
        credential: &Value,
        (bases, aims): (&String, &VariableReads),
    ) {
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
        let mut value = json!({ "format": format, "config": core });
        // Steps go to these origins, and every request is signed with the secret of a consumer.
        let is_for_requests =
            |config: &Value| config.get("steps").is_some() || config.get("consumer").is_some();
        if config.is_some_and(is_for_requests) {
            json::merge(&mut value, &json!({ "origins": bases }));
            self.push(group.clone(), true, &value, aims);
        } else if format.unwrap_or(key) == "sftp" {
            // Its host, and the keys that prove the host, are texts of their own.
            self.push(group.clone(), true, &value, &VariableReads::of(&value));
        } else {
            self.add(group.clone(), &value);
        }
        if let Some(Value::Object(keys)) = config {
            let others = keys.iter();
            for (name, value) in
                others.filter(|(name, _)| !AIMS.contains(&name.as_str()) && *name != "fields")
            {
                self.add_part(group.clone(), &json!({ name: value }));
            }
        }
    }

    fn add(&mut self, group: String, value: &Value) {
        self.push(group, true, value, &VariableReads::default());
    }

    fn add_part(&mut self, group: String, value: &Value) {
        self.push(group, false, value, &VariableReads::default());
    }

    /// `aims` are variables that decide its address, in addition to those of its own texts.
    fn push(&mut self, group: String, is_core: bool, value: &Value, aims: &VariableReads) {
        let mut aimed_by = aims.clone();
        add_urls(value, &mut aimed_by);
        let reads = VariableReads::of(value);
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
        self.parts.push(BoundSection {
            group,
            is_core,
            digest,
        });
    }

    /// What the secret at this place is bound to.
    pub(super) fn uses(&self, place: &FilePlace) -> Uses {
        match (place.part(0), place.part(1)) {
            ("secret_environment_variables", name) => self.of_variable(name),
            ("credentials", key) => match self.whole.get(key) {
                Some(whole) => self.of_parts(&[digest_of(&json!(whole))]),
                None => self.of_group(&format!("credentials.{key}")),
            },
            ("webhook", _) => self.of_group("webhook"),
            _ => self.of_parts(&[digest_of(&json!(self.everything))]),
        }
    }

    fn of_group(&self, group: &str) -> Uses {
        match self.cores.get(group) {
            Some(core) => self.joined(std::iter::once(*core)),
            // Something represents it, so that what is added later is another use.
            None => self.of_parts(&[digest_of(&Value::Null)]),
        }
    }

    fn of_variable(&self, name: &str) -> Uses {
        let named = self.readers.get(name).into_iter().flatten();
        let readers: BTreeSet<usize> = named.chain(&self.readers_of_all).copied().collect();
        let groups = readers.iter().filter_map(|index| self.parts.get(*index));
        let cores = groups
            .filter(|section| !section.is_core)
            .filter_map(|section| self.cores.get(&section.group).copied());
        let all: BTreeSet<usize> = cores.chain(readers.iter().copied()).collect();
        self.joined(all.into_iter())
    }

    fn joined(&self, used: impl Iterator<Item = usize>) -> Uses {
        let parts = used.filter_map(|index| self.parts.get(index));
        let parts = parts.map(|section| digest_of(&json!([section.group, section.digest])));
        self.of_parts(&parts.collect::<Vec<_>>())
    }

    fn of_parts(&self, parts: &[String]) -> Uses {
        Uses::new(&self.hosts, parts)
    }
}

/// A place in a credential that this version does not execute is secret with all that is around it.
fn is_known_format(resolved: &Value, place: &FilePlace) -> bool {
    if place.part(0) != "credentials" {
        return true;
    }
    let key = place.part(1);
    let format = resolved
        .pointer("/credentials")
        .and_then(|all| all.get(key)?.get("format")?.as_str());
    FORMATS.contains(&format.unwrap_or(key))
}

/// Whether a secret is there; a layer may have put a placeholder in its place.
fn is_literal(place: &FilePlace, resolved: &Value) -> bool {
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
        keys.retain(|key, _| !prose::is_of_method(key));
    }
    method
}
