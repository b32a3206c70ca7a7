//! Keys in any text of the file, and the operator's variables on their way to an open host. Looks at the JSON itself, so
//! that no place is forgotten: what `aim` looks at knows its own host, and a closed list of places is harmless.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::config::prose;
use crate::config::secrets::KEYS;
use crate::config::{Config, Finding};
use crate::expression::{UrlTemplate, effort};

use super::Broken;
use super::aim::{Host, found, host_of};
use super::literal::Name;
use super::operator_values::OperatorValueKind;

mod place;
mod webhook;

use place::{TextKind, TextPlace, holds_placeholder, stands_in_clear, variable};

/// Keys that people read, at any depth, next to those of `prose`. Samples are looked at: ids in them look like keys, so
/// only what a name calls a credential counts.
const PROSE: [&str; 5] = ["help_text", "placeholder", "name", "category", "pattern"];
/// What `aim` looks at, at the top and in a method or step.
const REQUEST: [&str; 7] = [
    "headers",
    "query",
    "authorization",
    "base_url",
    "path",
    "pagination_path",
    "body",
];
/// The same of an OAuth credential; its client's id alone is public.
const OAUTH: [&str; 7] = [
    "alsoFor",
    "auth",
    "params",
    "tokenParams",
    "refreshParams",
    "tokenHeaders",
    "scope",
];

pub(super) fn check(config: &Config, file: &Value, broken: &Broken, findings: &mut Vec<Finding>) {
    if broken.touches("config.allowed_hosts") {
        return;
    }
    let known: BTreeSet<String> = findings.iter().map(|one| one.path.clone()).collect();
    let urls = config.urls();
    let is_open = |url: &UrlTemplate| super::aim::host(config, url) == Host::Open;
    let any = if urls.iter().any(|(_, url)| is_open(url)) {
        Host::Open
    } else {
        Host::Fixed
    };
    let mut check = TextCheck { known, findings };
    for (key, value) in file.as_object().into_iter().flatten() {
        let at = format!("config.{key}");
        match key.as_str() {
            key if REQUEST.contains(&key) => {}
            "credentials" => check.credentials(value, any),
            "resources" => check.resources(config, value),
            "actions" => check.actions(value, any),
            "webhook" => check.webhook(value),
            "pagination" => check.value(
                value,
                &at,
                &TextPlace {
                    host: any,
                    ..TextPlace::at(key)
                },
            ),
            _ => check.value(value, &at, &TextPlace::at(key)),
        }
    }
}

struct TextCheck<'f> {
    known: BTreeSet<String>,
    findings: &'f mut Vec<Finding>,
}

impl TextCheck<'_> {
    fn credentials(&mut self, credentials: &Value, host: Host) {
        for (format, credential) in entries(credentials) {
            let at = format!("config.credentials.{format}.config");
            for (key, value) in credential.get("config").into_iter().flat_map(entries) {
                let at = format!("{at}.{key}");
                match key.as_str() {
                    key if OAUTH.contains(&key) => {}
                    "fields" => self.fields(value, &at, host),
                    "client" | "consumer" => self.sealed(value, &at, "secret"),
                    // Public keys look like secrets; the others of a server are looked at by `sftp`.
                    "requestTokenUrl" | "authorizeUrl" | "tokenUrl" | "host" | "port"
                    | "host_keys" | "password" | "private_key" | "passphrase" => {}
                    "jwt" => {
                        self.sealed(value, &at, "key");
                        for (key, value) in entries(value).filter(|(key, _)| *key != "key") {
                            let spot = TextPlace::at(key);
                            self.value(value, &format!("{at}.{key}"), &TextPlace { host, ..spot });
                        }
                    }
                    "steps" | "refresh_steps" => self.steps(value, &at, host),
                    "token" => {
                        let form = TextKind::Source;
                        let spot = TextPlace::at(key);
                        self.value(value, &at, &TextPlace { form, ..spot });
                    }
                    _ => self.value(
                        value,
                        &at,
                        &TextPlace {
                            host,
                            ..TextPlace::at(key)
                        },
                    ),
                }
            }
        }
    }

    /// What a form gives by itself is sent as the account's.
    fn fields(&mut self, fields: &Value, at: &str, host: Host) {
        for (index, field) in fields.as_array().into_iter().flatten().enumerate() {
            let name = field
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let is_password = field.get("type").is_some_and(|kind| kind == "password");
            let is_credential = is_password || KEYS.contains(&name);
            let at = format!("{at}[{index}]");
            for (key, value) in entries(field) {
                let spot = match key.as_str() {
                    "default" => TextPlace {
                        host,
                        is_credential,
                        ..TextPlace::at(key)
                    },
                    _ => TextPlace {
                        host,
                        ..TextPlace::at(key)
                    },
                };
                self.value(value, &format!("{at}.{key}"), &spot);
            }
        }
    }

    fn sealed(&mut self, value: &Value, at: &str, key: &str) {
        let text = value.get(key).and_then(Value::as_str);
        if let Some(text) = text.filter(|text| holds_placeholder(text)) {
            let spot = TextPlace {
                is_credential: true,
                ..TextPlace::at(key)
            };
            self.text(text, &format!("{at}.{key}"), &spot);
        }
    }

    fn resources(&mut self, config: &Config, resources: &Value) {
        for (resource, methods) in entries(resources) {
            for (name, method) in entries(methods) {
                let at = format!("config.resources.{resource}.{name}");
                let host = config
                    .method(resource, name)
                    .map_or(Host::Fixed, |own| host_of(config, own));
                self.method(method, &at, host);
            }
        }
    }

    fn method(&mut self, method: &Value, at: &str, host: Host) {
        for (key, value) in entries(method).filter(|(key, _)| !REQUEST.contains(&key.as_str())) {
            let spot = match key.as_str() {
                "pagination" => TextPlace {
                    host,
                    ..TextPlace::at(key)
                },
                _ => TextPlace::at(key),
            };
            self.value(value, &format!("{at}.{key}"), &spot);
        }
    }

    /// A step may hand on what it computes to one that sends it.
    fn actions(&mut self, actions: &Value, host: Host) {
        for (name, action) in entries(actions) {
            let at = format!("config.actions.{name}");
            match action.get("steps").filter(|steps| steps.is_array()) {
                None => self.step(action, &at, host),
                Some(steps) => self.steps(steps, &format!("{at}.steps"), host),
            }
        }
    }

    fn steps(&mut self, steps: &Value, at: &str, host: Host) {
        for (index, step) in steps.as_array().into_iter().flatten().enumerate() {
            self.step(step, &format!("{at}[{index}]"), host);
        }
    }

    fn step(&mut self, step: &Value, at: &str, host: Host) {
        let kind = step.get("type").and_then(Value::as_str).unwrap_or_default();
        for (key, value) in entries(step) {
            let at = format!("{at}.{key}");
            match (kind, key.as_str()) {
                (_, "any_of") => self.steps(value, &at, host),
                ("request", "config") => self.method(value, &at, host),
                ("form", "config") => {
                    let (fields, at) = match value.get("fields") {
                        Some(fields) => (fields, format!("{at}.fields")),
                        None => (value, at),
                    };
                    self.fields(fields, &at, host);
                }
                ("set_context" | "update_context", "config")
                    if value.is_object() && value.get("expression").is_none() => {}
                ("transform" | "set_context" | "update_context", "config") => {
                    let form = TextKind::Source;
                    let spot = TextPlace::at(key);
                    self.value(value, &at, &TextPlace { host, form, ..spot });
                }
                _ => self.value(
                    value,
                    &at,
                    &TextPlace {
                        host,
                        ..TextPlace::at(key)
                    },
                ),
            }
        }
    }

    /// The recursion is as deep as the file, which is bounded.
    fn value(&mut self, value: &Value, at: &str, spot: &TextPlace) {
        // In a sample a name is the provider's own.
        let is_ignored = !spot.is_sample && spot.key.starts_with("x-");
        let is_text = PROSE.contains(&spot.key) || prose::is_text(spot.key);
        let is_prose = is_text && !(spot.is_sample && value.is_object());
        if is_prose || is_ignored {
            return;
        }
        // Its path is written for each value; the reader says when that is too much.
        if effort::take(20 + at.len() as u64 / 8).is_err() {
            return;
        }
        match value {
            Value::String(text) => self.text(text, at, spot),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{at}[{index}]"), spot);
                }
            }
            Value::Object(entries) => {
                for (key, item) in entries {
                    let is_sample = spot.is_sample || prose::is_sample(spot.key);
                    let is_credential =
                        spot.is_credential || (is_sample && Name::of(key) == Name::Credential);
                    let spot = TextPlace {
                        key,
                        is_sample,
                        is_credential,
                        form: if is_sample {
                            TextKind::Text
                        } else {
                            spot.form.below(key)
                        },
                        ..*spot
                    };
                    self.value(item, &format!("{at}.{key}"), &spot);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, at: &str, spot: &TextPlace) {
        if self.known.contains(at) {
            return;
        }
        let kind = match variable(text).filter(|_| spot.host == Host::Open) {
            Some(path) => Some(OperatorValueKind::Variable(path)),
            None => stands_in_clear(text, spot).then_some(OperatorValueKind::Key),
        };
        let finding = kind.and_then(|kind| found(spot.host, at.to_owned(), kind));
        self.findings.extend(finding);
    }
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
