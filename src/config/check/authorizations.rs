//! Several authorizations of one request: a signature is the last of them, since what is added after it is not signed,
//! and no two write the same header or parameter.

use std::collections::BTreeMap;

use crate::config::action::{EXCHANGE, REFRESH, StepKind};
use crate::config::authorization::{Authorization, Authorizations, Header, SIGV4_HEADERS};
use crate::config::{Config, Finding};
use crate::expression::Template;

pub(super) fn check(config: &Config, findings: &mut Vec<Finding>) {
    for placed in placed(config) {
        check_list(placed.list, &placed.at, findings);
    }
}

/// An `authorization` where the file has it.
pub(super) struct PlacedList<'c> {
    pub(super) at: String,
    pub(super) list: &'c Authorizations,
    /// Whether its request gets a token for the account.
    pub(super) gets_token: bool,
}

/// Every `authorization` of the file.
pub(super) fn placed(config: &Config) -> Vec<PlacedList<'_>> {
    let mut all = Vec::new();
    let mut add = |at: String, list, gets_token| {
        all.push(PlacedList {
            at,
            list,
            gets_token,
        });
    };
    if let Some(list) = &config.authorization {
        add("config.authorization".to_owned(), list, false);
    }
    for (resource, methods) in &config.resources {
        for (name, method) in methods {
            if let Some(list) = &method.authorization {
                let at = format!("config.resources.{resource}.{name}.authorization");
                add(at, list, false);
            }
        }
    }
    for placed in config.placed_actions() {
        let gets_token = matches!(placed.name, REFRESH | EXCHANGE);
        for (place, step) in placed.action.placed() {
            if let StepKind::Request(method) = &step.kind
                && let Some(list) = &method.authorization
            {
                let at = format!("{}{place}.config.authorization", placed.place());
                add(at, list, gets_token);
            }
        }
    }
    all
}

fn check_list(list: &Authorizations, at: &str, findings: &mut Vec<Finding>) {
    let end = list.all().len().saturating_sub(1);
    let mut written: BTreeMap<Entry, String> = BTreeMap::new();
    for (index, (at, one)) in list.placed(at).enumerate() {
        if index < end && one.signs() {
            let text = "what is added after a signature is not signed";
            let finding = Finding::error(&at, text);
            findings.push(finding.hint("make it the last of the list"));
        }
        for entry in entries(one) {
            if let Some(first) = written.get(&entry) {
                let text = format!("{first} writes the {entry}, too");
                findings.push(Finding::error(&at, text));
                break;
            }
            written.insert(entry, at.clone());
        }
    }
}

/// What an authorization writes. A name with placeholders is the same as one of the same text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    Header(String),
    Parameter(String),
}

impl std::fmt::Display for Entry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header(name) => write!(out, "header `{name}`"),
            Self::Parameter(name) => write!(out, "parameter `{name}`"),
        }
    }
}

/// Those that are known before it is filled; a request that gets the same entry twice is not sent.
fn entries(authorization: &Authorization) -> Vec<Entry> {
    let header = |name: &str| Entry::Header(name.to_ascii_lowercase());
    let named = |name: &Template| name.source().to_owned();
    match authorization {
        Authorization::Bearer(_) | Authorization::Basic(_) | Authorization::Oauth1(_) => {
            vec![header("authorization")]
        }
        Authorization::Header(Header::Fixed { name, .. }) => vec![header(&named(name))],
        Authorization::Query(query) => vec![Entry::Parameter(named(&query.name))],
        Authorization::AwsSigv4(_) => {
            let own = SIGV4_HEADERS.iter().map(|name| header(name));
            own.chain([header("authorization")]).collect()
        }
        Authorization::Header(Header::Computed { .. }) | Authorization::None(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::config::read_config;

    fn found(list: &Value) -> Vec<String> {
        let file = json!({
            "base_url": "https://api.example.com", "authorization": list,
            "credentials": {"api_key": {"format": "api_key", "config": {"fields": [{"name": "a", "type": "password"}]}}}
        });
        let findings = read_config(&file).1;
        findings.into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn a_signature_is_last_and_no_entry_is_written_twice() {
        let header =
            |name: &str| json!({"format": "header", "config": {"name": name, "value": "{{a}}"}});
        let query =
            |name: &str| json!({"format": "query", "config": {"name": name, "value": "{{a}}"}});
        let bearer = json!({"format": "bearer", "config": {"token": "{{a}}"}});
        let basic = json!({"format": "basic", "config": {"username": "{{a}}"}});
        let sigv4 = json!({"format": "aws_sigv4", "config": {
            "access_key_id": "{{a}}", "secret_access_key": "{{a}}", "region": "r", "service": "s"}});
        let oauth1 =
            json!({"format": "oauth1", "config": {"consumer": {"id": "{{a}}", "secret": "{{a}}"}}});
        for (list, expected) in [
            (json!([bearer, header("x-key"), query("key")]), vec![]),
            (json!([header("x-a"), query("x-a")]), vec![]),
            (json!([query("key"), query("Key")]), vec![]),
            (json!([query("key"), oauth1]), vec![]),
            (json!([header("x-a"), sigv4]), vec![]),
            (json!([sigv4, header("x-a")]), vec![0]),
            (json!([oauth1, query("key")]), vec![0]),
            (json!([sigv4, sigv4]), vec![0, 1]),
            (json!([oauth1, sigv4]), vec![0, 1]),
            (json!([bearer, basic]), vec![1]),
            (json!([bearer, header("Authorization")]), vec![1]),
            (json!([header("x-key"), header("X-Key")]), vec![1]),
            (
                json!([query("key"), query("key"), query("key")]),
                vec![1, 2],
            ),
            (json!([header("X-Amz-Date"), sigv4]), vec![1]),
            (json!([bearer, sigv4]), vec![1]),
        ] {
            let places = expected
                .iter()
                .map(|index: &usize| format!("config.authorization[{index}]"));
            assert_eq!(found(&list), places.collect::<Vec<_>>(), "{list}");
        }
    }

    #[test]
    fn every_list_of_the_file_is_checked() {
        let twice = json!([{"format": "bearer", "config": {"token": "{{a}}"}}, {"format": "basic", "config": {"username": "{{a}}"}}]);
        let request = json!({"type": "request", "config": {"path": "/", "authorization": twice}});
        let file = json!({
            "base_url": "https://api.example.com",
            "credentials": {"custom_token": {"format": "custom_token", "config": {
                "fields": [{"name": "a", "type": "password"}], "steps": [request]}}},
            "resources": {"r": {"list": {"path": "/", "authorization": twice}}},
            "actions": {"go": {"steps": [{"any_of": [request]}]}}
        });
        let paths: Vec<String> = read_config(&file)
            .1
            .into_iter()
            .map(|one| one.path)
            .collect();
        for at in [
            "config.resources.r.list.authorization[1]",
            "config.actions.go.steps[0].any_of[0].config.authorization[1]",
            "config.credentials.custom_token.config.steps[0].config.authorization[1]",
        ] {
            assert!(paths.iter().any(|path| path == at), "{at}: {paths:?}");
        }
    }
}
