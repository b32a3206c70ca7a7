//! Metadata of an authorization server (RFC 8414, `OpenID` Connect Discovery).

use serde_json::Value;
use url::Url;

use crate::config::credentials::ClientAuthMethod;
use crate::expression::PlainHttp;
use crate::oauth::token_server::ServerEndpoints;

use super::{DiscoveredServer, DiscoveryError, address, has, inserted, object, texts};

/// Where the metadata of an issuer can be, in the order of the MCP specification ("Authorization Server Metadata
/// Discovery"). `None`: it is no issuer (RFC 8414 §2).
pub fn server_metadata_urls(issuer: &str, plain_http: PlainHttp) -> Option<Vec<Url>> {
    const OPENID: &str = "openid-configuration";
    let url = address(issuer, plain_http).filter(|url| url.query().is_none())?;
    let mut urls = vec![
        inserted(&url, "oauth-authorization-server"),
        inserted(&url, OPENID),
    ];
    let path = url.path().trim_end_matches('/');
    if !path.is_empty() {
        let mut appended = url.clone();
        appended.set_path(&format!("{path}/.well-known/{OPENID}"));
        urls.push(appended);
    }
    Some(urls)
}

/// Reads the metadata of the issuer that was asked for `resource`. `may_lack_iss`: the operator's file vouches for it.
pub fn read_server(
    body: &[u8],
    (issuer, resource): (&str, &str),
    may_lack_iss: bool,
    plain_http: PlainHttp,
) -> Result<DiscoveredServer, DiscoveryError> {
    let document = object(body, "oauth-authorization-server")?;
    let own = document.get("issuer").and_then(Value::as_str);
    let own = own.filter(|own| is_same_issuer(own, issuer));
    let own = own.ok_or(DiscoveryError::Issuer)?;
    let endpoint = |key: &'static str| match document.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let read = value.as_str().and_then(|text| address(text, plain_http));
            read.map(Some).ok_or(DiscoveryError::Endpoint(key))
        }
    };
    let needed = |key| endpoint(key)?.ok_or(DiscoveryError::Endpoint(key));
    let authorization_endpoint = needed("authorization_endpoint")?;
    let token_endpoint = needed("token_endpoint")?;
    if has(&document, "code_challenge_methods_supported", "S256") != Some(true) {
        return Err(DiscoveryError::NoPkce);
    }
    let has_code = has(&document, "response_types_supported", "code") != Some(false)
        && has(&document, "grant_types_supported", "authorization_code") != Some(false);
    if !has_code {
        return Err(DiscoveryError::NoCode);
    }
    let is_true = |key: &str| document.get(key) == Some(&Value::Bool(true));
    let sends_iss = is_true("authorization_response_iss_parameter_supported");
    let at_issuer =
        address(own, plain_http).is_some_and(|url| url.origin() == authorization_endpoint.origin());
    if !at_issuer && !sends_iss && !may_lack_iss {
        return Err(DiscoveryError::NoIss);
    }
    Ok(DiscoveredServer {
        endpoints: ServerEndpoints {
            issuer: own.to_owned(),
            authorization_endpoint,
            token_endpoint,
            revocation_endpoint: endpoint("revocation_endpoint")?,
            resource: resource.to_owned(),
            sends_iss,
            scopes: Vec::new(),
        },
        registration_endpoint: endpoint("registration_endpoint")?,
        auth_methods: auth_methods(&document),
        takes_documents: is_true("client_id_metadata_document_supported"),
    })
}

/// Character by character (RFC 8414 §3.3). The slash of an empty path does not count: it is the same URL
/// (RFC 3986 §6.2.3).
fn is_same_issuer(own: &str, asked: &str) -> bool {
    let plain = |text: &str| {
        let is_bare = text.matches('/').count() == 3;
        let bare = text.strip_suffix('/').filter(|_| is_bare);
        bare.unwrap_or(text).to_owned()
    };
    !own.is_empty() && plain(own) == plain(asked)
}

/// `client_secret_basic` where the server does not say (RFC 8414 §2).
fn auth_methods(document: &Value) -> Vec<ClientAuthMethod> {
    match texts(document, "token_endpoint_auth_methods_supported") {
        None => vec![ClientAuthMethod::ClientSecretBasic],
        Some(names) => names
            .into_iter()
            .filter_map(ClientAuthMethod::read)
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example of RFC 8414 §3.2.
    fn example() -> Value {
        json!({
            "issuer": "https://server.example.com",
            "authorization_endpoint": "https://server.example.com/authorize",
            "token_endpoint": "https://server.example.com/token",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
            "userinfo_endpoint": "https://server.example.com/userinfo",
            "jwks_uri": "https://server.example.com/jwks.json",
            "registration_endpoint": "https://server.example.com/register",
            "scopes_supported": ["openid", "profile", "email", "address", "phone", "offline_access"],
            "response_types_supported": ["code", "code token"],
            "service_documentation": "http://server.example.com/service_documentation.html",
            "ui_locales_supported": ["en-US", "en-GB", "en-CA", "fr-FR", "fr-CA"]
        })
    }

    fn with(changes: &Value) -> Value {
        let mut document = example();
        crate::json::merge(
            &mut document,
            &json!({ "code_challenge_methods_supported": ["plain", "S256"] }),
        );
        crate::json::merge(&mut document, changes);
        document
    }

    fn read(document: &Value) -> Result<DiscoveredServer, DiscoveryError> {
        let asked = ("https://server.example.com", "https://r.example.com/mcp");
        read_server(
            document.to_string().as_bytes(),
            asked,
            false,
            PlainHttp::Refused,
        )
    }

    #[test]
    fn the_example_of_rfc_8414_is_read_and_lacks_pkce() {
        assert_eq!(read(&example()), Err(DiscoveryError::NoPkce));
        let server = read(&with(&json!({}))).unwrap();
        assert_eq!(
            server.endpoints.token_endpoint.as_str(),
            "https://server.example.com/token"
        );
        assert_eq!(server.endpoints.resource, "https://r.example.com/mcp");
        assert_eq!(server.registration_endpoint.unwrap().path(), "/register");
        assert_eq!(server.auth_methods, [ClientAuthMethod::ClientSecretBasic]);
        assert!(!server.takes_documents && !server.endpoints.sends_iss);
    }

    #[test]
    fn what_is_missing_or_wrong_refuses_it() {
        let https = "https://server.example.com";
        for (changes, error) in [
            (
                json!({ "issuer": "https://evil.example.com" }),
                DiscoveryError::Issuer,
            ),
            (
                json!({ "issuer": "https://server.example.com/a" }),
                DiscoveryError::Issuer,
            ),
            (
                json!({ "issuer": "https://SERVER.example.com" }),
                DiscoveryError::Issuer,
            ),
            (json!({ "issuer": null }), DiscoveryError::Issuer),
            (
                json!({ "token_endpoint": "http://server.example.com/token" }),
                DiscoveryError::Endpoint("token_endpoint"),
            ),
            (
                json!({ "token_endpoint": null }),
                DiscoveryError::Endpoint("token_endpoint"),
            ),
            (
                json!({ "token_endpoint": "https://u:p@server.example.com/token" }),
                DiscoveryError::Endpoint("token_endpoint"),
            ),
            (
                json!({ "authorization_endpoint": "javascript:alert(1)" }),
                DiscoveryError::Endpoint("authorization_endpoint"),
            ),
            (
                json!({ "authorization_endpoint": "https://server.example.com/a#b" }),
                DiscoveryError::Endpoint("authorization_endpoint"),
            ),
            (
                json!({ "registration_endpoint": 7 }),
                DiscoveryError::Endpoint("registration_endpoint"),
            ),
            (
                json!({ "revocation_endpoint": "ftp://x" }),
                DiscoveryError::Endpoint("revocation_endpoint"),
            ),
            (
                json!({ "code_challenge_methods_supported": ["plain"] }),
                DiscoveryError::NoPkce,
            ),
            (
                json!({ "code_challenge_methods_supported": "S256" }),
                DiscoveryError::NoPkce,
            ),
            (
                json!({ "response_types_supported": ["token"] }),
                DiscoveryError::NoCode,
            ),
            (
                json!({ "grant_types_supported": ["implicit"] }),
                DiscoveryError::NoCode,
            ),
            (
                json!({ "authorization_endpoint": "https://honest.example.org/authorize" }),
                DiscoveryError::NoIss,
            ),
        ] {
            assert_eq!(read(&with(&changes)), Err(error), "{changes}");
        }
        assert!(read(&with(&json!({ "issuer": format!("{https}/") }))).is_ok());
        let elsewhere = json!({
            "authorization_endpoint": "https://login.example.org/authorize", "authorization_response_iss_parameter_supported": true
        });
        assert!(read(&with(&elsewhere)).unwrap().endpoints.sends_iss);
        let vouched =
            with(&json!({ "authorization_endpoint": "https://login.example.org/authorize" }));
        let asked = (https, "https://r.example.com");
        assert!(
            read_server(
                vouched.to_string().as_bytes(),
                asked,
                true,
                PlainHttp::Refused
            )
            .is_ok()
        );
    }

    #[test]
    fn it_is_looked_for_where_the_mcp_specification_says() {
        let of = |issuer: &str| -> Vec<String> {
            let urls = server_metadata_urls(issuer, PlainHttp::Refused).unwrap_or_default();
            urls.into_iter().map(String::from).collect()
        };
        assert_eq!(
            of("https://auth.example.com/tenant1"),
            [
                "https://auth.example.com/.well-known/oauth-authorization-server/tenant1",
                "https://auth.example.com/.well-known/openid-configuration/tenant1",
                "https://auth.example.com/tenant1/.well-known/openid-configuration",
            ]
        );
        assert_eq!(
            of("https://auth.example.com"),
            [
                "https://auth.example.com/.well-known/oauth-authorization-server",
                "https://auth.example.com/.well-known/openid-configuration",
            ]
        );
        for bad in [
            "http://auth.example.com",
            "https://a.com?x",
            "https://a.com#x",
            "https://u@a.com",
            "a",
            "",
        ] {
            assert!(of(bad).is_empty(), "{bad}");
        }
    }

    #[test]
    fn only_known_ways_to_authenticate_count() {
        let methods = |value: Value| {
            read(&with(
                &json!({ "token_endpoint_auth_methods_supported": value }),
            ))
            .unwrap()
            .auth_methods
        };
        assert_eq!(
            methods(json!(["private_key_jwt", "none", "client_secret_post"])),
            [ClientAuthMethod::None, ClientAuthMethod::ClientSecretPost]
        );
        assert_eq!(methods(json!(null)), [ClientAuthMethod::ClientSecretBasic]);
        assert!(methods(json!(["private_key_jwt"])).is_empty());
    }
}
