//! Further tokens (`alsoFor`): they come from a grant that can be used again, and only what authenticates reads them, so
//! that it is known which request needs which.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::config::authorization::{ALSO, also_name, also_names, holds_also};
use crate::config::credentials::{MOST_ALSO_FOR, OAuth2};
use crate::config::{Config, Credential, Finding};
use crate::expression::{Placeholder, Template, effort};

use super::Broken;
use super::authorizations::{PlacedList, placed};

pub(super) fn check(config: &Config, file: &Value, broken: &Broken, findings: &mut Vec<Finding>) {
    let mut declared = BTreeSet::new();
    for (format, credential) in &config.credentials {
        let Some(oauth) = credential.oauth() else {
            continue;
        };
        let at = format!("config.credentials.{format}.config");
        declared.extend(oauth.also_for.keys().map(String::as_str));
        check_one(credential, oauth, &at, broken, findings);
    }
    // Most files have neither.
    let is_absent = declared.is_empty() && !names_also(file);
    if is_absent || broken.touches("config.credentials") {
        return;
    }
    let mut carriers = placed(config);
    carriers.retain(|one| !one.gets_token);
    check_carried(config, &carriers, broken, findings);
    let carriers = carriers.iter().map(|one| one.at.as_str()).collect();
    let mut reads = AlsoReads {
        declared,
        carriers,
        broken,
        findings,
    };
    reads.value(file, "config", false);
}

/// One that no request carries is never obtained.
fn check_carried(
    config: &Config,
    carriers: &[PlacedList<'_>],
    broken: &Broken,
    findings: &mut Vec<Finding>,
) {
    let mut places = ["authorization", "resources", "actions"].into_iter();
    if places.any(|key| broken.touches(&format!("config.{key}"))) {
        return;
    }
    for (format, credential) in &config.credentials {
        let Some(oauth) = credential.oauth() else {
            continue;
        };
        let carried = carriers.iter();
        let carried = carried.flat_map(|one| also_names(one.list.all(), &oauth.also_for));
        let carried: BTreeSet<String> = carried.collect();
        for name in oauth.also_for.keys() {
            if !carried.contains(name) {
                let at = format!("config.credentials.{format}.config.alsoFor.{name}");
                let text = "no request carries it, so it is never obtained";
                let hint = format!("read `oauth.token.also.{name}` in an `authorization`");
                findings.push(Finding::warning(at, text).hint(hint));
            }
        }
    }
}

fn check_one(
    credential: &Credential,
    oauth: &OAuth2,
    at: &str,
    broken: &Broken,
    findings: &mut Vec<Finding>,
) {
    let at_all = format!("{at}.alsoFor");
    if matches!(credential, Credential::KekaOauth(_)) && !oauth.also_for.is_empty() {
        let text = "the grant of this format is for one token";
        findings.push(Finding::error(&at_all, text));
    }
    if oauth.also_for.len() > MOST_ALSO_FOR {
        let text = format!("there are more than {MOST_ALSO_FOR} further tokens");
        findings.push(Finding::error(&at_all, text));
    }
    for (name, own) in &oauth.also_for {
        let at = format!("{at_all}.{name}");
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if name.is_empty() || !name.bytes().all(fits) {
            let finding = Finding::error(&at, "it cannot be named in a placeholder");
            findings.push(finding.hint("use letters, digits, `_` and `-`"));
        }
        let has_endpoint = own.token_url.is_some() || oauth.auth.refresh().is_some();
        if !has_endpoint && !broken.touches(&at) {
            let finding = Finding::error(&at, "there is no token endpoint");
            findings.push(finding.hint("add `tokenUrl`"));
        }
    }
}

struct AlsoReads<'c, 'f> {
    declared: BTreeSet<&'c str>,
    /// The places of the authorizations whose requests wait for further tokens.
    carriers: BTreeSet<&'c str>,
    broken: &'c Broken,
    findings: &'f mut Vec<Finding>,
}

impl AlsoReads<'_, '_> {
    /// The recursion is as deep as the file, which is bounded.
    fn value(&mut self, value: &Value, at: &str, is_carrier: bool) {
        // Its path is written for each value; the reader says when that is too much.
        if effort::take(20 + at.len() as u64 / 8).is_err() {
            return;
        }
        match value {
            Value::String(text) => self.text(text, at, is_carrier),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{at}[{index}]"), is_carrier);
                }
            }
            Value::Object(entries) => {
                for (key, item) in entries {
                    let at = format!("{at}.{key}");
                    let is_one = key == "authorization" && self.is_carrier(&at);
                    self.value(item, &at, is_carrier || is_one);
                }
            }
            _ => {}
        }
    }

    /// Whether the `authorization` there is one; one that could not be read may be.
    fn is_carrier(&self, at: &str) -> bool {
        self.carriers.contains(at) || self.broken.touches(at)
    }

    fn text(&mut self, text: &str, at: &str, is_carrier: bool) {
        let template = Template::parse(text).ok();
        let placeholders = template.iter().flat_map(Template::placeholders);
        for path in placeholders.flat_map(Placeholder::paths) {
            let finding = match also_name(path) {
                Some(name) if !self.declared.contains(name) => {
                    Finding::error(at, format!("no credential has `alsoFor.{name}`"))
                }
                Some(_) if !is_carrier => {
                    let text = "a further token is read in `authorization` alone, and not where a request gets a token";
                    Finding::error(at, text).hint("`authorization` may be a list")
                }
                None if !self.declared.is_empty() && holds_also(path) => {
                    Finding::error(at, format!("`{path}` has all further tokens in it"))
                        .hint("name one value, such as `oauth.token.access_token`")
                }
                _ => continue,
            };
            self.findings.push(finding);
        }
    }
}

/// Whether a text in it may name a further token.
fn names_also(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(ALSO),
        Value::Array(items) => items.iter().any(names_also),
        Value::Object(entries) => entries.values().any(names_also),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
