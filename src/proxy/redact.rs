//! A caller's path without its values: what the integration's own paths say stays, anything else does not.

use std::collections::BTreeSet;

use crate::config::Config;

/// The most that is shown of a path, in bytes.
const SHOWN: usize = 256;

/// What of a path may be written to a log. A segment that is in no path of the integration file, and is no version, is a
/// `*`; the query is not there, and what is too long is cut.
pub fn path(path: &str, config: &Config) -> String {
    let methods = config
        .resources
        .values()
        .flat_map(|methods| methods.values());
    let known = methods.flat_map(|method| method.path.source().split(['/', '?', '#']));
    shown(path, &known.collect())
}

fn shown(path: &str, known: &BTreeSet<&str>) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let shown = path.split('/').map(|segment| {
        let is_shown = segment.is_empty() || known.contains(segment) || is_version(segment);
        if is_shown { segment } else { "*" }
    });
    let mut shown = shown.collect::<Vec<_>>().join("/");
    if let Some((cut, _)) = shown.char_indices().find(|(at, _)| *at >= SHOWN) {
        shown.truncate(cut);
    }
    shown
}

/// Such as `v2`, `v3.1`.
fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| {
        rest.len() <= 4 && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_file_says_stays_and_values_do_not() {
        let known = ["users", "notes", "crm", "objects", "order_lines", "{{id}}"];
        let known: BTreeSet<&str> = known.into_iter().collect();
        for (given, shown) in [
            ("/users", "/users"),
            ("/v2/users/17/notes", "/v2/users/*/notes"),
            ("/crm/v3.1/objects", "/crm/v3.1/objects"),
            ("/services/T01ABC/B02/secret", "/*/*/*/*"),
            ("/users/janedoe", "/users/*"),
            ("/users/a%40b.example", "/users/*"),
            ("/order_lines//", "/order_lines//"),
            ("/users?token=1", "/users"),
            ("", ""),
        ] {
            assert_eq!(super::shown(given, &known), shown);
        }
    }

    #[test]
    fn no_line_is_long() {
        let long = "/a".repeat(10_000);
        let shown = shown(&long, &BTreeSet::from(["a"]));
        assert_eq!(shown.len(), SHOWN);
    }
}
