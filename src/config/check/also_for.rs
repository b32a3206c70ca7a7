//! Further tokens (`alsoFor`): they come from a grant that can be used again, and only what authenticates reads them, so
//! that it is known which request needs which.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::config::authorization::{ALSO, also_name};
use crate::config::credentials::{MOST_ALSO_FOR, OAuth2};
use crate::config::{Config, Credential, Finding};
use crate::expression::{Placeholder, Template};

use super::Broken;

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
    if !broken.touches("config.credentials") {
        let mut reads = AlsoReads { declared, findings };
        reads.value(file, "config", false);
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
    findings: &'f mut Vec<Finding>,
}

impl AlsoReads<'_, '_> {
    /// The recursion is as deep as the file, which is bounded.
    fn value(&mut self, value: &Value, at: &str, authenticates: bool) {
        match value {
            Value::String(text) if text.contains(ALSO) => self.text(text, at, authenticates),
            Value::Array(items) if holds(value) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{at}[{index}]"), authenticates);
                }
            }
            Value::Object(entries) if holds(value) => {
                for (key, item) in entries {
                    let authenticates = authenticates || key == "authorization";
                    self.value(item, &format!("{at}.{key}"), authenticates);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, at: &str, authenticates: bool) {
        let template = Template::parse(text).ok();
        let placeholders = template.iter().flat_map(Template::placeholders);
        let paths = placeholders.flat_map(Placeholder::paths);
        for name in paths.filter_map(also_name) {
            if !self.declared.contains(name) {
                let text = format!("no credential has `alsoFor.{name}`");
                self.findings.push(Finding::error(at, text));
            } else if !authenticates {
                let text = "a further token is read in `authorization` alone";
                let finding = Finding::error(at, text);
                self.findings
                    .push(finding.hint("`authorization` may be a list"));
            }
        }
    }
}

/// Whether there is anything to look at; most files have none.
fn holds(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(ALSO),
        Value::Array(items) => items.iter().any(holds),
        Value::Object(entries) => entries.values().any(holds),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::MOST_ALSO_FOR;
    use crate::config::read_config;

    fn found(credential: &Value, more: &Value) -> Vec<String> {
        let mut file = json!({
            "base_url": "https://api.example.com",
            "credentials": credential,
            "authorization": {"format": "bearer"}
        });
        crate::json::merge(&mut file, more);
        let findings = read_config(&file).1;
        let errors = findings
            .into_iter()
            .filter(|one| one.level == crate::config::Level::Error);
        errors.map(|one| one.path).collect()
    }

    fn oauth2(also: &Value) -> Value {
        json!({"oauth2": {"config": {
            "client": {"id": "{{environment_variables.id}}", "secret": "{{environment_variables.secret}}"},
            "auth": {"authorizeUrl": "https://login.example.com/a", "tokenUrl": "https://login.example.com/t"},
            "alsoFor": also
        }}})
    }

    #[test]
    fn a_further_token_has_a_name_an_endpoint_and_a_grant() {
        let at = "config.credentials.oauth2.config.alsoFor";
        assert!(found(&oauth2(&json!({"crm": {"scope": ["a"]}})), &json!({})).is_empty());
        let named = found(&oauth2(&json!({"c.rm": {}, "": {}})), &json!({}));
        assert_eq!(named, [format!("{at}."), format!("{at}.c.rm")]);
        let many = |count: usize| -> Value {
            Value::Object(
                (0..count)
                    .map(|n| (format!("n{n}"), json!({})))
                    .collect::<Map<_, _>>(),
            )
        };
        assert!(found(&oauth2(&many(MOST_ALSO_FOR)), &json!({})).is_empty());
        assert_eq!(found(&oauth2(&many(MOST_ALSO_FOR + 1)), &json!({})), [at]);
        let reserved = json!({"crm": {"params": {"grant_type": "{{a}}", "refresh_token": "x", "audience": "y"}}});
        let reserved = found(&oauth2(&reserved), &json!({}));
        assert_eq!(
            reserved,
            [
                format!("{at}.crm.params.grant_type"),
                format!("{at}.crm.params.refresh_token")
            ]
        );
        let open = found(
            &oauth2(&json!({"crm": {"tokenUrl": "{{host}}/t"}})),
            &json!({}),
        );
        assert!(
            open.iter()
                .any(|path| path == &format!("{at}.crm.tokenUrl")),
            "{open:?}"
        );
    }

    #[test]
    fn only_authorization_reads_one_that_is_declared() {
        let credential = oauth2(&json!({"crm": {}}));
        let read = |name: &str| format!("{{{{oauth.token.also.{name}.access_token}}}}");
        let bearer = |name: &str| json!({"format": "bearer", "config": {"token": read(name)}});
        for (more, expected) in [
            (json!({"authorization": bearer("crm")}), vec![]),
            (
                json!({"resources": {"r": {"list": {"path": "/", "authorization": [bearer("crm")]}}}}),
                vec![],
            ),
            (
                json!({"authorization": bearer("erp")}),
                vec!["config.authorization.config.token"],
            ),
            (
                json!({"headers": {"x": read("crm")}}),
                vec!["config.headers.x"],
            ),
            (json!({"body": {"x": read("crm")}}), vec!["config.body.x"]),
            (
                json!({"resources": {"r": {"list": {"path": "/", "query": {"q": read("crm")}}}}}),
                vec!["config.resources.r.list.query.q"],
            ),
        ] {
            assert_eq!(found(&credential, &more), expected, "{more}");
        }
    }
}
