//! Credentials and authorization: whether everything that authentication needs is there.

use crate::config::action::EXCHANGE;
use crate::config::authorization::Oauth1Signature;
use crate::config::credentials::{Credential, Endpoints, OAuth1, OAuth2};
use crate::config::{Authorization, Authorizations, Config, Finding};

use super::Broken;

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    for (key, credential) in &config.credentials {
        let at = format!("config.credentials.{key}");
        if credential.format() != key {
            let text = format!(
                "the key is `{key}`, the format `{}`; they must be the same",
                credential.format()
            );
            findings.push(Finding::error(format!("{at}.format"), text));
        }
        if let Some(oauth) = credential.oauth1() {
            check_steps(oauth, &format!("{at}.config"), broken, findings);
        }
        if let Some(oauth) = credential.oauth() {
            let has_steps = config.actions.contains_key(EXCHANGE)
                && matches!(credential, Credential::Oauth2(_));
            if oauth.auth.token().is_none() && !has_steps && !oauth.is_discovered() {
                check_token_endpoint(&format!("{at}.config.auth"), broken, findings);
            }
            check_endpoints(credential, oauth, &at, broken, findings);
        }
    }
    let of_file = config.authorization.iter();
    for own in of_file {
        check_all(config, own, "config.authorization", broken, findings);
    }
    for (resource, methods) in &config.resources {
        for (name, method) in methods {
            let at = format!("config.resources.{resource}.{name}.authorization");
            if let Some(own) = &method.authorization {
                check_all(config, own, &at, broken, findings);
            }
        }
    }
}

fn check_token_endpoint(at: &str, broken: &Broken, findings: &mut Vec<Finding>) {
    if !broken.touches(at) {
        let finding = Finding::error(at, "there is no token endpoint");
        findings.push(finding.hint("add `tokenHost` and `tokenPath`, or `tokenUrl`"));
    }
}

fn check_endpoints(
    credential: &Credential,
    oauth: &OAuth2,
    at: &str,
    broken: &Broken,
    findings: &mut Vec<Finding>,
) {
    let at = format!("{at}.config.auth");
    if broken.touches(&at) {
        return;
    }
    if matches!(credential, Credential::Oauth2(_))
        && oauth.auth.authorize().is_none()
        && !oauth.is_discovered()
    {
        let finding = Finding::warning(
            &at,
            "there is no authorization endpoint: accounts can be imported but not connected",
        );
        findings.push(finding.hint(
            "add `authorizePath`, and `authorizeHost` if it is not the token's, or `authorizeUrl`",
        ));
    }
    check_paths(&oauth.auth, &at, findings);
}

/// A sign-in has three steps; without any of them the token is typed in.
fn check_steps(oauth: &OAuth1, at: &str, broken: &Broken, findings: &mut Vec<Finding>) {
    let endpoints = oauth.endpoints();
    let has_any = endpoints.iter().any(|(_, url)| url.is_some());
    for (key, url) in endpoints {
        let at = format!("{at}.{key}");
        if has_any && url.is_none() && !broken.touches(&at) {
            let text = "`requestTokenUrl`, `authorizeUrl` and `tokenUrl` go together";
            let finding = Finding::error(at, text);
            findings.push(finding.hint("leave out all three where customers type in a token"));
        }
    }
}

fn check_oauth1(own: &Oauth1Signature, at: &str, findings: &mut Vec<Finding>) {
    if own.consumer.is_none() {
        let text = "`oauth1` needs `consumer`, or a credential `oauth`";
        findings.push(Finding::error(at, text));
    }
    if own.token.is_some() != own.token_secret.is_some() {
        let text = "`token` and `token_secret` go together";
        findings.push(Finding::error(at, text));
    }
}

/// A path needs a host before it.
fn check_paths(auth: &Endpoints, at: &str, findings: &mut Vec<Finding>) {
    let has_token_host = auth.token_host.is_some();
    let paths = [
        (
            "authorizePath",
            auth.authorize_path.is_some(),
            auth.authorize().is_some(),
        ),
        ("refreshPath", auth.refresh_path.is_some(), has_token_host),
        ("revokePath", auth.revoke_path.is_some(), has_token_host),
        (
            "introspectPath",
            auth.introspect_path.is_some(),
            has_token_host,
        ),
    ];
    for (key, is_set, has_host) in paths {
        if is_set && !has_host {
            let text = "this path has no `tokenHost` before it";
            findings.push(Finding::error(format!("{at}.{key}"), text));
        }
    }
}

fn check_all(
    config: &Config,
    list: &Authorizations,
    at: &str,
    broken: &Broken,
    findings: &mut Vec<Finding>,
) {
    for (at, one) in list.placed(at) {
        check_bearer(config, one, &at, broken, findings);
    }
}

/// The default token is the account's: an API key has none.
fn check_bearer(
    config: &Config,
    authorization: &Authorization,
    at: &str,
    broken: &Broken,
    findings: &mut Vec<Finding>,
) {
    if let Authorization::Oauth1(own) = authorization
        && !broken.touches("config.credentials")
        && !broken.touches(at)
    {
        check_oauth1(own, at, findings);
    }
    let has_token = config.credentials.values().any(Credential::has_token);
    if authorization.is_default_bearer()
        && !has_token
        && !broken.touches("config.credentials")
        && !broken.touches(at)
    {
        let finding = Finding::error(
            at,
            "`bearer` without `token` needs a credential with a token, and there is none",
        );
        findings.push(finding.hint("add `token`, such as \"{{api_key}}\""));
    }
}
