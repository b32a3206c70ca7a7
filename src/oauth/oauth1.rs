//! The three steps of OAuth 1.0a (RFC 5849 §2): temporary credentials, the customer's authorization, the token.

use data_encoding::HEXLOWER;
use http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::config::credentials::OAuth1;
use crate::crypto::{Oauth1Keys, Oauth1Request};
use crate::expression::{Pins, RenderError, Template, TemplateScope, UrlTemplate};
use crate::json;
use crate::media::percent_encoded;
use crate::settings::FORM_FIELDS;
use crate::time::Timestamp;

use super::failure::{TokenFailure, accepted, unreadable};
use super::jwt::JwtMoment;
use super::reply::{is_credible, set_expiry};
use super::request::agent;
use super::{OAuthError, TokenReply, TokenRequest};

const TOKEN: &str = "oauth_token";
const SECRET: &str = "oauth_token_secret";

/// What requests of a sign-in are built from. It has no `Debug`.
#[derive(Clone, Copy)]
pub struct SignInClient<'a> {
    pub config: &'a OAuth1,
    pub scope: &'a TemplateScope<'a>,
    pub pins: &'a Pins<'a>,
    pub moment: JwtMoment,
}

/// Temporary credentials (RFC 5849 §2.1). They have no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct RequestToken {
    pub token: String,
    pub secret: String,
}

/// What the provider's redirect brings back.
#[derive(Clone, PartialEq, Eq)]
pub enum SignInCallback {
    Verified {
        token: String,
        verifier: String,
    },
    /// The customer refused, or it says nothing of a verifier.
    Denied,
}

impl SignInCallback {
    /// Reads the decoded pairs of a query. A parameter that is there twice has no value.
    pub fn read(pairs: &[(String, String)]) -> Self {
        let only = |name: &str| {
            let mut values = pairs.iter().filter(|(own, _)| own == name);
            let (_, value) = values.next().filter(|(_, value)| !value.is_empty())?;
            values.next().is_none().then(|| value.clone())
        };
        match (only(TOKEN), only("oauth_verifier")) {
            (Some(token), Some(verifier)) => Self::Verified { token, verifier },
            _ => Self::Denied,
        }
    }
}

impl SignInClient<'_> {
    /// Asks for temporary credentials.
    pub fn ask(&self, callback: &str) -> Result<TokenRequest, OAuthError> {
        let url = self.config.request_token_url.as_ref();
        let url = self.url(url, "request token")?;
        self.post(url, None, &[("oauth_callback", callback)])
    }

    /// Where the customer is sent to.
    pub fn authorize(&self, asked: &RequestToken) -> Result<Url, OAuthError> {
        let mut url = self.url(self.config.authorize_url.as_ref(), "authorization")?;
        let own = url.query().unwrap_or_default().split('&');
        let own = own.filter(|piece| !piece.is_empty() && !piece.starts_with("oauth_token="));
        let token = format!("oauth_token={}", percent_encoded(asked.token.as_bytes()));
        let query: Vec<&str> = own.chain([token.as_str()]).collect();
        let query = query.join("&");
        url.set_query(Some(&query));
        Ok(url)
    }

    /// Exchanges temporary credentials for a token.
    pub fn exchange(
        &self,
        asked: &RequestToken,
        verifier: &str,
    ) -> Result<TokenRequest, OAuthError> {
        let url = self.url(self.config.token_url.as_ref(), "token")?;
        self.post(url, Some(asked), &[("oauth_verifier", verifier)])
    }

    fn url(&self, url: Option<&UrlTemplate>, name: &'static str) -> Result<Url, OAuthError> {
        let url = url.ok_or(OAuthError::NoEndpoint(name))?;
        Ok(url.render(self.scope, self.pins)?)
    }

    fn post(
        &self,
        url: Url,
        asked: Option<&RequestToken>,
        more: &[(&str, &str)],
    ) -> Result<TokenRequest, OAuthError> {
        let consumer = &self.config.consumer;
        let secret = consumer.secret().ok_or(OAuthError::Consumer)?;
        let realm = self.config.realm.as_ref();
        let keys = Oauth1Keys {
            consumer_key: self.text(&consumer.id)?,
            consumer_secret: self.text(&secret)?,
            token: asked.map(|asked| (asked.token.clone(), asked.secret.clone())),
            method: self.config.signature_method.into(),
            realm: realm
                .map(|realm| realm.text(self.scope))
                .transpose()?
                .flatten(),
        };
        let more: Vec<(&str, &str)> = [&[("oauth_version", "1.0")], more].concat();
        let header = keys.header(&Oauth1Request {
            method: "POST",
            url: &url,
            form: b"",
            more: &more,
            timestamp: self.moment.now.as_millis().div_euclid(1000),
            nonce: &HEXLOWER.encode(&self.moment.id),
        });
        let mut value = HeaderValue::try_from(header).map_err(|_| OAuthError::Consumer)?;
        value.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value);
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(USER_AGENT, agent());
        Ok(TokenRequest {
            url,
            headers,
            body: Vec::new(),
            secrets: Vec::new(),
        })
    }

    fn text(&self, template: &Template) -> Result<String, OAuthError> {
        let missing = || RenderError::Missing {
            path: template.source().to_owned(),
            source_text: template.source().to_owned(),
        };
        let text = template.text(self.scope)?.filter(|text| !text.is_empty());
        Ok(text.ok_or_else(missing)?)
    }
}

/// Reads temporary credentials. Without `oauth_callback_confirmed` the provider speaks OAuth 1.0, in which another
/// customer's authorization can be brought to this callback.
pub fn read_request_token(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<RequestToken, TokenFailure> {
    let fields = fields(status, headers, body, now)?;
    let is_confirmed = fields.get("oauth_callback_confirmed");
    if is_confirmed.is_none_or(|own| own != "true" && own != true) {
        let text = "it does not confirm the callback (`oauth_callback_confirmed`)";
        return Err(unreadable(text));
    }
    let (token, secret) = credentials_in(&fields)?;
    Ok(RequestToken { token, secret })
}

/// Reads a token: `access_token` and `token_secret` are stored, next to what else the provider says.
pub fn read_signed_token(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<TokenReply, TokenFailure> {
    let fields = fields(status, headers, body, now)?;
    let (token, secret) = credentials_in(&fields)?;
    let mut stored = fields.clone();
    stored.retain(|name, _| name != TOKEN && name != SECRET);
    stored.insert("access_token".to_owned(), token.into());
    stored.insert("token_secret".to_owned(), secret.into());
    let lifetime = ["oauth_expires_in", "expires_in"].map(|name| text(&fields, name)?.parse().ok());
    let lifetime = lifetime.into_iter().flatten().find(|own| is_credible(*own));
    set_expiry(&mut stored, lifetime, now);
    Ok(TokenReply {
        token: Value::Object(stored),
        reply: Value::Object(fields),
    })
}

/// A token with its secret.
fn credentials_in(fields: &Map<String, Value>) -> Result<(String, String), TokenFailure> {
    let [token, secret] = [TOKEN, SECRET].map(|name| text(fields, name));
    let missing = || unreadable("there is no `oauth_token` with an `oauth_token_secret` in it");
    token.zip(secret).ok_or_else(missing)
}

/// The fields of an answer: a form under any content type, or JSON.
fn fields(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Map<String, Value>, TokenFailure> {
    if !status.is_success() || json::count_values(body).is_ok() {
        return accepted(status, headers, (body, TOKEN), now);
    }
    if json::count_fields(body) > FORM_FIELDS {
        return Err(unreadable("it has too many fields"));
    }
    let text = std::str::from_utf8(body).map_err(|_| unreadable("it is no text"))?;
    let pairs = form_urlencoded::parse(text.trim().as_bytes());
    Ok(pairs
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect())
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match fields.get(name)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
