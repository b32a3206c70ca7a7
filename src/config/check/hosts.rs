//! Where requests may go: every URL is fixed by its own text or by
//! `allowed_hosts`.

use crate::config::{Config, Finding};

use super::Broken;

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    if config.allowed_hosts.is_none() && !broken.touches("config.allowed_hosts") {
        for (at, url) in config.urls() {
            if !url.host_is_pinned() {
                let text = "the host is not fixed: it needs two literal labels at its end, and a literal scheme and port";
                findings.push(Finding::error(at, text).hint("add `allowed_hosts`, such as [\"*.example.com\"], or [\"*\"] when the customer owns the server"));
            }
        }
    }
    if config
        .allowed_hosts
        .as_ref()
        .is_some_and(crate::expression::AllowedHosts::is_empty)
    {
        findings.push(Finding::warning(
            "config.allowed_hosts",
            "an empty list allows no host",
        ));
    }
}
