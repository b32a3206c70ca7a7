//! Where a customer is sent to allow access (RFC 6749 §4.1.1, RFC 7636 §4.3).

use std::collections::BTreeMap;

use url::Url;

use crate::config::credentials::Pkce;
use crate::expression::{RenderError, Template, TemplateScope};

use super::parameters::Parameters;
use super::pkce::Verifier;
use super::{GrantClient, OAuthError};

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
    let endpoint = client.config.auth.authorize();
    let mut url = client.url(endpoint.ok_or(OAuthError::NoEndpoint("authorization"))?)?;
    let mut parameters = Parameters::default();
    let params = &client.config.params;
    parameters.set("response_type", response_type(params, client.scope)?);
    parameters.set(client.id_name(), client.id()?);
    if let Some(scopes) = client.scopes(login.scopes)? {
        parameters.set("scope", scopes);
    }
    parameters.set("redirect_uri", login.redirect_uri);
    parameters.set("state", login.state);
    if client.config.pkce != Pkce::Off {
        let verifier = login.verifier.ok_or(OAuthError::NoVerifier)?;
        if let Some(challenge) = verifier.challenge(client.config.pkce) {
            parameters.set("code_challenge", challenge.value);
            parameters.set("code_challenge_method", challenge.method);
        }
    }
    parameters.add_extra(params, &RESERVED, client.scope)?;
    let query = joined(url.query().unwrap_or_default(), &parameters);
    url.set_query(Some(&query));
    Ok(url)
}

/// `code`, unless the file asks for more than a code: without one there is nothing to exchange.
fn response_type(
    params: &BTreeMap<String, Template>,
    scope: &TemplateScope,
) -> Result<String, RenderError> {
    let own = params.get("response_type");
    let own = own.map(|template| template.text(scope)).transpose()?;
    let asks_for_code = |own: &String| own.split([' ', ',']).any(|word| word == "code");
    let own = own.flatten().filter(asks_for_code);
    Ok(own.unwrap_or_else(|| "code".to_owned()))
}

/// The URL's own pieces as they are written, but for those we set; then ours.
fn joined(own: &str, parameters: &Parameters) -> String {
    let is_kept = |piece: &&str| {
        let name = form_urlencoded::parse(piece.as_bytes()).next();
        name.is_some_and(|(name, _)| !parameters.has(&name) && !RESERVED.contains(&name.as_ref()))
    };
    let kept = own.split('&').filter(is_kept).map(str::to_owned);
    let pieces: Vec<String> = kept.chain(parameters.query()).collect();
    pieces.join("&")
}

#[cfg(test)]
mod tests;
