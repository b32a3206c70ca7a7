//! Our client at the provider: its id and secret, and how it authenticates (RFC 6749 §2.3.1).

use data_encoding::BASE64;
use http::HeaderValue;
use serde_json::Value;

use crate::config::credentials::{CredentialsEncoding, Pkce};
use crate::expression::{RenderError, Template};
use crate::json::Path;
use crate::secret::Secret;

use super::{GrantClient, OAuthError, RegisteredClient};

pub(super) const ID: &str = "client_id";
pub(super) const SECRET: &str = "client_secret";

/// Whether a request makes sense without the client's secret (RFC 6749 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientType {
    /// The secret is all the proof there is.
    Confidential,
    /// With PKCE the code is proof enough.
    PublicToo,
    /// No client is named: the assertion alone authenticates the request.
    Unnamed,
}

impl GrantClient<'_> {
    /// The name of the id's parameter.
    pub(super) fn id_name(&self) -> &str {
        self.config.client.id_param_name.as_deref().unwrap_or(ID)
    }

    /// The name of the secret's parameter.
    pub(super) fn secret_name(&self) -> &str {
        let own = self.config.client.secret_param_name.as_deref();
        own.unwrap_or(SECRET)
    }

    /// The client that was found for the account. The file's own counts before it.
    pub(super) fn registered(&self) -> Option<&RegisteredClient> {
        let server = self.server.filter(|_| self.config.finds_client())?;
        server.client.as_ref()
    }

    /// The client's id.
    pub(super) fn id(&self) -> Result<String, OAuthError> {
        if let Some(own) = self.registered() {
            return Ok(own.client_id.clone());
        }
        let id = self.own_or_key(self.config.client.id.as_ref(), ID)?;
        Ok(id.ok_or_else(|| missing(ID, "client.id"))?)
    }

    /// The client's secret; `None` for a public client.
    pub(super) fn secret(&self, kind: ClientType) -> Result<Option<Secret>, OAuthError> {
        let is_public = kind == ClientType::PublicToo && self.config.pkce != Pkce::Off;
        if let Some(own) = self.registered() {
            return match &own.client_secret {
                Some(secret) => Ok(Some(Secret::new(secret.clone()))),
                None if is_public => Ok(None),
                None => Err(missing(SECRET, "client.secret").into()),
            };
        }
        match self.own_or_key(self.config.client.secret.as_ref(), SECRET) {
            Ok(Some(secret)) => Ok(Some(Secret::new(secret))),
            Ok(None) if is_public => Ok(None),
            Ok(None) => Err(missing(SECRET, "client.secret").into()),
            Err(error) if is_public && error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The file's template, or the context's own key. An empty text counts as none.
    fn own_or_key(&self, own: Option<&Template>, key: &str) -> Result<Option<String>, RenderError> {
        let text = match own {
            Some(template) => template.text(self.scope)?,
            None => match self.scope.lookup(&Path::of_one(key)) {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                _ => None,
            },
        };
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// A text of the context that the request cannot do without.
    pub(super) fn required(&self, key: &'static str) -> Result<String, OAuthError> {
        let text = self.own_or_key(None, key)?;
        Ok(text.ok_or_else(|| missing(key, "the token request"))?)
    }
}

/// `Authorization: Basic`: both parts form-urlencoded first, which RFC 6749 asks for beyond RFC 7617, so
/// that a colon in the id does no harm; or as they are.
pub(super) fn basic(
    id: &str,
    secret: &Secret,
    encoding: CredentialsEncoding,
) -> Result<HeaderValue, OAuthError> {
    let encode =
        |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let secret = secret.expose();
    let pair = match encoding {
        CredentialsEncoding::Form => format!("{}:{}", encode(id), encode(secret)),
        CredentialsEncoding::Raw if id.contains(':') => return Err(OAuthError::Header),
        CredentialsEncoding::Raw => format!("{id}:{secret}"),
    };
    let text = format!("Basic {}", BASE64.encode(pair.as_bytes()));
    let mut value = HeaderValue::try_from(text).map_err(|_| OAuthError::Header)?;
    value.set_sensitive(true);
    Ok(value)
}

fn missing(path: &str, place: &str) -> RenderError {
    RenderError::Missing {
        path: path.to_owned(),
        source_text: place.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(id: &str, secret: &str) -> String {
        decoded_as(id, secret, CredentialsEncoding::Form)
    }

    fn decoded_as(id: &str, secret: &str, encoding: CredentialsEncoding) -> String {
        let secret = Secret::new(secret.to_owned());
        let value = basic(id, &secret, encoding).unwrap();
        assert!(value.is_sensitive());
        let text = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        String::from_utf8(BASE64.decode(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn the_rfcs_own_example() {
        let secret = Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw".to_owned());
        assert_eq!(
            basic("s6BhdRkqt3", &secret, CredentialsEncoding::Form).unwrap(),
            "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"
        );
    }

    #[test]
    fn id_and_secret_are_form_encoded_first() {
        // The characters of RFC 6749, appendix B.
        assert_eq!(decoded(" %&+£€", "a:b"), "+%25%26%2B%C2%A3%E2%82%AC:a%3Ab");
        assert_eq!(decoded("id:x\r\nX: y", "s"), "id%3Ax%0D%0AX%3A+y:s");
    }
    /// RFC 7617, section 2: the user name has no colon, the password may have one.
    #[test]
    fn raw_credentials_are_written_as_they_are() {
        let raw = CredentialsEncoding::Raw;
        assert_eq!(decoded_as("a b", "p+/=:%", raw), "a b:p+/=:%");
        let secret = Secret::new("open sesame".to_owned());
        assert_eq!(
            basic("Aladdin", &secret, raw).unwrap(),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        );
        assert_eq!(basic("a:b", &secret, raw), Err(OAuthError::Header));
    }
}
