//! OAuth 1.0a: the signature of a request (RFC 5849 §3), in the `Authorization` header.

use data_encoding::HEXLOWER;
use http::header::AUTHORIZATION;

use super::{
    AuthorizationError, SentBody, SignIn, UnauthenticatedRequest, access_token, header, optional,
    required,
};
use crate::config::authorization::Oauth1Signature;
use crate::crypto::{Oauth1Keys, Oauth1Request};
use crate::expression::{Moment, RenderError, TemplateScope};
use crate::json::Path;
use crate::media::{MediaKind, kind};

/// Where the secret of the stored token is.
const TOKEN_SECRET: &str = "oauth.token.token_secret";

pub(super) fn sign(
    own: &Oauth1Signature,
    scope: &TemplateScope,
    request: &UnauthenticatedRequest,
    moment: &Moment,
) -> Result<SignIn, AuthorizationError> {
    let consumer = own.consumer.as_ref();
    let consumer = consumer.ok_or(AuthorizationError::NoConsumer)?;
    let secret = consumer.secret().ok_or(AuthorizationError::NoConsumer)?;
    let keys = Oauth1Keys {
        consumer_key: required(&consumer.id, scope)?,
        consumer_secret: required(&secret, scope)?,
        token: token(own, scope)?,
        method: own.signature_method.unwrap_or_default().into(),
        realm: optional(own.realm.as_ref(), scope)?,
    };
    let form: &[u8] = match request.body {
        _ if kind(request.headers) != MediaKind::Form => b"",
        SentBody::None => b"",
        SentBody::Held(bytes) => bytes,
        SentBody::Streamed => return Err(AuthorizationError::BodyNotHeld),
    };
    let nonce = moment.random.get(..16).unwrap_or_default();
    let value = keys.header(&Oauth1Request {
        method: request.method.as_str(),
        url: request.url,
        form,
        more: &[("oauth_version", "1.0")],
        timestamp: moment.now_ms.div_euclid(1000),
        nonce: &HEXLOWER.encode(nonce),
    });
    header(AUTHORIZATION, &value, "consumer")
}

/// The token with its secret: the file's, or that of the customer's sign-in.
fn token(
    own: &Oauth1Signature,
    scope: &TemplateScope,
) -> Result<Option<(String, String)>, AuthorizationError> {
    if let Some(token) = &own.token {
        let secret = own.token_secret.as_ref();
        let secret = secret.map(|secret| required(secret, scope)).transpose()?;
        return Ok(Some((required(token, scope)?, secret.unwrap_or_default())));
    }
    if !own.has_stored_token {
        return Ok(None);
    }
    let path: Option<Path> = TOKEN_SECRET.parse().ok();
    let secret = path.and_then(|path| scope.lookup(&path)?.as_str());
    let missing = || RenderError::Missing {
        path: TOKEN_SECRET.to_owned(),
        source_text: "oauth1".to_owned(),
    };
    let secret = secret.ok_or_else(missing)?.to_owned();
    Ok(Some((access_token(scope)?, secret)))
}

#[cfg(test)]
mod tests;
