//! What the texts of a configuration read: the variables and the keys of the context that their placeholders name.
//! Looks at the JSON itself, so that no section is forgotten, and in doubt says that something is read.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::expression::scope::TEMPLATE_ROOTS;
use crate::expression::{Placeholder, Template};
use crate::json::Path;

use super::check::literal::Name;
use super::secrets::KEYS;

/// The root of the install's variables.
const VARIABLES: &str = "environment_variables";
/// Keys of the context that mean the OAuth token, or hold it.
const TOKEN_KEYS: [&str; 2] = ["oauth", "access_token"];

/// The variables that something reads.
#[derive(Debug, Default, Clone)]
pub struct VariableReads {
    /// All of them, by the bare root or in a way that cannot be known.
    pub all: bool,
    /// These, each with what it could also be called: `a` and `a.b` for `environment_variables.a.b`.
    pub names: BTreeSet<String>,
}

impl VariableReads {
    /// Those of every text in a value.
    pub fn of(value: &Value) -> Self {
        let mut variables = Self::default();
        variables.add(value);
        variables
    }

    /// Whether the variable of this name may be read.
    pub fn has(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }

    /// The recursion is as deep as the file, which is bounded.
    pub fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.add_text(text),
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(entries) => entries.values().for_each(|item| self.add(item)),
            _ => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        let mentions = text.matches(VARIABLES).count();
        if mentions == 0 {
            return;
        }
        let Ok(template) = Template::parse(text) else {
            self.all = true;
            return;
        };
        let paths = template.placeholders().flat_map(Placeholder::paths);
        let mut read = 0;
        for path in paths.filter(|path| path.first() == Some(VARIABLES)) {
            read += path.to_string().matches(VARIABLES).count();
            match name_of(path) {
                None => self.all = true,
                Some(parts) => self.names.extend(prefixes(parts)),
            }
        }
        // It is there in another way than as a placeholder.
        self.all |= read < mentions;
    }
}

fn name_of(path: &Path) -> Option<&[String]> {
    path.parts().get(1..).filter(|parts| !parts.is_empty())
}

/// A key may have dots in it.
fn prefixes(parts: &[String]) -> impl Iterator<Item = String> + '_ {
    (1..=parts.len()).map(|count| {
        parts
            .iter()
            .take(count)
            .cloned()
            .collect::<Vec<_>>()
            .join(".")
    })
}

/// What is secret to the texts of an override.
#[derive(Debug, Default, Clone)]
pub struct SecretNames {
    /// The names of secret variables.
    pub variables: BTreeSet<String>,
    /// The context keys whose field is a `password`.
    pub password_fields: BTreeSet<String>,
}

impl SecretNames {
    /// The first path in a value that reads a secret.
    pub fn read_by(&self, value: &Value) -> Option<String> {
        match value {
            Value::String(text) => self.read_by_text(text),
            Value::Array(items) => items.iter().find_map(|item| self.read_by(item)),
            Value::Object(entries) => entries.values().find_map(|item| self.read_by(item)),
            _ => None,
        }
    }

    fn read_by_text(&self, text: &str) -> Option<String> {
        let template = Template::parse(text).ok()?;
        let mut paths = template.placeholders().flat_map(Placeholder::paths);
        paths
            .find(|path| self.is_secret(path))
            .map(ToString::to_string)
    }

    fn is_secret(&self, path: &Path) -> bool {
        match path.first() {
            Some(VARIABLES) => name_of(path)
                .is_none_or(|parts| prefixes(parts).any(|name| self.variables.contains(&name))),
            Some("context" | "credentials") => {
                let key = path.parts().get(1..).unwrap_or_default();
                key.is_empty() || self.is_secret_key(key)
            }
            Some(root) if TEMPLATE_ROOTS.contains(&root) => false,
            _ => self.is_secret_key(path.parts()),
        }
    }

    fn is_secret_key(&self, parts: &[String]) -> bool {
        let is_first = |first: &String| {
            TOKEN_KEYS.contains(&first.as_str()) || self.password_fields.contains(first)
        };
        parts.first().is_some_and(is_first)
            || parts.iter().any(|part| KEYS.contains(&part.as_str()))
    }
}

/// What of the OAuth token a configuration sends as a credential: the paths below `oauth.token`, an empty one for all.
pub fn token_secrets(config: &Value) -> BTreeSet<Vec<String>> {
    let mut paths = BTreeSet::new();
    collect_token(config, false, &mut paths);
    paths
}

/// The recursion is as deep as the file, which is bounded.
fn collect_token(value: &Value, is_credential: bool, paths: &mut BTreeSet<Vec<String>>) {
    match value {
        Value::String(text) if is_credential => paths.extend(token_paths(text)),
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_token(item, is_credential, paths)),
        Value::Object(entries) => {
            for (key, item) in entries {
                let is_named = key != "credentials" && Name::of(key) == Name::Credential;
                collect_token(item, is_credential || is_named, paths);
            }
        }
        _ => {}
    }
}

/// Of placeholders, and of expressions as far as they write the path out; else it can be any of it.
fn token_paths(text: &str) -> Vec<Vec<String>> {
    const TOKEN: &str = "oauth.token";
    let template = Template::parse(text).ok();
    let paths = template.iter().flat_map(Template::placeholders);
    let mut found: Vec<Vec<String>> = paths
        .flat_map(Placeholder::paths)
        .filter_map(below_token)
        .collect();
    let is_expression = template.is_none_or(|template| template.literal().is_some());
    if is_expression && text.contains("oauth") {
        let spelled = text.matches(TOKEN).count() == text.matches("oauth").count();
        let names = text.split(TOKEN).skip(1).map(|rest| {
            let rest = rest.strip_prefix('.')?.trim_start_matches('`');
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
            Some(vec![rest.get(..end.unwrap_or(rest.len()))?.to_owned()])
        });
        let names: Option<Vec<_>> = names.collect();
        found.extend(names.filter(|_| spelled).unwrap_or_else(|| vec![vec![]]));
    }
    found
}

fn below_token(path: &Path) -> Option<Vec<String>> {
    let parts = match path.parts() {
        [root, rest @ ..] if root == "context" || root == "credentials" => rest,
        parts => parts,
    };
    match parts {
        [oauth, token, rest @ ..] if oauth == "oauth" && token == "token" => Some(rest.to_vec()),
        [oauth] if oauth == "oauth" => Some(Vec::new()),
        _ => None,
    }
}

/// The names of the `password` fields that a configuration declares anywhere.
pub fn password_fields(config: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect_fields(config, &mut names);
    names
}

fn collect_fields(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) => {
            let is_password = entries.get("type").is_some_and(|kind| kind == "password");
            let name = entries.get("name").and_then(Value::as_str);
            names.extend(name.filter(|_| is_password).map(str::to_owned));
            entries
                .values()
                .for_each(|item| collect_fields(item, names));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_fields(item, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{SecretNames, VariableReads, password_fields};

    #[test]
    fn a_variable_is_read_by_every_way_of_naming_it() {
        for (text, reads) in [
            ("{{environment_variables.a}}", true),
            ("x{{ environment_variables . a :str}}y", true),
            ("{{b|environment_variables.a?:x}}", true),
            ("{{environment_variables.a.b}}", true),
            ("{{environment_variables}}", true),
            ("{{environment_variables:json}}", true),
            ("$lookup(environment_variables, \"a\")", true),
            ("{{environment_variables.b}} environment_variables", true),
            ("{{environment_variables.b:uint}}", true),
            ("{{environment_variables.b}}", false),
            ("{{environment_variables.ab}}", false),
            ("{{a}}", false),
        ] {
            let variables = VariableReads::of(&json!({ "deep": [text] }));
            assert_eq!(variables.has("a"), reads, "{text}");
        }
        assert!(VariableReads::of(&json!("{{environment_variables.a.b}}")).has("a.b"));
    }

    #[test]
    fn a_path_is_secret_by_each_of_its_names() {
        let fields =
            json!({ "fields": [{ "name": "pin", "type": "password" }, { "name": "team" }] });
        let names = SecretNames {
            variables: ["key".to_owned()].into(),
            password_fields: password_fields(&fields),
        };
        for (text, path) in [
            ("{{team}}", None),
            ("{{context.team}}", None),
            ("{{environment_variables.team}}", None),
            ("{{query.api_key}}", None),
            ("{{pin}}", Some("pin")),
            ("{{context}}", Some("context")),
            ("{{a|credentials.pin}}", Some("credentials.pin")),
            ("{{deep.0.token}}", Some("deep.0.token")),
            ("{{oauth.state}}", Some("oauth.state")),
            (
                "{{environment_variables.key.x}}",
                Some("environment_variables.key.x"),
            ),
            ("{{environment_variables}}", Some("environment_variables")),
        ] {
            assert_eq!(names.read_by(&json!([text])).as_deref(), path, "{text}");
        }
    }
}
