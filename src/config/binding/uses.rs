//! What a secret is used for, as it is stored with it: the hosts, and each use as its digest.

use std::collections::BTreeSet;

/// Hex digits of a digest that are kept: 128 bits.
const DIGITS: usize = 32;

/// The hosts and the uses of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uses {
    hosts: String,
    parts: BTreeSet<String>,
}

impl Uses {
    pub(super) fn new(hosts: &str, parts: &[String]) -> Self {
        let short = |digest: &str| digest.chars().take(DIGITS).collect();
        Self {
            hosts: short(hosts),
            parts: parts.iter().map(|part| short(part)).collect(),
        }
    }

    /// As it is stored: `hosts:use,use`; `:` where nothing uses it.
    pub(super) fn text(&self) -> String {
        if self.parts.is_empty() {
            return ":".to_owned();
        }
        let parts: Vec<&str> = self.parts.iter().map(String::as_str).collect();
        format!("{}:{}", self.hosts, parts.join(","))
    }

    /// Whether a secret that was given for `given`, as it is stored, may be used so: to the same hosts, and for nothing
    /// that it was not given for. What is used for nothing goes nowhere.
    pub(super) fn are_in(&self, given: &str) -> bool {
        if self.parts.is_empty() {
            return true;
        }
        let Some((hosts, parts)) = given.split_once(':') else {
            return false;
        };
        let parts: BTreeSet<&str> = parts.split(',').collect();
        self.hosts == hosts && self.parts.iter().all(|part| parts.contains(part.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::Uses;

    #[test]
    fn fewer_uses_of_the_same_hosts_are_in_more_of_them() {
        let uses = |hosts: &str, parts: &[&str]| {
            let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            Uses::new(hosts, &parts)
        };
        let given = uses("h", &["a", "b"]).text();
        for (now, is_in) in [
            (uses("h", &["a", "b"]), true),
            (uses("h", &["b"]), true),
            (uses("h", &[]), true),
            (uses("other", &[]), true),
            (uses("h", &["a", "c"]), false),
            (uses("other", &["a"]), false),
        ] {
            assert_eq!(now.are_in(&given), is_in, "{now:?}");
        }
        assert!(!uses("h", &["a"]).are_in(&uses("h", &[]).text()));
        assert!(!uses("h", &["a"]).are_in("an-older-digest"));
    }
}
