//! Logins on servers of files: what proves the user and the server is there, and an operator's login opens no files that a
//! customer names.

use crate::config::credentials::{SftpConfig, is_host_key};
use crate::config::files::FILES;
use crate::config::source::Sources;
use crate::config::steering::is_plain;
use crate::config::{Config, Credential, Field, Finding};

use super::Broken;
use super::aim::{Host, found, host};
use super::client::can_be_operators;
use super::operator_values::OperatorValueKind;
use super::typed::Typed;

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    for (format, credential) in &config.credentials {
        let Credential::Sftp(own) = credential else {
            continue;
        };
        check_resource(config, findings);
        let at = format!("config.credentials.{format}.config");
        check_secrets(own, &at, broken, findings);
        check_host_keys(own, &at, broken, findings);
        check_owner(config, own, &at, broken, findings);
    }
}

fn check_resource(config: &Config, findings: &mut Vec<Finding>) {
    if config.resource(FILES).is_some() {
        let text = "every integration with an `sftp` credential has the resource `files` already";
        let finding = Finding::error(format!("config.resources.{FILES}"), text);
        findings.push(finding.hint("call yours otherwise, such as `documents`"));
    }
}

fn check_secrets(own: &SftpConfig, at: &str, broken: &Broken, findings: &mut Vec<Finding>) {
    let is_unread = ["password", "private_key"]
        .iter()
        .any(|key| broken.touches(&format!("{at}.{key}")));
    // A literal one is absent where the file is shown, so this is no error.
    if own.password.is_none() && own.private_key.is_none() && !is_unread {
        let finding = Finding::warning(
            at,
            "nothing proves the user: there is no `password` and no `private_key`",
        );
        findings
            .push(finding.hint("add one of them, such as \"{{password}}\", with a field for it"));
    }
    for (key, secret) in own.secrets() {
        let read = Sources::of(secret).context;
        let is_shown = |field: &&Field| is_plain(field) && read.contains(field.name.as_str());
        if let Some(field) = own.fields.iter().find(is_shown) {
            let text = format!("the field `{}` is shown as it is typed", field.name);
            let finding = Finding::error(format!("{at}.{key}"), text);
            findings.push(finding.hint("make it a field of the type `password`"));
        }
    }
    if own.passphrase.is_some() && own.private_key.is_none() && !is_unread {
        let text = "`passphrase` is never used: there is no `private_key`";
        findings.push(Finding::warning(format!("{at}.passphrase"), text));
    }
}

fn check_host_keys(own: &SftpConfig, at: &str, broken: &Broken, findings: &mut Vec<Finding>) {
    if own.host_keys.is_empty() && !broken.touches(&format!("{at}.host_keys")) {
        let text = "nothing proves the server: without a line in `host_keys` no account connects";
        let finding = Finding::error(format!("{at}.host_keys"), text);
        findings.push(
            finding.hint(
                "pin the server's public key line, or take it from a field: [\"{{host_key}}\"]",
            ),
        );
    }
    for (index, line) in own.host_keys.iter().enumerate() {
        if line.literal().is_some_and(|line| !is_host_key(line)) {
            let text = "this is no public key line of a host";
            let finding = Finding::error(format!("{at}.host_keys[{index}]"), text);
            findings.push(finding.hint("write `<algorithm> <base64>`, as in the server's /etc/ssh/ssh_host_ed25519_key.pub: ssh-ed25519, ecdsa-sha2-nistp256, -384, -521 or ssh-rsa, no certificate"));
        }
    }
}

/// An operator's login goes to hosts that the file fixes, and opens what the file says.
fn check_owner(
    config: &Config,
    own: &SftpConfig,
    at: &str,
    broken: &Broken,
    findings: &mut Vec<Finding>,
) {
    let mut secrets = own.secrets();
    let Some((key, secret)) = secrets.find(|(_, secret)| can_be_operators(secret)) else {
        return;
    };
    let is_open = own
        .address()
        .is_some_and(|address| host(config, address) == Host::Open);
    if is_open && !broken.touches("config.allowed_hosts") {
        let path = Sources::of(secret).variable;
        let kind = path.map_or(OperatorValueKind::Key, OperatorValueKind::Variable);
        findings.extend(found(Host::Open, format!("{at}.{key}"), kind));
    }
    let typed = Typed::of(config);
    for (place, template) in own.subjects() {
        let Some(key) = typed.key_in(&Sources::of(template)) else {
            continue;
        };
        let danger = if place == "host_keys" {
            "a customer who pins their own key can pose as the server and gets the login"
        } else {
            "a customer who names another's value would get another's files"
        };
        let text =
            format!("the login is the operator's, and the customer chooses `{key}`: {danger}");
        let finding = Finding::error(format!("{at}.{place}"), text);
        findings.push(
            finding.hint("take the login from the account's own fields, or write this in the file"),
        );
    }
}
