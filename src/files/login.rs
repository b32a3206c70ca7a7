//! The login of an account: where the server is, who logs in, and by which keys the server is known.

use std::time::Duration;

use serde_json::{Map, Value, json};
use url::Url;

use super::path::PathError;
use super::{FilesError, path};
use crate::config::SftpConfig;
use crate::config::credentials::is_host_key;
use crate::expression::{Pins, Template, TemplateScope};
use crate::secret::Secret;

/// A login with its secrets. It is neither shown nor logged.
pub struct ServerLogin {
    address: Url,
    username: String,
    password: Option<String>,
    private_key: Option<String>,
    passphrase: Option<String>,
    host_keys: Vec<String>,
    root: Option<String>,
}

/// Where the server is, as an address of `https`, by the rules for hosts.
pub fn address(
    config: &SftpConfig,
    scope: &TemplateScope<'_>,
    pins: &Pins<'_>,
) -> Result<Url, FilesError> {
    let address = config.address().ok_or(FilesError::NoAddress)?;
    Ok(address.render(scope, pins)?)
}

impl ServerLogin {
    /// The login of an account with these values.
    pub fn of(
        config: &SftpConfig,
        scope: &TemplateScope<'_>,
        pins: &Pins<'_>,
    ) -> Result<Self, FilesError> {
        let text = |template: &Option<Template>| match template {
            Some(template) => set(template, scope),
            None => Ok(None),
        };
        let login = Self {
            address: address(config, scope, pins)?,
            username: set(&config.username, scope)?.unwrap_or_default(),
            password: text(&config.password)?,
            private_key: text(&config.private_key)?.map(ended),
            passphrase: text(&config.passphrase)?,
            host_keys: host_keys(config, scope)?,
            root: match &config.root {
                Some(template) => root_path(template, scope)?,
                None => None,
            },
        };
        if login.password.is_none() && login.private_key.is_none() {
            return Err(FilesError::NoSecret);
        }
        Ok(login)
    }

    /// Where the server is.
    pub fn address(&self) -> &Url {
        &self.address
    }

    /// Fails where no key of the server is known: nothing may be sent to it.
    pub fn check_pinned(&self) -> Result<(), FilesError> {
        if self.host_keys.is_empty() {
            return Err(FilesError::NotPinned);
        }
        Ok(())
    }

    /// What the SFTP Worker is asked: the head of the body, before the content.
    pub fn head(&self, arguments: Map<String, Value>, timeout: Duration) -> Secret {
        let mut server = server(&self.address);
        let own = json!({
            "username": self.username,
            "password": self.password,
            "private_key": self.private_key,
            "passphrase": self.passphrase,
            "host_keys": self.host_keys,
            "root": self.root,
        });
        if let Value::Object(own) = own {
            server.extend(own.into_iter().filter(|(_, value)| !value.is_null()));
        }
        head(server, arguments, timeout)
    }
}

/// The same for a server alone: its key is asked for, without a login.
pub fn head_of_server(address: &Url, timeout: Duration) -> Secret {
    head(server(address), Map::new(), timeout)
}

fn server(address: &Url) -> Map<String, Value> {
    let host = address.host_str().unwrap_or_default();
    let port = address.port_or_known_default();
    Map::from_iter([
        ("host".to_owned(), json!(host)),
        ("port".to_owned(), json!(port)),
    ])
}

fn head(server: Map<String, Value>, mut head: Map<String, Value>, timeout: Duration) -> Secret {
    let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    head.insert("server".to_owned(), Value::Object(server));
    head.insert("timeout_ms".to_owned(), json!(millis));
    Secret::new(Value::Object(head).to_string())
}

/// The text of a template; `None` where it is missing or empty.
fn set(template: &Template, scope: &TemplateScope<'_>) -> Result<Option<String>, FilesError> {
    Ok(template.text(scope)?.filter(|text| !text.is_empty()))
}

/// Forms and JSON lose the line break at the end of a key, which some readers need.
fn ended(mut key: String) -> String {
    if !key.ends_with('\n') {
        key.push('\n');
    }
    key
}

/// The lines of all values; empty ones and comments are left out.
fn host_keys(config: &SftpConfig, scope: &TemplateScope<'_>) -> Result<Vec<String>, FilesError> {
    let mut lines = Vec::new();
    for template in &config.host_keys {
        let text = set(template, scope)?.unwrap_or_default();
        let own = text.lines().map(str::trim);
        let own = own.filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.extend(own.map(str::to_owned));
    }
    if lines.iter().all(|line| is_host_key(line)) {
        Ok(lines)
    } else {
        Err(FilesError::HostKey)
    }
}

/// A root without a first slash is below the folder in which the server puts the user. `None` where it is one placeholder
/// whose value is missing and may be.
fn root_path(template: &Template, scope: &TemplateScope<'_>) -> Result<Option<String>, FilesError> {
    let Some(root) = template.text(scope)? else {
        return Ok(None);
    };
    let path = path::normalised(&root).map_err(FilesError::Root)?;
    let is_put_together = template.whole().is_none();
    if is_put_together && names_nothing(&template.placeholder_texts(scope)?) {
        return Err(FilesError::Root(PathError::Missing));
    }
    Ok(Some(if root.starts_with('/') {
        path
    } else {
        path.trim_start_matches('/').to_owned()
    }))
}

/// Whether one of the values that a root is put together from is empty: `{{root}}/files` would be `/files`, a folder above
/// the account's own.
fn names_nothing(values: &[String]) -> bool {
    values
        .iter()
        .any(|value| value.trim_matches('/').is_empty())
}
