//! `/custom` sends the file's headers and its signing in to any path. Where those are the operator's own, the file
//! says whether it may.

use crate::config::{Config, Finding};

use super::client::{ClientOwner, owner, without_user};
use super::operator_values::{self, OperatorValue, OperatorValueKind};

pub(super) fn check(config: &Config, findings: &mut Vec<Finding>) {
    if config.custom.is_some() || config.base_url.is_none() {
        return;
    }
    for OperatorValue { at, kind } in sent(config) {
        if let OperatorValueKind::Variable(path) = kind {
            let text = format!("every account may send `{path}` to any path by `/custom`");
            findings.push(Finding::warning(at, text).hint(HINT));
        }
    }
    for (key, credential) in &config.credentials {
        if without_user(credential).is_some_and(|oauth| owner(oauth) == ClientOwner::Operator) {
            let at = format!("config.credentials.{key}.config.client");
            let text = "every account gets a token of the operator's own, and may send it to any path by `/custom`";
            findings.push(Finding::warning(at, text).hint(HINT));
        }
    }
}

const HINT: &str =
    "write `\"custom\": false` to switch that off, or `\"custom\": true` if it is meant";

fn sent(config: &Config) -> Vec<OperatorValue> {
    let headers = operator_values::of_entries(&config.headers, "config.headers");
    let query = operator_values::of_entries(&config.query, "config.query");
    let authorization = config.authorization.as_ref();
    let authorization =
        authorization.map(|own| operator_values::of_authorizations(own, "config.authorization"));
    let body = config.body.as_ref();
    let body = body.map(|body| operator_values::of_tree(body.tree(), "config.body"));
    let entries = headers.into_iter().chain(query);
    entries
        .map(|(_, value)| value)
        .chain(authorization.into_iter().flatten())
        .chain(body.into_iter().flatten())
        .collect()
}
