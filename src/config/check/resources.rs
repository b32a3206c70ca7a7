//! Resources and methods: names that fit into a URL, a base URL for each
//! method, headers that may be set.

use crate::config::files::FILES;
use crate::config::{Config, Entries, Finding, Method, Pagination, Setting};

use super::{Broken, bodies};

/// Headers that the gateway or the connection sets (RFC 9110, section 7.6.1).
const FORBIDDEN_HEADERS: [&str; 10] = [
    "host",
    "content-length",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    check_headers(&config.headers, "config.headers", findings);
    bodies::check_file(config, findings);
    if let Setting::Set(Pagination::Cursor(cursor)) = &config.pagination {
        check_headers(
            &cursor.headers,
            "config.pagination.config.headers",
            findings,
        );
    }
    for (resource, methods) in &config.resources {
        let at = format!("config.resources.{resource}");
        check_name(resource, &at, findings);
        if resource == "_" {
            findings.push(Finding::error(
                &at,
                "`_` is the name under which actions are called",
            ));
        }
        for (name, method) in methods {
            let at = format!("{at}.{name}");
            check_name(name, &at, findings);
            check_method(config, method, &at, broken, findings);
        }
    }
    for resource in config.tool_tags.keys() {
        let is_files = resource == FILES && config.credential("sftp").is_some();
        if config.resource(resource).is_none() && !is_files && !broken.touches("config.resources") {
            let text = format!("there is no resource `{resource}`");
            findings.push(Finding::warning(
                format!("config.tool_tags.{resource}"),
                text,
            ));
        }
    }
}

pub(super) fn check_method(
    config: &Config,
    method: &Method,
    at: &str,
    broken: &Broken,
    findings: &mut Vec<Finding>,
) {
    check_headers(&method.headers, &format!("{at}.headers"), findings);
    let has_base = config.base_url_of(method).is_some();
    if !has_base && !broken.touches("config.base_url") && !broken.touches(&format!("{at}.base_url"))
    {
        let finding = Finding::error(at, "the method has no base URL");
        findings.push(finding.hint("add `base_url` here or to the configuration"));
    }
    check_unused(config, method, at, broken, findings);
    bodies::check(method, at, findings);
    if let Setting::Set(Pagination::Cursor(cursor)) = &method.pagination {
        let at = format!("{at}.pagination.config.headers");
        check_headers(&cursor.headers, &at, findings);
    }
}

/// Keys that another key makes useless.
fn check_unused(
    config: &Config,
    method: &Method,
    at: &str,
    broken: &Broken,
    findings: &mut Vec<Finding>,
) {
    let pages = config.pagination_of(method).is_some() || broken.touches("config.pagination");
    if method.pagination_path.is_some() && !pages && !broken.touches(&format!("{at}.pagination")) {
        let text = "`pagination_path` is never used: the method does not page";
        findings.push(Finding::warning(format!("{at}.pagination_path"), text));
    }
    if method.no_auth && method.authorization.is_some() {
        let text = "`authorization` is never used: `no_auth` is set";
        findings.push(Finding::warning(format!("{at}.authorization"), text));
    }
    if method.ignore_body && method.body.is_some() {
        findings.push(Finding::warning(
            format!("{at}.body"),
            "`body` is never used: `ignore_body` is set",
        ));
    }
}

/// A name that is in our own URLs.
pub(super) fn check_name(name: &str, at: &str, findings: &mut Vec<Finding>) {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if name.is_empty() || matches!(name, "." | "..") || !name.bytes().all(fits) {
        let finding = Finding::error(at, format!("`{name}` cannot be in a URL"));
        findings.push(finding.hint("use letters, digits, `-`, `.`, `_` and `~`"));
    }
}

fn check_headers(headers: &Entries, at: &str, findings: &mut Vec<Finding>) {
    for name in headers.keys() {
        let lower = name.to_ascii_lowercase();
        let at = format!("{at}.{name}");
        if FORBIDDEN_HEADERS.contains(&lower.as_str()) || lower.starts_with("x-causeway-") {
            findings.push(Finding::error(
                at,
                format!("`{name}` is set by the gateway"),
            ));
        } else if http::HeaderName::from_bytes(lower.as_bytes()).is_err() {
            findings.push(Finding::error(
                at,
                format!("`{name}` is not the name of a header"),
            ));
        }
    }
}
