//! Fields that no definition declares: those of the mode, and values that requests read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::draft::{ClientOwner, Draft, Source, Stage};
use super::fields::{has, is_read};
use super::hosts::config_key;
use super::interpolation::Interpolation;
use super::mode::AuthMode;
use super::names::Origin;

/// Fields that connect the account and that no definition declares.
const DEFAULTS: [(&str, &str); 16] = [
    ("api_key", "API key"),
    ("username", "User name"),
    ("password", "Password"),
    ("client_id", "Client ID"),
    ("client_secret", "Client secret"),
    ("access_key_id", "Access key ID"),
    ("secret_access_key", "Secret access key"),
    ("region", "Region"),
    ("service", "Service"),
    ("realm", "Realm"),
    ("consumer_key", "Consumer key"),
    ("consumer_secret", "Consumer secret"),
    ("token_id", "Token ID"),
    ("token_secret", "Token secret"),
    ("app_id", "App ID"),
    ("private_key", "Private key"),
];
/// Those of them that are no secrets.
const OPEN_DEFAULTS: [&str; 9] = [
    "access_key_id",
    "app_id",
    "client_id",
    "consumer_key",
    "realm",
    "region",
    "service",
    "token_id",
    "username",
];

impl Draft<'_> {
    /// Fields that the mode needs and that the definition does not declare.
    pub fn add_defaults(&self, fields: &mut Vec<Value>, used: &str) {
        let is_client =
            self.owner == ClientOwner::Account && self.mode != AuthMode::ClientCredentials;
        let clients: &[&str] = if is_client {
            &["client_id", "client_secret"]
        } else {
            &[]
        };
        let is_declared = |name: &str| {
            let declared = self.definition.object("credentials").into_iter().flatten();
            let mut names = declared.map(|(key, _)| self.names.key(Origin::Credential, key));
            names.any(|own| own == name)
        };
        for name in self.mode.default_credentials().iter().chain(clients) {
            if has(fields, name) || is_declared(name) || !(is_read(used, name) || is_client) {
                continue;
            }
            let label = DEFAULTS
                .iter()
                .find(|(own, _)| own == name)
                .map(|(_, label)| *label);
            let kind = if OPEN_DEFAULTS.contains(name) {
                "text"
            } else {
                "password"
            };
            let is_optional = *name == "password";
            fields.push(
                json!({ "name": name, "label": label, "type": kind, "required": !is_optional }),
            );
        }
    }

    /// Values that requests read and that nothing declares: typed in.
    pub fn add_undeclared(&mut self, fields: &mut Vec<Value>, used: &str) {
        let texts = self.definition.texts();
        let paths = texts
            .iter()
            .flat_map(|text| {
                let text = Interpolation::parse(text);
                text.paths()
                    .into_iter()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect::<BTreeSet<_>>();
        for path in paths {
            let Source::Context { key, .. } = self.source(&path, Stage::Exchange) else {
                continue;
            };
            if has(fields, &key) || self.filled.contains(&key) || !is_read(used, &key) {
                continue;
            }
            let is_config = config_key(&path).is_some();
            let mut field = json!({ "name": key, "type": if is_config { "text" } else { "password" }, "required": true });
            let is_dotted = config_key(&path).is_some_and(|key| self.hosts.dotted.contains(key));
            if let Some(field) = field.as_object_mut().filter(|_| is_dotted) {
                field.insert("allow_dots".to_owned(), json!(true));
            }
            fields.push(field);
        }
    }
}
