//! The authorization server that a token came from, and the client that got it: stored with the token, so that a refresh
//! goes where the customer signed in, even if the server announces another endpoint by then.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::config::credentials::{ClientAuthMethod, OAuth2};
use crate::json::typed;
use crate::time::Timestamp;

/// The key of a stored token that it is under. No placeholder can name it, and no answer of a provider sets it.
const KEY: &str = "$server";

/// What was found for one account. All of it is stored encrypted; the client's secret is in it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct TokenServer {
    /// The endpoints, where a server announced them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<ServerEndpoints>,
    /// The client, where it is not the file's or the account's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<RegisteredClient>,
}

/// The endpoints of an authorization server, as it announced them (RFC 8414 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerEndpoints {
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<Url>,
    /// What tokens are asked for (RFC 8707 §2).
    pub resource: String,
    /// Whether its callbacks have `iss` (RFC 9207 §3).
    pub sends_iss: bool,
    /// What the resource asks for, where neither the caller nor the file does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// Our client at an authorization server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredClient {
    pub client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// When the secret expires, in milliseconds since 1970. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// How it authenticates; without one as the file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<ClientAuthMethod>,
    /// The key of its registration in the environment's directory; none of a metadata document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<String>,
    /// The only origin that it is used at, where the account's values chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

impl fmt::Debug for RegisteredClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredClient")
            .field("has_secret", &self.client_secret.is_some())
            .field("expires_at", &self.expires_at)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl RegisteredClient {
    /// Whether its secret can no longer be used.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now.as_millis())
    }
}

impl TokenServer {
    /// What a stored token was got with. `None`: the file alone says it.
    pub fn of_token(config: &OAuth2, token: Option<&Value>) -> Option<Self> {
        let stored = token.filter(|_| config.binds_server())?.get(KEY)?;
        typed::read(stored).ok()
    }

    /// Stores it with a token.
    pub fn put(&self, token: &mut Value) {
        if let (Value::Object(fields), Ok(own)) = (token, serde_json::to_value(self)) {
            fields.insert(KEY.to_owned(), own);
        }
    }
}

/// Removes what a provider or a caller wrote there.
pub(super) fn remove(token: &mut Map<String, Value>) {
    token.shift_remove(KEY);
}

/// A change of a context without it: a caller does not say where a token is refreshed.
pub fn without_server(patch: &Value) -> Cow<'_, Value> {
    let has_one = patch
        .pointer("/oauth/token")
        .is_some_and(|token| token.get(KEY).is_some());
    if !has_one {
        return Cow::Borrowed(patch);
    }
    let mut patch = patch.clone();
    let token = patch.pointer_mut("/oauth/token");
    if let Some(token) = token.and_then(Value::as_object_mut) {
        remove(token);
    }
    Cow::Owned(patch)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_file_that_binds_reads_what_is_stored() {
        let mut token = json!({ "access_token": "t" });
        let client = RegisteredClient {
            client_id: "id".to_owned(),
            client_secret: Some("s".to_owned()),
            expires_at: Some(5),
            method: Some(ClientAuthMethod::ClientSecretPost),
            registration: None,
            origin: None,
        };
        let server = TokenServer {
            endpoints: None,
            client: Some(client.clone()),
        };
        server.put(&mut token);
        let config = |config: Value| serde_json::from_value::<OAuth2>(config).unwrap();
        let fixed = config(json!({ "auth": { "tokenUrl": "https://a.x.com/t" } }));
        assert!(TokenServer::of_token(&fixed, Some(&token)).is_none());
        let registered = config(json!({ "auth": { "registrationUrl": "https://a.x.com/r" } }));
        let read = TokenServer::of_token(&registered, Some(&token)).unwrap();
        assert!(read.client.is_some_and(|own| own == client));
        let patch = json!({ "oauth": { "token": token } });
        let patch = without_server(&patch);
        assert_eq!(
            *patch,
            json!({ "oauth": { "token": { "access_token": "t" } } })
        );
        assert!(client.is_expired(Timestamp::from_millis(5)));
        assert!(!client.is_expired(Timestamp::from_millis(4)));
    }
}
