//! Where a customer is sent to allow access (RFC 6749 §4.1.1, RFC 7636 §4.3).

use std::collections::BTreeMap;

use url::Url;

use crate::config::credentials::{ParamName, Pkce};
use crate::expression::{RenderError, Template, TemplateScope};

use super::client::ID;
use super::parameters::Parameters;
use super::pkce::Verifier;
use super::{GrantClient, OAuthError, ServerEndpoint};

const RESPONSE_TYPE: &str = "response_type";

/// Never taken from the file, whether we send them or not.
const RESERVED: [&str; 4] = [
    "state",
    "redirect_uri",
    "code_challenge",
    "code_challenge_method",
];

/// What one login brings.
#[derive(Clone, Copy)]
pub struct Authorize<'a> {
    /// What the callback must bring back.
    pub state: &'a str,
    /// Where to.
    pub redirect_uri: &'a str,
    /// Asked for instead of the file's `scope`.
    pub scopes: Option<&'a [String]>,
    /// Needed unless `pkce` is off.
    pub verifier: Option<&'a Verifier>,
}

/// The authorization endpoint with its query. The endpoint's own query is kept but for what we set;
/// `params` add to it and override nothing of ours.
pub fn authorization_url(client: &GrantClient, login: &Authorize) -> Result<Url, OAuthError> {
    let mut url = client.needed(ServerEndpoint::Authorization, "authorization")?;
    let mut parameters = Parameters::default();
    let params = &client.config.params;
    parameters.set("response_type", response_type(params, client.scope)?);
    parameters.set(client.id_name(), client.id()?);
    if let Some(scopes) = client.scopes(login.scopes)? {
        parameters.set("scope", scopes);
    }
    parameters.set("redirect_uri", login.redirect_uri);
    parameters.set("state", login.state);
    if let Some(resource) = client.resource() {
        parameters.set("resource", resource);
    }
    if client.config.pkce != Pkce::Off {
        let verifier = login.verifier.ok_or(OAuthError::NoVerifier)?;
        if let Some(challenge) = verifier.challenge(client.config.pkce) {
            parameters.set("code_challenge", challenge.value);
            parameters.set("code_challenge_method", challenge.method);
        }
    }
    parameters.rename(&names(client));
    let reserved: Vec<&str> = RESERVED.iter().copied().chain([RESPONSE_TYPE]).collect();
    parameters.add_extra(params, &reserved, client.scope)?;
    let own = joined(url.query().unwrap_or_default(), &parameters);
    let ours = parameters.query().collect::<Vec<_>>().join("&");
    match &client.config.authorize_fragment {
        Some(fragment) => {
            url.set_query(Some(&own).filter(|own| !own.is_empty()).map(String::as_str));
            url.set_fragment(Some(&format!("{}?{ours}", fragment.as_str())));
        }
        None if own.is_empty() => url.set_query(Some(&ours)),
        None => url.set_query(Some(&format!("{own}&{ours}"))),
    }
    Ok(url)
}

/// What the parameters are called; the client's id is under `idParamName` until then.
fn names<'c>(client: &'c GrantClient) -> [ParamName<'c>; 5] {
    client
        .config
        .authorize_param_names
        .all()
        .map(|name| match name.standard {
            ID => ParamName {
                standard: client.id_name(),
                ..name
            },
            _ => name,
        })
}

/// As the file says. A token that comes without a code is in the address of the customer's page, where the gateway never
/// sees it: for such a type it is `code`.
fn response_type(
    params: &BTreeMap<String, Template>,
    scope: &TemplateScope,
) -> Result<String, RenderError> {
    let own = params.get(RESPONSE_TYPE);
    let own = own.map(|template| template.text(scope)).transpose()?;
    let is_implicit = |word: &str| matches!(word, "" | "token" | "id_token" | "none");
    let own = own
        .flatten()
        .filter(|own| !own.split([' ', ',']).all(is_implicit));
    Ok(own.unwrap_or_else(|| "code".to_owned()))
}

/// The URL's own pieces as they are written, but for those we set.
fn joined(own: &str, parameters: &Parameters) -> String {
    let is_kept = |piece: &&str| {
        let name = form_urlencoded::parse(piece.as_bytes()).next();
        name.is_some_and(|(name, _)| !parameters.has(&name) && !RESERVED.contains(&name.as_ref()))
    };
    let kept: Vec<&str> = own.split('&').filter(is_kept).collect();
    kept.join("&")
}

#[cfg(test)]
mod tests;
