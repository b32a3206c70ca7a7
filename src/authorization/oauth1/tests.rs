use http::{HeaderMap, Method};
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::config::read;

/// The signature of a file whose accounts sign in by `credential`.
fn signature(authorization: &Value, credential: &Value) -> Oauth1Signature {
    let file = json!({ "name": "a", "config": {
        "base_url": "https://api.example.com",
        "credentials": { "oauth": { "config": credential } },
        "authorization": { "format": "oauth1", "config": authorization },
    } });
    let read = read(&file);
    let config = read
        .integration
        .unwrap_or_else(|| panic!("{:?}", read.findings));
    match config.config.authorizations() {
        [crate::config::Authorization::Oauth1(own)] => *own.clone(),
        other => panic!("{other:?}"),
    }
}

fn signed(
    own: &Oauth1Signature,
    context: &Value,
    content_type: Option<&str>,
    body: SentBody,
) -> Result<String, AuthorizationError> {
    let mut headers = HeaderMap::new();
    if let Some(value) = content_type {
        headers.insert("content-type", value.parse().unwrap());
    }
    let request = UnauthenticatedRequest {
        method: &Method::POST,
        url: &Url::parse("https://api.example.com/a?b=c").unwrap(),
        headers: &headers,
        body,
    };
    let moment = Moment {
        now_ms: 1_700_000_000_900,
        random: [7; 32],
    };
    let signed = sign(own, &TemplateScope::new(context), &request, &moment)?;
    let (name, value) = &signed.headers[0];
    assert_eq!(name, AUTHORIZATION);
    assert!(value.is_sensitive());
    Ok(value.to_str().unwrap().to_owned())
}

fn sign_in() -> Value {
    json!({
        "consumer": { "id": "{{client_id}}", "secret": "{{client_secret}}" },
        "requestTokenUrl": "https://api.example.com/request", "authorizeUrl": "https://api.example.com/authorize",
        "tokenUrl": "https://api.example.com/token",
        "signatureMethod": "PLAINTEXT", "realm": "{{realm}}",
        "fields": [{ "name": "client_id" }, { "name": "client_secret", "type": "password" }, { "name": "realm" }],
    })
}

#[test]
fn what_is_absent_is_the_credentials() {
    let own = signature(&json!({}), &sign_in());
    let context = json!({ "client_id": "c", "client_secret": "s&", "oauth": { "token": { "access_token": "t", "token_secret": "ts" } } });
    let header = signed(&own, &context, None, SentBody::None).unwrap();
    assert_eq!(
        header,
        "OAuth oauth_consumer_key=\"c\", oauth_signature_method=\"PLAINTEXT\", oauth_timestamp=\"1700000000\", oauth_nonce=\"07070707070707070707070707070707\", oauth_token=\"t\", oauth_version=\"1.0\", oauth_signature=\"s%2526%26ts\""
    );
    let without = json!({ "client_id": "c", "client_secret": "s" });
    let missing = signed(&own, &without, None, SentBody::None);
    assert!(matches!(missing, Err(AuthorizationError::Render(_))));
}

#[test]
fn a_token_that_was_typed_in_is_named_and_a_client_may_sign_alone() {
    let typed = json!({ "token": "{{token_id}}", "token_secret": "{{secret}}", "signature_method": "PLAINTEXT", "realm": "R" });
    let credential = json!({ "consumer": { "id": "c", "secret": "{{client_secret}}" } });
    let context = json!({ "client_secret": "s", "token_id": "t", "secret": "ts" });
    let header = signed(
        &signature(&typed, &credential),
        &context,
        None,
        SentBody::None,
    )
    .unwrap();
    assert!(
        header.starts_with("OAuth realm=\"R\", oauth_consumer_key=\"c\""),
        "{header}"
    );
    assert!(
        header.contains("oauth_token=\"t\"") && header.ends_with("\"s%26ts\""),
        "{header}"
    );
    let alone = json!({ "signature_method": "PLAINTEXT" });
    let header = signed(
        &signature(&alone, &credential),
        &context,
        None,
        SentBody::None,
    )
    .unwrap();
    assert!(
        !header.contains("oauth_token") && header.ends_with("\"s%26\""),
        "{header}"
    );
}

#[test]
fn the_fields_of_a_form_are_signed_and_no_other_body() {
    let credential = json!({ "consumer": { "id": "c", "secret": "s" } });
    let own = signature(&json!({}), &credential);
    let of = |kind, body| signed(&own, &json!({}), kind, body).unwrap();
    let none = of(None, SentBody::None);
    let form = Some("application/x-www-form-urlencoded; charset=utf-8");
    let as_json = Some("application/json");
    assert_ne!(of(form, SentBody::Held(b"a=b")), none);
    assert_eq!(of(form, SentBody::None), none);
    assert_eq!(of(as_json, SentBody::Held(b"{\"a\":1}")), none);
    assert_eq!(of(as_json, SentBody::Streamed), none);
    let streamed = signed(&own, &json!({}), form, SentBody::Streamed);
    assert_eq!(streamed, Err(AuthorizationError::BodyNotHeld));
}
