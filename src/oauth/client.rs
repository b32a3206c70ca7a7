//! Our client at the provider: its id and secret, and how it authenticates (RFC 6749 §2.3.1).

use data_encoding::BASE64;
use http::HeaderValue;
use serde_json::Value;
use url::Url;

use crate::config::credentials::{CredentialsEncoding, Pkce};
use crate::expression::{RenderError, Template};
use crate::json::Path;
use crate::secret::Secret;

use super::{GrantClient, OAuthError, RegisteredClient, ServerEndpoint};

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

    /// A client that was registered where the account's values led belongs there: no other host gets its secret, or a code
    /// of it. A callback or a token's answer can bring other values.
    pub(super) fn check_registered(&self, url: &Url) -> Result<(), OAuthError> {
        let origin = self.registered().and_then(|own| own.origin.as_deref());
        let is_there = |own: &str| own == url.origin().ascii_serialization();
        if origin.is_none_or(is_there) {
            Ok(())
        } else {
            Err(OAuthError::RegisteredElsewhere)
        }
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

/// Where the file registers the client (RFC 7591 §3); `None` where it does not say. If the account's values choose a host,
/// the endpoints are at this one. An endpoint that lacks a value is checked when it is used.
pub fn registration_endpoint(client: &GrantClient) -> Result<Option<Url>, OAuthError> {
    let Some(template) = &client.config.auth.registration_url else {
        return Ok(None);
    };
    let url = template.render(client.scope, client.pins)?;
    let is_elsewhere = |which: &ServerEndpoint| {
        let endpoint = client.find(*which).ok().flatten();
        endpoint.is_some_and(|own| own.origin() != url.origin())
    };
    if !client.config.fixes_hosts() && ServerEndpoint::ALL.iter().any(is_elsewhere) {
        return Err(OAuthError::RegisteredElsewhere);
    }
    Ok(Some(url))
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
    use serde_json::json;

    use super::*;
    use crate::oauth::TokenServer;
    use crate::oauth::tests::with_client;

    #[test]
    fn a_client_is_registered_where_its_endpoints_are_if_the_account_chooses_a_host() {
        let table = [
            ("https://reg.y.com/r", "https://login.x.com", true),
            (
                "https://{{environment_variables.var}}.y.com/r",
                "https://login.x.com",
                true,
            ),
            ("https://login.x.com/{{zone}}", "https://x.y.com", true),
            ("https://{{zone}}.x.com/r", "https://{{zone}}.x.com", true),
            ("https://eu.x.com/r", "https://{{zone}}.x.com", true),
            ("https://eu.x.com/r", "https://{{later}}.x.com", true),
            ("https://reg.x.com/r", "https://{{zone}}.x.com", false),
            ("https://{{zone}}.x.com/r", "https://login.x.com", false),
            (
                "https://{{zone}}.x.com:8443/r",
                "https://{{zone}}.x.com",
                false,
            ),
        ];
        for (registration, token, is_allowed) in table {
            let auth = json!({ "registrationUrl": registration, "tokenHost": token });
            let (config, context) = (json!({ "auth": auth }), json!({ "zone": "eu" }));
            with_client(&config, &context, |client| {
                let found = registration_endpoint(client);
                if is_allowed {
                    assert!(matches!(found, Ok(Some(_))), "{registration} {token}");
                } else {
                    let refused = Err(OAuthError::RegisteredElsewhere);
                    assert_eq!(found, refused, "{registration} {token}");
                }
            });
        }
        with_client(&json!({}), &json!({}), |client| {
            assert_eq!(registration_endpoint(client), Ok(None));
        });
    }

    #[test]
    fn a_client_of_a_chosen_host_is_used_there_alone() {
        let client = RegisteredClient {
            client_id: "r-1".to_owned(),
            client_secret: Some("s".to_owned()),
            expires_at: None,
            method: None,
            registration: None,
            origin: Some("https://eu.x.com".to_owned()),
        };
        let server = TokenServer {
            endpoints: None,
            client: Some(client),
        };
        let host = "https://{{zone}}.x.com";
        let auth = json!({ "registrationUrl": format!("{host}/r"), "tokenHost": host });
        for (zone, expected) in [("eu", Ok(())), ("us", Err(OAuthError::RegisteredElsewhere))] {
            let (config, context) = (json!({ "auth": auth }), json!({ "zone": zone }));
            with_client(&config, &context, |client| {
                let client = GrantClient {
                    server: Some(&server),
                    ..*client
                };
                for which in ServerEndpoint::ALL {
                    let found = client.find(which).map(drop);
                    assert_eq!(found, expected, "{which:?} {zone}");
                }
            });
        }
    }

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
