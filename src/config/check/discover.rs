//! Endpoints that a server announces, and clients that the gateway registers: what goes together, and what the gateway
//! cannot do without.

use crate::config::action::{EXCHANGE, REFRESH};
use crate::config::credentials::{
    AuthorizationMethod, CallbackGrant, Credential, OAuth2, Pkce, Registration,
};
use crate::config::{Config, Finding};

use super::Broken;

/// Addresses that a discovered server says itself.
const ANNOUNCED: [&str; 11] = [
    "authorizeHost",
    "authorizePath",
    "authorizeUrl",
    "tokenHost",
    "tokenPath",
    "tokenUrl",
    "refreshPath",
    "refreshUrl",
    "revokePath",
    "introspectPath",
    "registrationUrl",
];

/// Characters of a text of `registration`, and entries of a list.
const TEXT: usize = 2_000;
const LIST: usize = 20;

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    for (format, credential) in &config.credentials {
        let at = format!("config.credentials.{format}.config");
        let Some(oauth) = credential.oauth().filter(|_| !broken.touches(&at)) else {
            continue;
        };
        check_registration(&oauth.registration, &at, findings);
        let finds = oauth.is_discovered()
            || oauth.auth.registration_url.is_some()
            || oauth.client.metadata_document;
        if !finds {
            continue;
        }
        let has_code = matches!(credential, Credential::Oauth2(_))
            && oauth.callback_grant == CallbackGrant::AuthorizationCode;
        if !has_code {
            let text = "endpoints are discovered, and clients registered, for the authorization code grant only";
            let finding = Finding::error(format!("{at}.auth"), text);
            findings.push(finding.hint("use the format `oauth2`, without `callbackGrant`"));
            continue;
        }
        check_client(oauth, &at, findings);
        check_document(oauth, &at, findings);
        check_actions(config, findings);
        if oauth.is_discovered() {
            check_discovered(oauth, &at, findings);
        }
    }
}

/// What the announcement decides is not written in the file.
fn check_discovered(oauth: &OAuth2, at: &str, findings: &mut Vec<Finding>) {
    let urls = oauth.auth.urls().into_iter().map(|(key, _)| key);
    let paths = oauth.auth.paths().into_iter().map(|(key, _)| key);
    for key in urls.chain(paths).filter(|key| ANNOUNCED.contains(key)) {
        let text =
            format!("with `discover` the server says its endpoints, and `{key}` is not used");
        let finding = Finding::error(format!("{at}.auth.{key}"), text);
        findings.push(finding.hint("remove this key, or `discover`"));
    }
    if oauth.auth.issuer_optional && oauth.auth.issuer.is_none() {
        let text = "only the server of an `issuer` may send no `iss`: any other could get the codes of another server";
        let finding = Finding::error(format!("{at}.auth.issuerOptional"), text);
        findings.push(finding.hint("add `issuer`, or remove `issuerOptional`"));
    }
    if oauth.pkce != Pkce::S256 {
        let text = "a discovered authorization server gets PKCE by `S256`, and no other";
        let finding = Finding::error(format!("{at}.pkce"), text);
        findings.push(finding.hint("remove `pkce`"));
    }
    for (key, parameters) in [
        ("params", &oauth.params),
        ("tokenParams", &oauth.token_params),
        ("refreshParams", &oauth.refresh_params),
    ] {
        if parameters.contains_key("resource") {
            let text = "`resource` is set by the gateway: it is what was discovered (RFC 8707)";
            findings.push(Finding::error(format!("{at}.{key}.resource"), text));
        }
    }
}

fn check_client(oauth: &OAuth2, at: &str, findings: &mut Vec<Finding>) {
    if oauth.options.authorization_method == AuthorizationMethod::PrivateKeyJwt {
        let text = "a registered client has a secret or none, and no key to sign with";
        findings.push(Finding::error(
            format!("{at}.options.authorizationMethod"),
            text,
        ));
    }
    let is_named = oauth.client.id.is_some();
    let has_both = oauth.client.metadata_document && oauth.auth.registration_url.is_some();
    if oauth.client.metadata_document && (is_named || has_both) {
        let text = "the client has one id: `client.id`, the URL of its metadata document, or one of a registration";
        let finding = Finding::error(format!("{at}.client.metadataDocument"), text);
        findings.push(finding.hint("keep one of them"));
    }
    if is_named && oauth.auth.registration_url.is_some() {
        let text = "`client.id` is a client already: none is registered";
        let finding = Finding::error(format!("{at}.auth.registrationUrl"), text);
        findings.push(finding.hint("remove `client.id`, or `registrationUrl`"));
    }
    if oauth.client.secret.is_some() && !is_named {
        let text = "the secret comes with the registration of the client";
        let finding = Finding::error(format!("{at}.client.secret"), text);
        findings.push(finding.hint("remove it, or add `client.id`"));
    }
}

/// A server that the account names would get codes of the others (RFC 9700 §4.4). A discovered one says which it is.
fn check_document(oauth: &OAuth2, at: &str, findings: &mut Vec<Finding>) {
    let is_safe = oauth.is_discovered() || oauth.fixes_hosts();
    if oauth.client.metadata_document && !is_safe {
        let text = "the document is the same client at every server, and the account's values choose a host of `auth`: logins are refused";
        let finding = Finding::warning(format!("{at}.client.metadataDocument"), text);
        findings
            .push(finding.hint("fix the hosts, or use `discover` or `registrationUrl` instead"));
    }
}

/// Steps send their own requests, which have neither the client nor the endpoints.
fn check_actions(config: &Config, findings: &mut Vec<Finding>) {
    for name in [EXCHANGE, REFRESH] {
        if config.actions.contains_key(name) {
            let text = "its steps know neither a registered client nor the endpoints that a server announces";
            let finding = Finding::error(format!("config.actions.{name}"), text);
            findings.push(finding.hint("remove it: the gateway sends the token requests"));
        }
    }
}

fn check_registration(own: &Registration, at: &str, findings: &mut Vec<Finding>) {
    let at = format!("{at}.registration");
    let mut refuse = |key: &str, text: &str| {
        findings.push(Finding::error(format!("{at}.{key}"), text));
    };
    let has = |list: &[String], one: &str| list.is_empty() || list.iter().any(|own| own == one);
    if !has(&own.grant_types, "authorization_code") {
        refuse(
            "grant_types",
            "`authorization_code` is what the customer signs in by",
        );
    }
    if !has(&own.response_types, "code") || own.response_types.len() > 1 {
        refuse(
            "response_types",
            "the gateway takes `code`, and no other response type",
        );
    }
    for (key, uri) in [
        ("client_uri", &own.client_uri),
        ("logo_uri", &own.logo_uri),
        ("tos_uri", &own.tos_uri),
        ("policy_uri", &own.policy_uri),
    ] {
        let is_web = |uri: &String| url::Url::parse(uri).is_ok_and(|url| url.scheme() == "https");
        if uri.as_ref().is_some_and(|uri| !is_web(uri)) {
            refuse(key, "this is not an https URL");
        }
    }
    for (key, text) in [
        ("client_name", &own.client_name),
        ("application_type", &own.application_type),
        ("software_id", &own.software_id),
        ("software_version", &own.software_version),
        ("scope", &own.scope),
    ] {
        let fits = |text: &String| !text.is_empty() && text.chars().count() <= TEXT;
        if text.as_ref().is_some_and(|text| !fits(text)) {
            refuse(key, "a text has 1 to 2,000 characters");
        }
    }
    for (key, list) in [
        ("contacts", &own.contacts),
        ("grant_types", &own.grant_types),
    ] {
        let fits = |text: &String| text.chars().count() <= TEXT;
        if list.len() > LIST || !list.iter().all(fits) {
            refuse(key, "a list has 20 texts at most, each of 2,000 characters");
        }
    }
}
