//! Dynamic client registration (RFC 7591) and the client's metadata document
//! (draft-ietf-oauth-client-id-metadata-document).

use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use url::Url;

use crate::config::credentials::{ClientAuthMethod, Registration};
use crate::time::Timestamp;

use super::failure::{TokenFailure, accepted, unreadable};
use super::request::{TokenRequest, agent};
use super::token_server::RegisteredClient;

/// The name of a client that the file does not name.
const NAME: &str = "Causeway";
/// The longest id or secret of a client.
const LONGEST: usize = 4_096;

/// The client metadata that is registered (RFC 7591 §3.1). `methods` are those that the server announces; without any the
/// server's default counts.
pub fn client_metadata(own: &Registration, callback: &str, methods: &[ClientAuthMethod]) -> Value {
    let mut metadata = common(own, callback);
    let method = own
        .token_endpoint_auth_method
        .or_else(|| preferred(methods));
    if let Some(method) = method {
        metadata.insert(
            "token_endpoint_auth_method".to_owned(),
            method.name().into(),
        );
    }
    Value::Object(metadata)
}

/// The client's metadata document, at the URL that is its id (§4 of the draft). Its client has no secret: the document is
/// public.
pub fn client_document(own: &Registration, url: &str, callback: &str) -> Value {
    let mut document = common(own, callback);
    document.insert("client_id".to_owned(), url.into());
    let method = ClientAuthMethod::None.name();
    document.insert("token_endpoint_auth_method".to_owned(), method.into());
    Value::Object(document)
}

/// The client that is named by its document.
pub fn document_client(url: &str) -> RegisteredClient {
    RegisteredClient {
        client_id: url.to_owned(),
        client_secret: None,
        expires_at: None,
        method: Some(ClientAuthMethod::None),
        registration: None,
        origin: None,
    }
}

fn common(own: &Registration, callback: &str) -> Map<String, Value> {
    let written = serde_json::to_value(own).unwrap_or_default();
    let mut metadata = written.as_object().cloned().unwrap_or_default();
    let defaults = [
        ("client_name", json!(NAME)),
        (
            "grant_types",
            json!(["authorization_code", "refresh_token"]),
        ),
        ("response_types", json!(["code"])),
    ];
    for (key, value) in defaults {
        metadata.entry(key).or_insert(value);
    }
    metadata.insert("redirect_uris".to_owned(), json!([callback]));
    metadata
}

/// A client with a secret, where the server takes one: a refresh token alone is of no use then.
fn preferred(methods: &[ClientAuthMethod]) -> Option<ClientAuthMethod> {
    let ours = [
        ClientAuthMethod::ClientSecretBasic,
        ClientAuthMethod::ClientSecretPost,
        ClientAuthMethod::None,
    ];
    ours.into_iter().find(|one| methods.contains(one))
}

/// The request that registers a client.
pub fn registration_request(url: Url, metadata: &Value) -> TokenRequest {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, agent());
    TokenRequest {
        url,
        headers,
        body: metadata.to_string().into_bytes(),
        secrets: Vec::new(),
    }
}

/// Reads the answer to a registration (RFC 7591 §3.2.1). The token and the address to manage the registration
/// (RFC 7592) are not kept: the gateway has no use for them.
pub fn read_registration(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    asked: &Value,
    now: Timestamp,
) -> Result<RegisteredClient, TokenFailure> {
    let answer = accepted(status, headers, (body, "client_id"), now)?;
    let text = |key: &'static str| match answer.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if is_sendable(text) => Ok(Some(text.clone())),
        Some(_) => Err(unreadable(&format!(
            "its {key} is no text that can be sent"
        ))),
    };
    let client_id = text("client_id")?;
    let client_id = client_id.ok_or_else(|| unreadable("it has no client_id"))?;
    let client_secret = text("client_secret")?;
    check_redirect_uris(&answer, asked)?;
    // A server that does not say how it registered the client did as it was asked, or gave no secret.
    let asked = asked
        .get("token_endpoint_auth_method")
        .filter(|_| client_secret.is_some());
    let named = answer.get("token_endpoint_auth_method").or(asked);
    let method = match named.and_then(Value::as_str) {
        None => None,
        Some(name) => {
            let known = ClientAuthMethod::read(name);
            Some(known.ok_or_else(|| {
                unreadable("the client is to authenticate in a way that is not known")
            })?)
        }
    };
    if client_secret.is_none() && method.is_some_and(|own| own != ClientAuthMethod::None) {
        return Err(unreadable(
            "it has no client_secret, which its client needs",
        ));
    }
    let client_secret = client_secret.filter(|_| method != Some(ClientAuthMethod::None));
    // Seconds since 1970; 0 does not expire.
    let expires_at = answer
        .get("client_secret_expires_at")
        .and_then(Value::as_i64);
    let expires_at = expires_at.filter(|at| *at > 0 && client_secret.is_some());
    let method = method.or_else(|| client_secret.is_none().then_some(ClientAuthMethod::None));
    Ok(RegisteredClient {
        client_id,
        client_secret,
        expires_at: expires_at.map(|seconds| seconds.saturating_mul(1_000)),
        method,
        registration: None,
        origin: None,
    })
}

/// A server that registered other ones would not send the customer back.
fn check_redirect_uris(answer: &Map<String, Value>, asked: &Value) -> Result<(), TokenFailure> {
    let own = asked.pointer("/redirect_uris/0");
    let registered = answer.get("redirect_uris").and_then(Value::as_array);
    let is_ours = registered.is_none_or(|uris| own.is_some_and(|own| uris.contains(own)));
    if is_ours {
        Ok(())
    } else {
        Err(unreadable("it registered another redirect URI"))
    }
}

/// Visible ASCII and spaces (RFC 6749, appendix A.1 and A.2).
fn is_sendable(text: &str) -> bool {
    let is_visible = |b: u8| (0x20..=0x7e).contains(&b);
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(is_visible)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLBACK: &str = "https://client.example.org/callback";

    fn read(status: u16, body: &Value) -> Result<RegisteredClient, TokenFailure> {
        let asked = client_metadata(&Registration::default(), CALLBACK, &[]);
        let status = StatusCode::from_u16(status).unwrap();
        let now = Timestamp::from_millis(0);
        read_registration(
            status,
            &HeaderMap::new(),
            body.to_string().as_bytes(),
            &asked,
            now,
        )
    }

    #[test]
    fn the_example_of_rfc_7591_is_read() {
        // §3.2.1
        let answer = json!({
            "client_id": "s6BhdRkqt3",
            "client_secret": "cf136dc3c1fc93f31185e5885805d",
            "client_id_issued_at": 2_893_256_800_i64,
            "client_secret_expires_at": 2_893_276_800_i64,
            "redirect_uris": ["https://client.example.org/callback", "https://client.example.org/callback2"],
            "grant_types": ["authorization_code", "refresh_token"],
            "client_name": "My Example Client",
            "client_name#ja-Jpan-JP": "クライアント名",
            "token_endpoint_auth_method": "client_secret_basic",
            "logo_uri": "https://client.example.org/logo.png",
            "jwks_uri": "https://client.example.org/my_public_keys.jwks",
            "example_extension_parameter": "example_value"
        });
        let client = read(201, &answer).unwrap();
        assert_eq!(client.client_id, "s6BhdRkqt3");
        assert_eq!(
            client.client_secret.as_deref(),
            Some("cf136dc3c1fc93f31185e5885805d")
        );
        assert_eq!(client.expires_at, Some(2_893_276_800_000));
        assert_eq!(client.method, Some(ClientAuthMethod::ClientSecretBasic));
        // §3.2.2
        let error = json!({ "error": "invalid_redirect_uri", "error_description": "The redirection URI http://sketchy.example.com is not allowed by this server." });
        assert!(matches!(
            read(400, &error),
            Err(TokenFailure::Refused { .. })
        ));
    }

    #[test]
    fn an_answer_that_fits_no_client_is_refused() {
        for answer in [
            json!({}),
            json!({ "client_id": 7 }),
            json!({ "client_id": "" }),
            json!({ "client_id": "a\nb" }),
            json!({ "client_id": "a".repeat(4_097) }),
            json!({ "client_id": "a", "redirect_uris": ["https://evil.com/callback"] }),
            json!({ "client_id": "a", "token_endpoint_auth_method": "tls_client_auth" }),
            json!({ "client_id": "a", "token_endpoint_auth_method": "client_secret_post" }),
        ] {
            assert!(read(201, &answer).is_err(), "{answer}");
        }
        assert!(read(201, &json!({ "client_id": "a".repeat(4_096) })).is_ok());
        let public = read(
            200,
            &json!({ "client_id": "a", "client_secret": "s", "token_endpoint_auth_method": "none", "client_secret_expires_at": 5 }),
        );
        let public = public.unwrap();
        assert_eq!((public.client_secret, public.expires_at), (None, None));
        let forever = read(
            201,
            &json!({ "client_id": "a", "client_secret": "s", "client_secret_expires_at": 0 }),
        )
        .unwrap();
        assert_eq!((forever.expires_at, forever.method), (None, None));
    }

    #[test]
    fn what_is_registered_is_the_files_and_the_redirect_uri_ours() {
        let own: Registration =
            serde_json::from_value(json!({ "client_name": "Shop", "scope": "a b" })).unwrap();
        let all = [ClientAuthMethod::None, ClientAuthMethod::ClientSecretPost];
        assert_eq!(
            client_metadata(&own, CALLBACK, &all),
            json!({
                "client_name": "Shop", "scope": "a b", "redirect_uris": [CALLBACK], "response_types": ["code"],
                "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "client_secret_post",
            })
        );
        let document = client_document(&own, "https://gate.example/oauth-client/1", CALLBACK);
        assert_eq!(document["client_id"], "https://gate.example/oauth-client/1");
        assert_eq!(document["token_endpoint_auth_method"], "none");
        assert_eq!(
            client_metadata(&Registration::default(), CALLBACK, &[])["client_name"],
            "Causeway"
        );
    }
}
