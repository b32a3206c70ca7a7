//! From JSON to an [`Integration`]: section by section, method by method,
//! credential by credential, action by action, so that one mistake never
//! hides another.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value, json};

use super::amount::too_much;
use super::credentials::{LATER_FORMATS, complete_addresses, inherit_consumer};
use super::{Config, Finding, Integration, Level, Method, check, files, normalise, prune};
use crate::expression::effort;

/// What came of reading a file. `integration` is absent when any finding is
/// an error.
#[derive(Debug)]
pub struct ReadFile {
    /// The file as types, ready to be shared in an `Rc`.
    pub integration: Option<Integration>,
    /// Everything that is wrong or looks wrong.
    pub findings: Vec<Finding>,
}

/// The keys next to `config`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileHead {
    name: String,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    is_beta: bool,
    #[serde(rename = "$schema", default)]
    _schema: Option<String>,
    /// Read by itself.
    #[serde(rename = "config", default)]
    _config: Option<IgnoredAny>,
}

/// Steps that reading and checking one file may take, of some 5 ns of native
/// release code: 100 ms, and less than 200 ms in the Worker. What we ship takes
/// a twelfth of it at most.
pub const READING_STEPS: u64 = 20_000_000;
/// Steps of a resource that has no method.
const A_RESOURCE: u64 = 800;
/// Findings that are listed.
pub const MOST_FINDINGS: usize = 1_000;

/// Reads a whole integration file: `{name, category?, is_beta?, config}`.
pub fn read(file: &Value) -> ReadFile {
    let mut findings = Vec::new();
    let integration = bounded("", &mut findings, |findings| read_file(file, findings));
    let is_sound = findings
        .iter()
        .all(|finding| finding.level == Level::Warning);
    ReadFile {
        integration: integration.filter(|_| is_sound),
        findings,
    }
}

/// Reads a configuration alone, such as one whose overrides are merged in.
/// `None` when any finding is an error.
pub fn read_config(config: &Value) -> (Option<Config>, Vec<Finding>) {
    let mut findings = Vec::new();
    let read = bounded("config", &mut findings, |findings| {
        match too_much(config, "config") {
            Some(finding) => {
                findings.push(finding);
                None
            }
            None => config_of(config, findings),
        }
    });
    let is_sound = findings
        .iter()
        .all(|finding| finding.level == Level::Warning);
    (read.filter(|_| is_sound), findings)
}

/// Reads within the steps there are, and lists no more findings than there may
/// be. Where the steps do not suffice, that is said first: what was not read is
/// not known to be sound.
fn bounded<T>(
    at: &str,
    findings: &mut Vec<Finding>,
    read: impl FnOnce(&mut Vec<Finding>) -> Option<T>,
) -> Option<T> {
    let (read, sufficed) = effort::within(READING_STEPS, || read(findings));
    if findings.len() > MOST_FINDINGS {
        findings.truncate(MOST_FINDINGS);
        let text = format!("more than {MOST_FINDINGS} findings; only the first are listed");
        findings.push(Finding::error(at, text));
    }
    if !sufficed {
        findings.insert(0, Finding::error(at, effort::SPENT));
    }
    read.filter(|_| sufficed)
}

fn read_file(file: &Value, findings: &mut Vec<Finding>) -> Option<Integration> {
    let Value::Object(keys) = file else {
        findings.push(Finding::error(
            "",
            "an integration file is an object with `name` and `config`",
        ));
        return None;
    };
    if let Some(finding) = too_much(file, "") {
        findings.push(finding);
        return None;
    }
    let config = keys.get("config").filter(|config| !config.is_null());
    let others = keys.iter().filter(|(key, _)| *key != "config");
    let head = others
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let first = findings.len();
    let head: Option<FileHead> = prune::read(Value::Object(head), "", findings);
    for finding in findings.iter_mut().skip(first) {
        finding.path = finding.path.trim_start_matches('.').to_owned();
    }
    if let Some(head) = head.as_ref().filter(|head| !is_slug(&head.name)) {
        let text = format!(
            "`{}` is not a slug: lower-case letters, digits and hyphens",
            head.name
        );
        findings.push(Finding::error("name", text));
    }
    let Some(config) = config else {
        findings.push(Finding::error("", "`config` is missing"));
        return None;
    };
    let config = config_of(config, findings)?;
    let FileHead {
        name,
        category,
        is_beta,
        ..
    } = head?;
    Some(Integration {
        name,
        category,
        is_beta,
        config,
    })
}

/// Reads every unit of a configuration, then checks it as a whole.
fn config_of(file: &Value, findings: &mut Vec<Finding>) -> Option<Config> {
    let mut rest = file.clone();
    if !rest.is_object() {
        findings.push(Finding::error("config", "a configuration is an object"));
        return None;
    }
    let single = file.pointer("/credentials/format").and_then(Value::as_str);
    let first = findings.len();
    normalise::prepare(&mut rest);
    let mut take = |key: &str| take_map(&mut rest, key, findings);
    let (mut credentials, resources) = (take("credentials"), take("resources"));
    let (actions, syncs) = (take("actions"), take("syncs"));
    set_later_formats_aside(&mut credentials, findings);
    let mut config: Config = prune::read(rest, "config", findings)?;
    config.credentials = units(credentials, "config.credentials", findings);
    config.actions = units(actions, "config.actions", findings);
    config.syncs = units(syncs, "config.syncs", findings);
    config.resources = methods_of(resources, findings);
    inherit_consumer(&mut config);
    complete_addresses(&mut config, findings);
    let broken: Vec<String> = findings
        .iter()
        .filter(|f| f.level == Level::Error)
        .map(|f| f.path.clone())
        .collect();
    check::check(&config, file, &broken, findings);
    if let Some(format) = single {
        let written = findings.iter_mut().skip(first);
        shorten(written, &format!("config.credentials.{format}"));
    }
    files::add(&mut config);
    Some(config)
}

/// A single credential is read as a map of one; findings name what was written.
fn shorten<'f>(findings: impl Iterator<Item = &'f mut Finding>, long: &str) {
    for finding in findings {
        if let Some(below) = finding.path.strip_prefix(long) {
            finding.path = format!("config.credentials{below}");
        }
    }
}

/// Reads every method of every resource by itself.
fn methods_of(
    resources: Map<String, Value>,
    findings: &mut Vec<Finding>,
) -> BTreeMap<String, BTreeMap<String, Method>> {
    let mut read = BTreeMap::new();
    for (resource, methods) in resources {
        if effort::take(A_RESOURCE).is_err() {
            break;
        }
        let at = format!("config.resources.{resource}");
        match methods {
            Value::Object(methods) => {
                read.insert(resource, units(methods, &at, findings));
            }
            Value::Null => {}
            _ if resource.starts_with("x-") => {}
            _ => findings.push(Finding::error(at, "a resource is an object of methods")),
        }
    }
    read
}

/// Takes a map of units out of the configuration.
fn take_map(config: &mut Value, key: &str, findings: &mut Vec<Finding>) -> Map<String, Value> {
    match config.get_mut(key).map(Value::take) {
        Some(Value::Object(map)) => {
            // An empty map stays behind, so that the key is known.
            if let Some(place) = config.get_mut(key) {
                *place = json!({});
            }
            map
        }
        None | Some(Value::Null) => {
            if let Value::Object(keys) = config {
                keys.shift_remove(key);
            }
            Map::new()
        }
        Some(_) => {
            findings.push(Finding::error(
                format!("config.{key}"),
                "expected an object",
            ));
            if let Value::Object(keys) = config {
                keys.shift_remove(key);
            }
            Map::new()
        }
    }
}

/// Reads each entry by itself; null ones are absent.
fn units<T: DeserializeOwned>(
    map: Map<String, Value>,
    at: &str,
    findings: &mut Vec<Finding>,
) -> BTreeMap<String, T> {
    let mut units = BTreeMap::new();
    for (name, value) in map.into_iter().filter(|(_, value)| !value.is_null()) {
        if let Some(unit) = prune::read(value, &format!("{at}.{name}"), findings) {
            units.insert(name, unit);
        }
    }
    units
}

fn set_later_formats_aside(credentials: &mut Map<String, Value>, findings: &mut Vec<Finding>) {
    credentials.retain(|name, credential| {
        let format = credential
            .get("format")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let is_later = LATER_FORMATS.contains(&format);
        if is_later {
            let text =
                format!("`{format}` is not supported by this version; accounts cannot use it");
            findings.push(Finding::warning(
                format!("config.credentials.{name}.format"),
                text,
            ));
        }
        !is_later
    });
}

/// `^[a-z0-9][a-z0-9-]*$`
fn is_slug(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(fits)
}

#[cfg(test)]
mod tests;
