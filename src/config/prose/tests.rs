//! Every key of a file and of a method is either sent, or in the list of those that are not.

use std::collections::BTreeSet;

use super::{is_of_file, is_of_method};
use crate::config::schema::integration_schema;

/// Keys of a file that are sent, or decide what is sent, where, and what becomes of the answer.
const FILE_SENT: [&str; 15] = [
    "body",
    "base_url",
    "headers",
    "query",
    "custom",
    "query_array_format",
    "credentials",
    "authorization",
    "pagination",
    "rate_limit",
    "resources",
    "actions",
    "syncs",
    "webhook",
    "error_expression",
];
/// The same of a method.
const METHOD_SENT: [&str; 20] = [
    "method",
    "path",
    "base_url",
    "headers",
    "query",
    "query_array_format",
    "body",
    "body_format",
    "response_path",
    "pagination",
    "pagination_path",
    "authorization",
    "no_auth",
    "add_query_to_body",
    "ignore_body",
    "ignore_body_in_pagination",
    "ignore_credentials_on_redirect",
    "api_response_format",
    "error_expression",
    "rate_limit",
];

/// A key that is in neither list counts as sent: editing it unbinds the secrets of installs.
fn is_classified(definition: &str, is_prose: fn(&str) -> bool, sent: &[&str]) {
    let schema = integration_schema();
    let properties = &schema["$defs"][definition]["properties"];
    let keys: BTreeSet<&str> = properties
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let others: BTreeSet<&str> = keys.into_iter().filter(|key| !is_prose(key)).collect();
    let sent: BTreeSet<&str> = sent.iter().copied().collect();
    assert_eq!(
        others, sent,
        "a key that is never sent is listed in src/config/prose.rs, another one here"
    );
}

#[test]
fn every_key_of_a_file_is_classified() {
    is_classified("Config", is_of_file, &FILE_SENT);
}

#[test]
fn every_key_of_a_method_is_classified() {
    is_classified("Method", is_of_method, &METHOD_SENT);
}
