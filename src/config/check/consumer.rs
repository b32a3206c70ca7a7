//! The client of OAuth 1.0a. Every request is signed with its secret, and `PLAINTEXT` sends it: an operator's goes to hosts
//! that the file fixes.

use crate::config::credentials::OAuth1;
use crate::config::source::Sources;
use crate::config::{Config, Finding};

use super::Broken;
use super::aim::{Host, found, host};
use super::client::can_be_operators;
use super::operator_values::{self, OperatorValue, OperatorValueKind};

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    if broken.touches("config.allowed_hosts") {
        return;
    }
    for (key, credential) in &config.credentials {
        let Some(oauth) = credential.oauth1() else {
            continue;
        };
        let at = format!("config.credentials.{key}.config");
        let values = endpoints(config, oauth, &at).chain(secrets(config, oauth, &at));
        findings.extend(values.filter_map(|(host, value)| found(host, value.at, value.kind)));
    }
}

/// What is written in its endpoints goes to their own hosts.
fn endpoints<'c>(
    config: &'c Config,
    oauth: &'c OAuth1,
    at: &'c str,
) -> impl Iterator<Item = (Host, OperatorValue)> + 'c {
    let set = oauth.endpoints().into_iter();
    set.filter_map(move |(key, url)| {
        let url = url?;
        let value = operator_values::of_url(url.template(), &format!("{at}.{key}"))?;
        Some((host(config, url), value))
    })
}

fn secrets<'c>(
    config: &Config,
    oauth: &'c OAuth1,
    at: &'c str,
) -> impl Iterator<Item = (Host, OperatorValue)> + 'c {
    let urls = config.urls();
    let is_open = urls.iter().any(|(_, url)| host(config, url) == Host::Open);
    let parts = [
        ("id", &oauth.consumer.id),
        ("secret", oauth.consumer.owner()),
    ];
    let parts = parts.into_iter().filter(move |_| is_open);
    parts.filter_map(move |(key, part)| {
        let path = Sources::of(part).variable;
        let is_secret = key == "secret" && can_be_operators(part);
        let kind = path.map(OperatorValueKind::Variable);
        let kind = kind.or(is_secret.then_some(OperatorValueKind::Key))?;
        let at = format!("{at}.consumer.{key}");
        Some((Host::Open, OperatorValue { at, kind }))
    })
}
