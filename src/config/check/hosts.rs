//! Where requests may go: every URL is fixed by its own text or by
//! `allowed_hosts`.

use crate::config::{Config, Finding};

use super::Broken;

/// The address of a server of files, whose pattern has a port.
const SERVER: &str = "config.credentials.sftp.config.host";

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    if config.allowed_hosts.is_none() && !broken.touches("config.allowed_hosts") {
        for (at, url) in config.urls() {
            if !url.host_is_pinned() {
                let text = "the host is not fixed: it needs two literal labels at its end, and a literal scheme and port";
                let hint = if at == SERVER {
                    "add `allowed_hosts` with the port, such as [\"*.example.com:22\"], or [\"*\"] when the customer owns the server"
                } else {
                    "add `allowed_hosts`, such as [\"*.example.com\"], or [\"*\"] when the customer owns the server"
                };
                findings.push(Finding::error(at, text).hint(hint));
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
