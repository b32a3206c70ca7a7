//! Finds the fields that a file reads anywhere in its JSON. A position that is not known to be harmless counts as one that steers.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::config::prose;
use crate::expression::scope::context_key;
use crate::expression::{Placeholder, Template};

/// What of a method is the caller's to choose anyway, by `/custom` and `body_passthrough`.
const CALLERS_OWN: [&str; 4] = ["path", "pagination_path", "base_url", "body"];

/// Adds to `steered` those of `names` that something in the file reads.
pub(super) fn steered(
    names: BTreeSet<&str>,
    steered: BTreeSet<String>,
    file: &Value,
) -> BTreeSet<String> {
    let mut check = SteeringCheck { names, steered };
    let lenient = is_signed_by_the_account(file);
    for (key, value) in file.as_object().into_iter().flatten() {
        match key.as_str() {
            key if prose::is_of_file(key) || key == "fields" || key.starts_with("x-") => {}
            "credentials" => check.credentials(value),
            "resources" => check.resources(value, lenient),
            "actions" => check.actions(value),
            "base_url" if lenient => {}
            _ => check.reads(value),
        }
    }
    check.steered
}

/// Whether every request is signed by what the account itself holds, and callers may send any other in its name: then
/// the paths and bodies of methods give a customer nothing that they do not have.
fn is_signed_by_the_account(file: &Value) -> bool {
    let is_own_part = |authorization: &Value| {
        let format = authorization.get("format").and_then(Value::as_str);
        let config = authorization.get("config").unwrap_or(&Value::Null);
        let is_default = format == Some("bearer") && config.get("token").is_none();
        is_default || format == Some("none") || any_text(config, &|text| reads_context(text))
    };
    // What one of a list adds may be another's.
    let is_own = |authorization: &Value| match authorization {
        Value::Array(list) => list.iter().all(is_own_part),
        only => is_own_part(only),
    };
    let methods = file.get("resources").and_then(Value::as_object);
    let methods = methods.into_iter().flat_map(|all| all.values());
    let methods = methods.filter_map(Value::as_object).flat_map(Map::values);
    let mut own = methods.filter_map(|method| method.get("authorization"));
    let is_shared = |key: &str| {
        let part = file.get(key).unwrap_or(&Value::Null);
        any_text(part, &|text| text.contains("environment_variables"))
    };
    let parts = [
        "base_url",
        "headers",
        "query",
        "body",
        "authorization",
        "resources",
        "actions",
        "syncs",
    ];
    file.get("custom") != Some(&Value::Bool(false))
        && file.get("authorization").is_some_and(is_own)
        && own.all(is_own)
        && !parts.into_iter().any(is_shared)
}

fn reads_context(text: &str) -> bool {
    text.contains("context")
        || Template::parse(text).is_ok_and(|template| {
            let mut paths = template.placeholders().flat_map(Placeholder::paths);
            paths.any(|path| context_key(path).is_some())
        })
}

/// The recursion is as deep as the file, which is bounded.
fn any_text(value: &Value, is_it: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_it(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, is_it)),
        Value::Object(entries) => entries.values().any(|item| any_text(item, is_it)),
        _ => false,
    }
}

/// A look through the file for the names of fields.
struct SteeringCheck<'c> {
    names: BTreeSet<&'c str>,
    steered: BTreeSet<String>,
}

impl SteeringCheck<'_> {
    fn credentials(&mut self, credentials: &Value) {
        for credential in credentials.as_object().into_iter().flat_map(Map::values) {
            let config = credential.get("config").and_then(Value::as_object);
            let config = config.into_iter().flatten();
            for (_, value) in config.filter(|(key, _)| *key != "fields") {
                self.reads(value);
            }
        }
    }

    fn resources(&mut self, resources: &Value, lenient: bool) {
        let methods = resources.as_object().into_iter().flat_map(Map::values);
        let methods = methods.filter_map(Value::as_object).flat_map(Map::values);
        for (key, value) in methods.filter_map(Value::as_object).flatten() {
            let is_callers = lenient && CALLERS_OWN.contains(&key.as_str());
            if !is_callers && !prose::is_of_method(key) {
                self.reads(value);
            }
        }
    }

    /// What is read by placeholders, and by expressions that look at the context.
    fn reads(&mut self, value: &Value) {
        let mut read = BTreeSet::new();
        for_each_text(value, &mut |text| read.extend(self.read_by(text)));
        self.steered.extend(read);
    }

    fn read_by(&self, text: &str) -> Vec<String> {
        let looks = text.contains("context") || text.contains("credentials");
        let reads = |name: &&&str| (looks && mentions(text, name)) || fills(text, name);
        let read = self.names.iter().filter(reads);
        read.map(|name| (*name).to_owned()).collect()
    }

    /// One that sends nothing and writes nothing only computes what its caller gets.
    fn actions(&mut self, actions: &Value) {
        let actions = actions.as_object().into_iter().flat_map(Map::values);
        for action in actions.filter(|action| has_effect(action)) {
            self.mentions(action);
        }
    }

    /// An action hands values from step to step under any name, so every field that it mentions counts.
    fn mentions(&mut self, value: &Value) {
        let mut found = BTreeSet::new();
        for_each_text(value, &mut |text| {
            let names = self.names.iter().filter(|name| mentions(text, name));
            found.extend(names.map(|name| (*name).to_owned()));
        });
        self.steered.extend(found);
    }
}

/// Whether a step does more than to compute.
fn has_effect(action: &Value) -> bool {
    let steps = action.get("steps").and_then(Value::as_array);
    let mut steps = steps
        .map_or_else(|| vec![action], |steps| steps.iter().collect())
        .into_iter();
    steps.any(|step| {
        let kind = step.get("type").and_then(Value::as_str);
        !matches!(kind, Some("transform" | "get_context"))
    })
}

/// Texts and keys.
pub(in crate::config) fn for_each_text(value: &Value, see: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| for_each_text(item, see)),
        Value::Object(entries) => {
            for (key, item) in entries {
                see(key);
                for_each_text(item, see);
            }
        }
        _ => {}
    }
}

/// Whether one of the text's placeholders reads this key, or the whole context.
fn fills(text: &str, name: &str) -> bool {
    let Ok(template) = Template::parse(text) else {
        return false;
    };
    let mut paths = template.placeholders().flat_map(Placeholder::paths);
    paths.any(|path| match (context_key(path), path.first()) {
        (Some(key), _) => key == name,
        (None, Some("context" | "credentials")) => true,
        _ => false,
    })
}

/// Whether the name is in the text as a word.
fn mentions(text: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let behind = text.get(at.saturating_add(name.len())..);
        let behind = behind.and_then(|text| text.chars().next());
        !name.is_empty() && !before.is_some_and(is_word) && !behind.is_some_and(is_word)
    })
}
