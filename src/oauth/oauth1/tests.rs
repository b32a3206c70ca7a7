use serde_json::json;

use super::*;
use crate::expression::PlainHttp;

fn moment() -> JwtMoment {
    JwtMoment {
        now: Timestamp::from_millis(1_700_000_000_000),
        id: [1; 16],
        random: [2; 32],
    }
}

fn with_client<T>(more: &Value, work: impl FnOnce(&SignInClient) -> T) -> T {
    let mut config = json!({
        "consumer": { "id": "{{client_id}}", "secret": "{{client_secret}}" },
        "requestTokenUrl": "https://api.example.com/request",
        "authorizeUrl": "https://api.example.com/authorize?scope=read&oauth_token=x",
        "tokenUrl": "https://api.example.com/token", "signatureMethod": "PLAINTEXT",
    });
    json::merge(&mut config, more);
    let config: OAuth1 = serde_json::from_value(config).unwrap();
    let context = json!({ "client_id": "c", "client_secret": "s" });
    let dotted = std::collections::BTreeSet::new();
    work(&SignInClient {
        config: &config,
        scope: &TemplateScope::new(&context),
        pins: &Pins {
            allowed_hosts: None,
            dotted_keys: &dotted,
            plain_http: PlainHttp::Refused,
        },
        moment: moment(),
    })
}

fn asked() -> RequestToken {
    RequestToken {
        token: "to/ken".to_owned(),
        secret: "ts".to_owned(),
    }
}

fn read_asked(body: &str) -> Result<String, TokenFailure> {
    let (headers, now) = (HeaderMap::new(), moment().now);
    let read = read_request_token(StatusCode::OK, &headers, body.as_bytes(), now);
    read.map(|read| format!("{} {}", read.token, read.secret))
}

#[test]
fn the_three_requests_are_built_in_turn() {
    with_client(&json!({ "realm": "r" }), |client| {
        let first = client.ask("https://g.example/cb?state=s").unwrap();
        assert_eq!(first.url.as_str(), "https://api.example.com/request");
        let header = first.headers[AUTHORIZATION].to_str().unwrap();
        assert!(header.starts_with("OAuth realm=\"r\", "), "{header}");
        assert!(
            header.contains("oauth_callback=\"https%3A%2F%2Fg.example%2Fcb%3Fstate%3Ds\""),
            "{header}"
        );
        assert!(!header.contains("oauth_token="));
        assert_eq!(
            client.authorize(&asked()).unwrap().as_str(),
            "https://api.example.com/authorize?scope=read&oauth_token=to%2Fken"
        );
        let last = client.exchange(&asked(), "v").unwrap();
        let header = last.headers[AUTHORIZATION].to_str().unwrap();
        assert!(header.contains("oauth_token=\"to%2Fken\""), "{header}");
        assert!(header.contains("oauth_verifier=\"v\""), "{header}");
        assert!(header.ends_with("oauth_signature=\"s%26ts\""), "{header}");
        assert!(last.headers[AUTHORIZATION].is_sensitive());
    });
    let without = json!({ "tokenUrl": null });
    let none = with_client(&without, |client| client.exchange(&asked(), "v").err());
    assert_eq!(none, Some(OAuthError::NoEndpoint("token")));
}

#[test]
fn temporary_credentials_confirm_the_callback() {
    let good = "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true";
    assert_eq!(read_asked(good), Ok("t s".to_owned()));
    let json = r#"{"oauth_token":"t","oauth_token_secret":"s","oauth_callback_confirmed":true}"#;
    assert_eq!(read_asked(json), Ok("t s".to_owned()));
    for bad in [
        "oauth_token=t&oauth_token_secret=s",
        "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=false",
        "oauth_token=t&oauth_callback_confirmed=true",
        "oauth_token_secret=s&oauth_callback_confirmed=true",
        "",
        "<html>",
    ] {
        assert!(
            matches!(read_asked(bad), Err(TokenFailure::Unreadable(_))),
            "{bad}"
        );
    }
}

#[test]
fn a_token_is_stored_with_its_secret_and_what_else_is_said() {
    let (headers, now) = (HeaderMap::new(), moment().now);
    let body = b"oauth_token=t&oauth_token_secret=s&user_id=7&oauth_expires_in=3600";
    let read = read_signed_token(StatusCode::OK, &headers, body, now).unwrap();
    assert_eq!(
        read.token,
        json!({
            "user_id": "7", "oauth_expires_in": "3600", "access_token": "t", "token_secret": "s",
            "expires_in": 3600, "expires_at": "2023-11-14T23:13:20.000Z",
        })
    );
    assert_eq!(read.reply["user_id"], "7");
    let refused = read_signed_token(
        StatusCode::UNAUTHORIZED,
        &headers,
        b"oauth_problem=token_rejected",
        now,
    );
    assert!(refused.unwrap_err().is_refusal());
    let later = read_signed_token(StatusCode::BAD_GATEWAY, &headers, b"", now);
    assert!(!later.unwrap_err().is_refusal());
}

#[test]
fn a_callback_has_a_token_and_a_verifier_once_each() {
    let read = |query: &str| {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        SignInCallback::read(&pairs.collect::<Vec<_>>())
    };
    let verified = SignInCallback::Verified {
        token: "t".to_owned(),
        verifier: "v".to_owned(),
    };
    assert!(read("state=s&oauth_token=t&oauth_verifier=v") == verified);
    for query in [
        "denied=t",
        "oauth_token=t",
        "oauth_token=t&oauth_verifier=",
        "oauth_token=t&oauth_verifier=v&oauth_verifier=w",
        "oauth_token=t&oauth_token=t&oauth_verifier=v",
    ] {
        assert!(read(query) == SignInCallback::Denied, "{query}");
    }
}
