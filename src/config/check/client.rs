//! Clients of grants without a user. Their token is the client's own: anyone who names the client, or what the
//! token is for, has what it opens. So such a client has one source, and an operator's takes no value of a customer.

use crate::config::credentials::{CallbackGrant, Credential, Jwt, OAuth2};
use crate::config::source::{Layer, Sources};
use crate::config::{Config, Finding};
use crate::expression::Template;

use super::Broken;
use super::typed::Typed;

/// Who owns the client of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientOwner {
    /// The account's: its customer brings it.
    Account,
    /// The operator's: it is in the file or in the install's variables.
    Operator,
}

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    let mut typed = None;
    for (key, credential) in &config.credentials {
        let at = format!("config.credentials.{key}.config");
        if let Credential::Jwt(own) = credential
            && own.jwt.has_operators_key(can_be_operators)
            && !broken.touches(&at)
        {
            let typed = typed.get_or_insert_with(|| Typed::of(config));
            let places = own.jwt.placeholders();
            let places = places.map(|(at, read)| (at, Sources::of_placeholders(read.into_iter())));
            check_places(places, &at, typed, findings);
        }
        let Some(oauth) = without_user(credential).filter(|_| !broken.touches(&at)) else {
            continue;
        };
        check_source(oauth, &at, findings);
        if owner(oauth) == ClientOwner::Operator {
            let typed = typed.get_or_insert_with(|| Typed::of(config));
            check_words(oauth, &at, typed, findings);
        }
    }
}

const MIXED: &str = "a client of a grant without a user has one source: where one of these has no value, the other's client would be used";
const ONE_SOURCE: &str = "name the account's own fields alone, or `environment_variables` alone";

/// The settings of a grant that no user takes part in.
pub(super) fn without_user(credential: &Credential) -> Option<&OAuth2> {
    match credential {
        Credential::Oauth2ClientCredentials(oauth)
        | Credential::JwtBearer(oauth)
        | Credential::KekaOauth(oauth) => Some(oauth),
        Credential::Oauth2(oauth) => {
            let has_code = oauth.callback_grant == CallbackGrant::AuthorizationCode;
            Some(&**oauth).filter(|_| !has_code)
        }
        Credential::ApiKey(_)
        | Credential::CustomToken(_)
        | Credential::Oauth(_)
        | Credential::Sftp(_)
        | Credential::Jwt(_) => None,
    }
}

/// Who owns the client: the operator, as soon as a part of it can be the operator's. A secret that is absent may be a sealed one.
pub(super) fn owner(oauth: &OAuth2) -> ClientOwner {
    let parts = [oauth.client.id.as_ref(), oauth.client.secret.as_ref()];
    let signs = |jwt: &Jwt| jwt.has_operators_key(can_be_operators);
    let is_signed = oauth.jwt.as_ref().is_some_and(signs);
    if is_signed || parts.into_iter().flatten().any(can_be_operators) {
        ClientOwner::Operator
    } else {
        ClientOwner::Account
    }
}

/// Whether a part of a client can be the operator's own.
pub(super) fn can_be_operators(part: &Template) -> bool {
    let layers = Sources::of(part).layers();
    layers.contains(&Layer::Variables) || layers.contains(&Layer::Literal)
}

fn check_source(oauth: &OAuth2, at: &str, findings: &mut Vec<Finding>) {
    let parts = [("id", &oauth.client.id), ("secret", &oauth.client.secret)];
    for (key, part) in parts {
        let layers = part.as_ref().map(|part| Sources::of(part).layers());
        if layers.is_some_and(|layers| layers.len() > 1) {
            let finding = Finding::error(format!("{at}.client.{key}"), MIXED);
            findings.push(finding.hint(ONE_SOURCE));
        }
    }
    let is_operators = |part: &Template| can_be_operators(part);
    let id = oauth.client.id.as_ref().is_some_and(is_operators);
    let secret = oauth.client.secret.as_ref().map(is_operators);
    if secret.is_some_and(|secret| secret != id) {
        let text = "id and secret of a client are of one source: here one is the account's, and one the operator's";
        let finding = Finding::error(format!("{at}.client"), text);
        findings.push(finding.hint(
            "without `id` or `secret` the account's own `client_id` or `client_secret` counts",
        ));
    }
}

/// Whether the token of an account can be the operator's own.
pub(super) fn grants_to_operator(credential: &Credential) -> bool {
    match credential {
        Credential::Jwt(own) => own.jwt.has_operators_key(can_be_operators),
        _ => without_user(credential).is_some_and(|oauth| owner(oauth) == ClientOwner::Operator),
    }
}

/// Places whose values decide what the token is good for.
fn check_words(oauth: &OAuth2, at: &str, typed: &Typed, findings: &mut Vec<Finding>) {
    check_places(places(oauth).into_iter(), at, typed, findings);
}

fn check_places<'s>(
    places: impl Iterator<Item = (String, Sources<'s>)>,
    at: &str,
    typed: &Typed,
    findings: &mut Vec<Finding>,
) {
    for (place, sources) in places {
        let Some(key) = typed.key_in(&sources) else {
            continue;
        };
        let text = format!(
            "the client is the operator's, and the customer chooses `{key}`: a customer who names another's value would get a token for it"
        );
        let finding = Finding::error(format!("{at}.{place}"), text);
        findings.push(finding.hint("take the client from the account's own fields, `{{client_id}}` and `{{client_secret}}`, or leave the customer's value out"));
    }
}

fn places(oauth: &OAuth2) -> Vec<(String, Sources<'_>)> {
    let auth = &oauth.auth;
    let mut places: Vec<(String, Sources)> = Vec::new();
    for (place, read) in oauth.jwt.iter().flat_map(Jwt::placeholders) {
        places.push((place, Sources::of_placeholders(read.into_iter())));
    }
    for (key, url) in auth.urls() {
        let sources = Sources::of_placeholders(url.placeholders());
        places.push((format!("auth.{key}"), sources));
    }
    for (key, path) in auth.paths() {
        let sources = Sources::of_placeholders(path.placeholders());
        places.push((format!("auth.{key}"), sources));
    }
    for (key, params) in [
        ("tokenParams", &oauth.token_params),
        ("refreshParams", &oauth.refresh_params),
        ("tokenHeaders", &oauth.token_headers),
    ] {
        let entries = params.iter();
        places.extend(entries.map(|(name, one)| (format!("{key}.{name}"), Sources::of(one))));
    }
    let scopes = oauth.scope.iter().enumerate();
    places.extend(scopes.map(|(index, one)| (format!("scope[{index}]"), Sources::of(one))));
    places
}
