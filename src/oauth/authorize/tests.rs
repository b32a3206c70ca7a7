//! Authorization URLs, whole.

use serde_json::{Value, json};

use super::*;
use crate::oauth::tests::{verifier, with_client};

fn url_of(
    config: &Value,
    context: &Value,
    scopes: Option<&[String]>,
) -> Result<String, OAuthError> {
    let verifier = verifier();
    let login = Authorize {
        state: "st&te=1",
        redirect_uri: "https://gate.example/callback?a=b",
        scopes,
        verifier: Some(&verifier),
    };
    let mut url = None;
    with_client(config, context, |client| {
        url = Some(authorization_url(client, &login));
    });
    url.unwrap().map(|url| url.to_string())
}

fn tail() -> &'static str {
    "redirect_uri=https%3A%2F%2Fgate.example%2Fcallback%3Fa%3Db&state=st%26te%3D1"
}

#[test]
fn the_usual_request() {
    let config = json!({ "scope": ["read", "{{level}}:write", "{{more:undefined}}"] });
    let challenge = verifier().challenge(Pkce::S256).unwrap().value;
    assert_eq!(
        url_of(&config, &json!({ "level": "a&b" }), None).unwrap(),
        format!(
            "https://login.x.com/authorize?response_type=code&client_id=id&scope=read%20a%26b%3Awrite&{}&code_challenge={challenge}&code_challenge_method=S256",
            tail()
        )
    );
}

#[test]
fn pkce_can_be_plain_or_off_and_is_never_left_out_silently() {
    let plain = url_of(&json!({ "pkce": "plain" }), &json!({}), None).unwrap();
    let text = verifier().text().to_owned();
    assert!(
        plain.ends_with(&format!(
            "code_challenge={text}&code_challenge_method=plain"
        )),
        "{plain}"
    );
    let off = url_of(&json!({ "pkce": false }), &json!({}), None).unwrap();
    assert!(!off.contains("code_challenge"), "{off}");
    let login = Authorize {
        state: "s",
        redirect_uri: "r",
        scopes: None,
        verifier: None,
    };
    with_client(&json!({}), &json!({}), |client| {
        assert_eq!(
            authorization_url(client, &login),
            Err(OAuthError::NoVerifier)
        );
    });
    with_client(&json!({ "pkce": false }), &json!({}), |client| {
        assert!(authorization_url(client, &login).is_ok());
    });
}

#[test]
fn scopes_are_joined_and_the_callers_come_first() {
    let config =
        json!({ "pkce": false, "scope": ["a", "b"], "options": { "scopeSeparator": "," } });
    let has = |scopes: Option<&[String]>, part: &str| {
        let url = url_of(&config, &json!({}), scopes).unwrap();
        assert!(url.contains(part), "{url}");
        url
    };
    has(None, "&scope=a%2Cb&");
    has(
        Some(&["x".to_owned(), "y&z".to_owned()]),
        "&scope=x%2Cy%26z&",
    );
    assert!(!has(Some(&[]), "state").contains("scope"));
    let from_params = json!({ "pkce": false, "params": { "scope": "p q" } });
    let url = url_of(&from_params, &json!({}), None).unwrap();
    assert!(url.ends_with("&scope=p%20q"), "{url}");
}

#[test]
fn the_urls_own_query_is_kept_but_for_what_is_ours() {
    let config = json!({
        "pkce": false,
        "auth": { "authorizeUrl": "https://{{sub}}.x.com/go?keep=%2Fa+b&state=evil&st%61te=evil&redirect_uri=evil&code_challenge=evil&client_id=evil&owner={{owner}}&flag" },
        "params": { "owner": "params" }
    });
    let url = url_of(
        &config,
        &json!({ "sub": "acme", "owner": "&state=evil" }),
        None,
    )
    .unwrap();
    assert_eq!(
        url,
        format!(
            "https://acme.x.com/go?keep=%2Fa+b&flag&response_type=code&client_id=id&{}&owner=params",
            tail()
        )
    );
}

#[test]
fn params_add_and_override_nothing_of_ours() {
    let config = json!({
        "client": { "id": "{{var_id}}", "idParamName": "client_key" },
        "scope": ["s"],
        "params": {
            "state": "evil", "redirect_uri": "evil", "code_challenge": "evil", "scope": "evil",
            "code_challenge_method": "plain", "client_key": "evil", "response_type": "token",
            "prompt": "consent", "hint": "{{hint}}", "gone": "{{gone:undefined}}"
        }
    });
    let context = json!({ "var_id": "k", "hint": "a@b.c&state=evil#x\r\n" });
    let url = url_of(&config, &context, None).unwrap();
    let challenge = verifier().challenge(Pkce::S256).unwrap().value;
    assert_eq!(
        url,
        format!(
            "https://login.x.com/authorize?response_type=code&client_key=k&scope=s&{}&code_challenge={challenge}&code_challenge_method=S256&hint=a%40b.c%26state%3Devil%23x%0D%0A&prompt=consent",
            tail()
        )
    );
    // With PKCE off they do not sneak a challenge in either.
    let off = json!({ "pkce": false, "params": { "code_challenge": "evil" } });
    assert!(!url_of(&off, &json!({}), None).unwrap().contains("evil"));
}

#[test]
fn a_response_type_is_sent_as_it_is_unless_nothing_would_come_back() {
    for (own, sent) in [
        ("code id_token", "code%20id_token"),
        ("code,granted_scopes", "code%2Cgranted_scopes"),
        ("token", "code"),
        ("id_token token", "code"),
        ("", "code"),
        ("codex", "codex"),
        ("installation", "installation"),
    ] {
        let config = json!({ "params": { "response_type": own } });
        let url = url_of(&config, &json!({}), None).unwrap();
        assert!(url.contains(&format!("?response_type={sent}&")), "{url}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let cases = [
        (
            json!({ "params": { "a": "{{nothing}}" } }),
            json!({}),
            "nothing",
        ),
        (json!({ "scope": ["{{nothing}}"] }), json!({}), "nothing"),
        (json!({}), json!({ "client_id": null }), "client_id"),
        (json!({}), json!({ "client_id": "" }), "client_id"),
        (
            json!({ "auth": { "authorizePath": null } }),
            json!({}),
            "authorization",
        ),
    ];
    for (config, context, named) in cases {
        let error = url_of(&config, &context, None).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}
