//! Where a definition's requests go: hosts that its own text fixes, hosts on the vendor's domain, and servers that the
//! customer owns.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::definition::{Definition, text};
use super::domain;
use super::interpolation::{Interpolation, Piece, paths_of};
use super::patterns;
use super::rewrite::Rewrite;
use super::url_pieces::UrlPieces;

/// Hosts that a list names one by one.
const MOST_HOSTS: usize = 64;

/// What `allowed_hosts` will be, and the fields that hosts are made of.
#[derive(Debug, Default)]
pub struct HostPlan {
    /// Patterns of hosts on domains that the vendor owns.
    pub allowed: BTreeSet<String>,
    /// Whether any host may be called, and which value decides.
    pub open: BTreeSet<String>,
    /// Keys of `connection_config` whose values are whole URLs.
    pub whole: BTreeSet<String>,
    /// Keys of `connection_config` whose values may have dots in a host.
    pub dotted: BTreeSet<String>,
    /// Fields whose values are written another way.
    pub rewrites: BTreeMap<String, Rewrite>,
    /// Whether a host is fixed by a list and not by its own text.
    pub is_listed: bool,
}

/// Keys whose texts are URLs.
pub const URL_KEYS: [&str; 6] = [
    "authorization_url",
    "token_url",
    "refresh_url",
    "request_url",
    "access_token_url",
    "registration_url",
];

/// The texts of a definition that are URLs.
pub fn urls(definition: &Definition) -> Vec<&str> {
    let mut urls: Vec<&str> = URL_KEYS
        .iter()
        .filter_map(|key| definition.text(key))
        .collect();
    urls.extend(definition.token_url());
    urls.extend(super::later::base_url(definition));
    let verification = definition.proxy("verification");
    urls.extend(verification.and_then(|own| text(own.get("base_url_override"))));
    let steps = definition
        .value("additional_steps")
        .and_then(Value::as_array);
    urls.extend(
        steps
            .into_iter()
            .flatten()
            .filter_map(|step| text(step.get("token_url"))),
    );
    urls.sort_unstable();
    urls.dedup();
    urls
}

/// The key of a value of `connection_config`.
pub fn config_key(path: &str) -> Option<&str> {
    path.strip_prefix("connectionConfig.")
        .or_else(|| path.strip_prefix("connection_config."))
}

impl HostPlan {
    pub fn of(definition: &Definition) -> Self {
        let mut plan = Self {
            rewrites: super::rewrite::of(definition),
            ..Self::default()
        };
        let config = definition.object("connection_config");
        for url in urls(definition) {
            for alternative in &Interpolation::parse(url).alternatives {
                plan.add_fields(&UrlPieces::of(alternative), definition, config);
            }
        }
        plan
    }

    /// Notes how fields are used in the host of a URL.
    fn add_fields(
        &mut self,
        url: &UrlPieces,
        definition: &Definition,
        config: Option<&Map<String, Value>>,
    ) {
        let keys = paths_of(&url.host);
        for key in keys.into_iter().filter_map(config_key) {
            let declared = config.and_then(|config| config.get(key));
            let is_lone = url.lone_host().and_then(config_key) == Some(key);
            if is_lone && (url.scheme.is_none() || is_url_like(declared)) {
                if url.scheme.is_none() || is_in_hosts_only(definition, key) {
                    self.whole.insert(key.to_owned());
                }
            } else if is_lone || has_dots(declared) {
                self.dotted.insert(key.to_owned());
            }
        }
    }

    /// Where the URL may lead, noted in the lists.
    pub fn pin(&mut self, url: &UrlPieces, definition: &Definition) {
        if !paths_of(url.port.as_deref().unwrap_or_default()).is_empty() {
            self.open
                .insert("a port that the customer chooses".to_owned());
            return;
        }
        let Some(last) = url
            .host
            .iter()
            .rposition(|piece| matches!(piece, Piece::Value(_)))
        else {
            self.add_literal(url);
            return;
        };
        let behind: String = url.host.iter().skip(last + 1).map(text_of).collect();
        let is_whole = url.scheme.is_none()
            || url
                .lone_host()
                .and_then(config_key)
                .is_some_and(|key| self.whole.contains(key));
        if has_two_labels(&behind) && !is_whole {
            return;
        }
        self.is_listed = true;
        if let Some(hosts) = all_hosts(&url.host, definition) {
            self.allowed.extend(hosts);
            return;
        }
        let Some(Piece::Value(path)) = url.host.get(last) else {
            return;
        };
        let patterns = super::known::host_patterns(path, definition);
        if patterns.is_empty() {
            self.open.insert(path.clone());
            return;
        }
        let is_alone = url.host.len() == 1;
        self.allowed
            .extend(patterns.into_iter().filter_map(|pattern| {
                let pattern = format!("{pattern}{behind}");
                (is_alone || pattern.starts_with("*.")).then_some(pattern)
            }));
    }

    /// A literal host counts where a list decides.
    fn add_literal(&mut self, url: &UrlPieces) {
        let host: String = url.host.iter().map(text_of).collect();
        if host.contains('.') && url.port.is_none() {
            self.allowed.insert(host);
        }
    }

    /// `allowed_hosts`, where one is needed.
    pub fn list(&self) -> Option<Vec<String>> {
        if !self.open.is_empty() {
            return Some(vec!["*".to_owned()]);
        }
        self.is_listed
            .then(|| self.allowed.iter().cloned().collect())
    }
}

fn text_of(piece: &Piece) -> String {
    match piece {
        Piece::Text(text) => text.clone(),
        _ => String::new(),
    }
}

/// Whether the text behind the last value of a host has two whole labels.
fn has_two_labels(behind: &str) -> bool {
    let Some((_, labels)) = behind.split_once('.') else {
        return false;
    };
    let labels: Vec<&str> = labels.split('.').collect();
    labels.len() >= 2 && labels.iter().all(|label| !label.is_empty())
}

/// Values of a field that are URLs, or have a port or path behind the host.
fn is_url_like(declared: Option<&Value>) -> bool {
    let Some(declared) = declared else {
        return false;
    };
    let is_more = |text: &str| {
        let behind = text.split_once("://").map_or(text, |(_, rest)| rest);
        text.contains("://") || behind.contains('/') || behind.contains(':')
    };
    let values = declared.get("enum").and_then(Value::as_array);
    let mut values = values.into_iter().flatten().filter_map(Value::as_str);
    let pattern = text(declared.get("pattern"));
    let example = text(declared.get("example"));
    values.any(is_more)
        || pattern.is_some_and(|pattern| {
            patterns::has_scheme(pattern) || patterns::goes_behind_host(pattern)
        })
        || example.is_some_and(is_more)
        || text(declared.get("format")) == Some("uri")
}

fn has_dots(declared: Option<&Value>) -> bool {
    let Some(declared) = declared else {
        return false;
    };
    let values = declared.get("enum").and_then(Value::as_array);
    let mut values = values.into_iter().flatten().filter_map(Value::as_str);
    let of = |key: &str| text(declared.get(key)).is_some_and(|text| text.contains('.'));
    values.any(|value| value.contains('.')) || of("example") || of("pattern") || of("default_value")
}

/// Whether a value is used as the whole host of URLs and nowhere else.
fn is_in_hosts_only(definition: &Definition, key: &str) -> bool {
    let is_it = |path: &str| config_key(path) == Some(key);
    let texts = definition.texts().into_iter();
    let mut uses = texts.flat_map(|text| Interpolation::parse(text).alternatives);
    uses.all(|pieces| {
        let count = paths_of(&pieces)
            .into_iter()
            .filter(|path| is_it(path))
            .count();
        count == 0 || (count == 1 && UrlPieces::of(&pieces).lone_host().is_some_and(is_it))
    })
}

/// Every host that a list of values makes, where all its values are listed.
fn all_hosts(host: &[Piece], definition: &Definition) -> Option<Vec<String>> {
    let mut hosts = vec![String::new()];
    for piece in host {
        let values = match piece {
            Piece::Text(text) => vec![text.clone()],
            Piece::Value(path) => super::known::listed_values(path, definition)?,
            Piece::Call { .. } => return None,
        };
        hosts = hosts
            .iter()
            .flat_map(|host| {
                values
                    .iter()
                    .map(move |value| format!("{host}{}", domain::host_of(value)))
            })
            .collect();
        if hosts.len() > MOST_HOSTS {
            return None;
        }
    }
    Some(hosts)
}
