//! Extra parameters of OAuth requests: what the gateway sets itself cannot be set by the file.

use std::collections::BTreeMap;

use crate::config::credentials::OAuth2;
use crate::config::{Config, Finding};
use crate::expression::Template;

/// Parameters of the authorization request that the gateway sets (RFC 6749 §4.1.1, RFC 7636 §4.3).
const OF_AUTHORIZATION: [&str; 4] = [
    "state",
    "redirect_uri",
    "code_challenge",
    "code_challenge_method",
];
/// Parameters of the token request that the gateway sets (RFC 6749 §4.1.3, RFC 7636 §4.5).
const OF_TOKEN: [&str; 6] = [
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "client_secret",
];
/// The same of the refresh request (RFC 6749 §6), where some providers ask for `redirect_uri`, too.
const OF_REFRESH: [&str; 5] = [
    "grant_type",
    "code",
    "code_verifier",
    "refresh_token",
    "client_secret",
];

pub(super) fn check(config: &Config, findings: &mut Vec<Finding>) {
    for (key, credential) in &config.credentials {
        if let Some(oauth) = credential.oauth() {
            check_one(key, oauth, findings);
        }
    }
}

fn check_one(credential: &str, oauth: &OAuth2, findings: &mut Vec<Finding>) {
    let maps: [(&str, &BTreeMap<String, Template>, &[&str]); 3] = [
        ("params", &oauth.params, &OF_AUTHORIZATION),
        ("tokenParams", &oauth.token_params, &OF_TOKEN),
        ("refreshParams", &oauth.refresh_params, &OF_REFRESH),
    ];
    let secret_name = oauth.client.secret_param_name.as_deref();
    for (map, parameters, reserved) in maps {
        let is_reserved =
            |name: &str| reserved.contains(&name) || (map != "params" && Some(name) == secret_name);
        for (name, value) in parameters.iter().filter(|(name, _)| is_reserved(name)) {
            let path = format!("config.credentials.{credential}.config.{map}.{name}");
            let text = format!("`{name}` is set by the gateway and cannot be set here");
            // Files of another product write the grant type out; the gateway sets the same one.
            let is_harmless = name == "grant_type" && value.literal().is_some_and(is_a_grant_type);
            findings.push(if is_harmless {
                Finding::warning(path, text)
            } else {
                Finding::error(path, text)
            });
        }
    }
    for (name, own) in &oauth.also_for {
        let is_reserved = |name: &&String| {
            OF_REFRESH.contains(&name.as_str()) || Some(name.as_str()) == secret_name
        };
        for parameter in own.params.keys().filter(is_reserved) {
            let at = format!("config.credentials.{credential}.config.alsoFor.{name}");
            let text = format!("`{parameter}` is set by the gateway and cannot be set here");
            findings.push(Finding::error(format!("{at}.params.{parameter}"), text));
        }
    }
}

fn is_a_grant_type(text: &str) -> bool {
    matches!(
        text,
        "authorization_code" | "client_credentials" | "refresh_token"
    )
}
