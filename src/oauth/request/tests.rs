//! Token requests, byte for byte.

use serde_json::{Value, json};

use super::*;
use crate::expression::RenderError;
use crate::oauth::tests::{verifier, with_client};

/// What `act` builds, and its body as text.
fn built(
    config: &Value,
    context: &Value,
    act: impl Fn(&GrantClient) -> Result<TokenRequest, OAuthError>,
) -> Result<(TokenRequest, String), OAuthError> {
    let mut request = None;
    with_client(config, context, |client| request = Some(act(client)));
    let request = request.unwrap()?;
    let body = String::from_utf8(request.body.clone()).unwrap();
    Ok((request, body))
}

fn header<'r>(request: &'r TokenRequest, name: &str) -> Option<&'r str> {
    request
        .headers
        .get(name)
        .map(|value| value.to_str().unwrap())
}

#[test]
fn a_code_is_exchanged_with_its_verifier() {
    let verifier = verifier();
    let text = verifier.text();
    let act = |client: &GrantClient| {
        exchange(client, "c/1 &", "https://g.example/cb?a=b", Some(&verifier))
    };
    let (request, body) = built(&json!({}), &json!({}), act).unwrap();
    assert_eq!(request.url.as_str(), "https://login.x.com/token");
    assert_eq!(header(&request, "accept"), Some("application/json"));
    assert_eq!(
        header(&request, "content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(
        header(&request, "authorization"),
        Some("Basic aWQ6czNjcmV0")
    );
    assert!(request.headers["authorization"].is_sensitive());
    assert_eq!(
        body,
        format!(
            "grant_type=authorization_code&code=c%2F1+%26&redirect_uri=https%3A%2F%2Fg.example%2Fcb%3Fa%3Db&code_verifier={text}"
        )
    );
    let shown = format!("{request:?}");
    for secret in [text, "c/1", "c%2F1", "s3cret", "aWQ6"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let without = |client: &GrantClient| exchange(client, "c", "r", None);
    assert_eq!(
        built(&json!({}), &json!({}), without).unwrap_err(),
        OAuthError::NoVerifier
    );
    let off = json!({ "pkce": false });
    assert!(
        !built(&off, &json!({}), act)
            .unwrap()
            .1
            .contains("code_verifier")
    );
}

#[test]
fn the_client_signs_in_as_the_file_says() {
    let act = |client: &GrantClient| refresh(client, "r");
    let table = [
        (
            json!({ "options": { "authorizationMethod": "body" } }),
            "grant_type=refresh_token&refresh_token=r&client_id=id&client_secret=s3cret",
        ),
        (
            json!({ "options": { "authorizationMethod": "body" }, "client": { "id": "{{environment_variables.var}}", "secret": "a&b=c", "idParamName": "app id", "secretParamName": "key" } }),
            "grant_type=refresh_token&refresh_token=r&app+id=v&key=a%26b%3Dc",
        ),
        (
            json!({ "options": { "authorizationMethod": "body", "bodyFormat": "json" }, "refreshParams": { "n": "{{n:int}}", "t": "\"," } }),
            r#"{"grant_type":"refresh_token","refresh_token":"r","client_id":"id","client_secret":"s3cret","n":7,"t":"\","}"#,
        ),
    ];
    for (config, expected) in table {
        let (request, body) = built(&config, &json!({ "n": "7" }), act).unwrap();
        assert_eq!(body, expected);
        assert_eq!(header(&request, "authorization"), None);
    }
}

#[test]
fn a_public_client_names_itself_in_the_body() {
    let act = |client: &GrantClient| refresh(client, "r");
    for context in [
        json!({ "client_secret": null }),
        json!({ "client_secret": "" }),
    ] {
        for method in ["header", "body"] {
            let config = json!({ "options": { "authorizationMethod": method }, "client": { "secret": "{{client_secret}}" } });
            let (request, body) = built(&config, &context, act).unwrap();
            assert_eq!(
                body,
                "grant_type=refresh_token&refresh_token=r&client_id=id"
            );
            assert_eq!(header(&request, "authorization"), None);
        }
        // Without PKCE, or where the secret is all there is, a lacking secret is a mistake.
        let missing = |result: Result<_, OAuthError>| {
            matches!(result, Err(OAuthError::Render(RenderError::Missing { .. })))
        };
        assert!(missing(built(&json!({ "pkce": false }), &context, act)));
        assert!(missing(built(&json!({}), &context, |client| {
            client_credentials(client, None)
        })));
        assert!(missing(built(&json!({}), &context, keka)));
    }
}

#[test]
fn the_files_parameters_override_nothing_of_ours() {
    let evil = json!({
        "grant_type": "password", "code": "evil", "redirect_uri": "evil", "code_verifier": "evil",
        "refresh_token": "evil", "client_secret": "evil", "key": "evil", "client_id": "evil",
        "audience": "https://{{sub}}.x.com"
    });
    let config = json!({
        "pkce": false, "options": { "authorizationMethod": "body" }, "client": { "secretParamName": "key" },
        "tokenParams": evil, "refreshParams": evil
    });
    let context = json!({ "sub": "a&grant_type=evil", "api_key": "k" });
    let bodies = [
        built(&config, &context, |client| exchange(client, "c", "r", None)),
        built(&config, &context, |client| refresh(client, "r")),
        built(&config, &context, |client| client_credentials(client, None)),
        built(&config, &context, keka),
    ];
    let ours = [
        "grant_type=authorization_code&code=c&redirect_uri=r",
        "grant_type=refresh_token&refresh_token=r",
        "grant_type=client_credentials",
        "grant_type=kekaapi&scope=kekaapi&api_key=k",
    ];
    for (built, ours) in bodies.into_iter().zip(ours) {
        let rest = "&client_id=id&key=s3cret&audience=https%3A%2F%2Fa%26grant_type%3Devil.x.com";
        let is_refresh = ours.starts_with("grant_type=refresh_token");
        let own = if is_refresh { "&redirect_uri=evil" } else { "" };
        assert_eq!(built.unwrap().1, format!("{ours}{rest}{own}"));
    }
    let in_header = json!({ "pkce": false, "tokenParams": evil });
    let (_, body) = built(&in_header, &context, |client| {
        client_credentials(client, None)
    })
    .unwrap();
    assert!(
        !body.contains("secret") && body.contains("&client_id=evil"),
        "{body}"
    );
}

#[test]
fn client_credentials_ask_for_the_files_scopes_or_the_callers() {
    let config = json!({ "scope": ["a", "b"], "tokenParams": { "scope": "evil" } });
    let own = |client: &GrantClient| client_credentials(client, None);
    assert_eq!(
        built(&config, &json!({}), own).unwrap().1,
        "grant_type=client_credentials&scope=a+b"
    );
    let wished = |client: &GrantClient| client_credentials(client, Some(&["x".to_owned()]));
    assert_eq!(
        built(&config, &json!({}), wished).unwrap().1,
        "grant_type=client_credentials&scope=x"
    );
    let error = built(&json!({}), &json!({}), keka).unwrap_err();
    assert!(error.to_string().contains("api_key"), "{error}");
}

#[test]
fn a_token_is_revoked_and_looked_into_where_the_file_says() {
    let revoked = |client: &GrantClient| Ok(revoke(client, "t t")?.unwrap());
    let (request, body) = built(&json!({}), &json!({}), revoked).unwrap();
    assert_eq!(
        (request.url.path(), body.as_str()),
        ("/revoke", "token=t+t")
    );
    let asked = |client: &GrantClient| Ok(introspect(client, "t")?.unwrap());
    let json = json!({ "options": { "bodyFormat": "json" }, "tokenParams": { "a": "b" } });
    let (request, body) = built(&json, &json!({}), asked).unwrap();
    assert_eq!(
        (request.url.path(), body.as_str()),
        ("/introspect", r#"{"token":"t"}"#)
    );
    assert_eq!(header(&request, "content-type"), Some("application/json"));
}

#[test]
fn no_value_gets_out_of_its_place() {
    let nasty = "x\r\nHost: evil.com\r\n\r\n&a=b\u{0}é";
    let context = json!({ "client_id": nasty, "client_secret": nasty, "v": nasty });
    let config = json!({ "refreshParams": { "v": "{{v}}", "a\r\nb&c": "d" } });
    let (request, body) = built(&config, &context, |client| refresh(client, nasty)).unwrap();
    assert!(
        !body.contains(['\r', '\n', '\0']) && body.matches('&').count() == 3,
        "{body}"
    );
    assert!(
        header(&request, "authorization")
            .unwrap()
            .starts_with("Basic ")
    );
    assert_eq!(request.headers.len(), 4);
}

#[test]
fn a_refresh_has_an_endpoint_of_its_own_and_urls_keep_their_query() {
    let config =
        json!({ "auth": { "refreshPath": "/again", "tokenUrl": "https://t.x.com/token?v=2" } });
    let (request, _) = built(&config, &json!({}), |client| refresh(client, "r")).unwrap();
    assert_eq!(request.url.as_str(), "https://login.x.com/again");
    let own = |client: &GrantClient| client_credentials(client, None);
    let (request, _) = built(&config, &json!({}), own).unwrap();
    assert_eq!(request.url.as_str(), "https://t.x.com/token?v=2");
}
