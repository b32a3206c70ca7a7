//! Token answers as providers send them.

use serde_json::json;

use super::*;

/// 2023-11-14T22:13:20.000Z
const NOW: i64 = 1_700_000_000_000;

fn read(config: &Value, body: &str, previous: Option<&Value>) -> Result<TokenReply, TokenFailure> {
    let config: OAuth2 = serde_json::from_value(config.clone()).unwrap();
    let now = Timestamp::from_millis(NOW);
    let headers = HeaderMap::new();
    read_token(
        &config,
        StatusCode::OK,
        &headers,
        body.as_bytes(),
        now,
        previous,
    )
}

fn token(config: &Value, body: &str) -> Value {
    read(config, body, None).unwrap().token
}

#[test]
fn answers_as_they_come() {
    let none = json!({});
    let in_an_hour = "2023-11-14T23:13:20.000Z";
    let table = [
        // RFC 6749 §5.1.
        (
            none.clone(),
            r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example","expires_in":3600,"refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","example_parameter":"example_value"}"#,
            json!({"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example","expires_in":3600,"expires_at":in_an_hour,"refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","example_parameter":"example_value"}),
        ),
        // A form with the content type of JSON; no expiry.
        (
            none.clone(),
            "access_token=gho_16C7e42F292c6912E7&scope=repo%2Cgist&token_type=bearer\n",
            json!({"access_token":"gho_16C7e42F292c6912E7","scope":"repo,gist","token_type":"bearer"}),
        ),
        // A form with an expiry.
        (
            none.clone(),
            "access_token=t&expires_in=3600",
            json!({"access_token":"t","expires_in":3600,"expires_at":in_an_hour}),
        ),
        // Numbers as texts, and a moment as well.
        (
            none.clone(),
            r#"{"token_type":"Bearer","expires_in":"3600","ext_expires_in":"3600","expires_on":"1700009999","access_token":"eyJ0.e-_.x"}"#,
            json!({"token_type":"Bearer","ext_expires_in":"3600","expires_on":"1700009999","access_token":"eyJ0.e-_.x","expires_in":3600,"expires_at":in_an_hour}),
        ),
        // Only a moment, in seconds or as a text.
        (
            none.clone(),
            r#"{"access_token":"t","expires_at":1700003600}"#,
            json!({"access_token":"t","expires_in":3600,"expires_at":in_an_hour}),
        ),
        (
            none.clone(),
            r#"{"access_token":"t","expires_at":"2023-11-14T23:13:20Z"}"#,
            json!({"access_token":"t","expires_in":3600,"expires_at":in_an_hour}),
        ),
        // Nothing about it: the file says.
        (
            json!({"tokenExpiryDuration": "3600"}),
            r#"{"access_token":"t","instance_url":"https://a.x.com","id":"https://x/id"}"#,
            json!({"access_token":"t","instance_url":"https://a.x.com","id":"https://x/id","expires_in":3600,"expires_at":in_an_hour}),
        ),
        (
            json!({"tokenExpiryDuration": 99}),
            r#"{"access_token":"t","expires_in":3600.9}"#,
            json!({"access_token":"t","expires_in":3600,"expires_at":in_an_hour}),
        ),
        // Nested.
        (
            json!({"tokenResponsePath": "authed_user"}),
            r#"{"ok":true,"access_token":"bot","expires_in":9,"authed_user":{"id":"U","access_token":"user","scope":"chat:write"},"error":""}"#,
            json!({"id":"U","access_token":"user","scope":"chat:write"}),
        ),
        (
            json!({"tokenResponsePath": "data"}),
            r#"{"success":true,"error":null,"data":{"access_token":"t","expires_in":3600}}"#,
            json!({"access_token":"t","expires_in":3600,"expires_at":in_an_hour}),
        ),
        // Scopes in a list.
        (
            none.clone(),
            r#"{"access_token":"t","scope":["a","b"]}"#,
            json!({"access_token":"t","scope":"a b"}),
        ),
        (
            none.clone(),
            r#"{"access_token":"t","scopes":["a","b"]}"#,
            json!({"access_token":"t","scopes":["a","b"],"scope":"a b"}),
        ),
        // With a byte order mark, and a refresh token that is none.
        (
            none,
            "\u{feff} {\"access_token\":\"t\",\"refresh_token\":null,\"scope\":null}",
            json!({"access_token":"t"}),
        ),
    ];
    for (config, body, expected) in table {
        assert_eq!(token(&config, body), expected, "{body}");
    }
}

#[test]
fn a_nonsensical_lifetime_is_none() {
    for (said, expected) in [
        ("1", Some(1)),
        ("315619200", Some(315_619_200)),
        ("315619201", None),
        ("0", None),
        ("0.5", None),
        ("-1", None),
        ("1e300", None),
        ("\"NaN\"", None),
        ("\"inf\"", None),
        ("\"never\"", None),
        ("null", None),
        ("true", None),
        ("[3600]", None),
        ("\" 60 \"", Some(60)),
    ] {
        let body = format!(r#"{{"access_token":"t","expires_in":{said}}}"#);
        let token = token(&json!({}), &body);
        assert_eq!(
            token.get("expires_in"),
            expected.map(Value::from).as_ref(),
            "{said}"
        );
        assert_eq!(
            token.get("expires_at").is_some(),
            expected.is_some(),
            "{said}"
        );
    }
    let past = r#"{"access_token":"t","expires_at":"2020-01-01T00:00:00Z"}"#;
    assert_eq!(token(&json!({}), past), json!({"access_token":"t"}));
    let absurd = json!({"tokenExpiryDuration": 999_999_999_999_u64});
    assert_eq!(
        token(&absurd, r#"{"access_token":"t"}"#),
        json!({"access_token":"t"})
    );
}

#[test]
fn a_refresh_token_stays_in_force_until_another_comes() {
    let previous =
        json!({ "access_token": "old", "refresh_token": "r1", "scope": "a", "expires_in": 9 });
    for (body, expected) in [
        (r#"{"access_token":"new"}"#, "r1"),
        (r#"{"access_token":"new","refresh_token":""}"#, "r1"),
        (r#"{"access_token":"new","refresh_token":null}"#, "r1"),
        (r#"{"access_token":"new","refresh_token":"r2"}"#, "r2"),
    ] {
        let token = read(&json!({}), body, Some(&previous)).unwrap().token;
        assert_eq!(
            token,
            json!({ "access_token": "new", "refresh_token": expected }),
            "{body}"
        );
    }
}

#[test]
fn a_refresh_may_be_answered_flat_and_a_first_answer_may_not() {
    let config = json!({ "tokenResponsePath": "authed_user" });
    let flat = r#"{"ok":true,"access_token":"t"}"#;
    let previous = json!({ "access_token": "old" });
    let reply = read(&config, flat, Some(&previous)).unwrap();
    assert_eq!(reply.token["access_token"], "t");
    let error = read(&config, flat, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the provider's answer cannot be used: it has no access_token where one is expected, only: ok, access_token"
    );
}

#[test]
fn what_is_no_token_is_not_taken_for_one() {
    for body in [
        r#"{"access_token":""}"#,
        r#"{"access_token":null}"#,
        r#"{"access_token":7}"#,
        r#"{"access_token":["t"]}"#,
        r#"{"accessToken":"t"}"#,
        r#"{"access_token":"a\r\nX: y"}"#,
        r#"{"access_token":"a\u0000"}"#,
        r#"{"access_token":"a\u007f"}"#,
        r#"{"access_token":"ä"}"#,
        r#"{"access_token":"t","refresh_token":"a\nb"}"#,
        r#"{"access_token":"t","refresh_token":7} "#,
        "access_token=a%0d%0aX:+y",
        "access_token=",
        "access_token",
    ] {
        let failure = read(&json!({}), body, None);
        // A refresh token that is no text is dropped, not a failure.
        let is_kept = body.contains("\"refresh_token\":7");
        assert_eq!(failure.is_ok(), is_kept, "{body}");
        if let Err(failure) = failure {
            assert!(matches!(failure, TokenFailure::Unreadable(_)), "{body}");
            assert!(!failure.to_string().contains("X: y"), "{failure}");
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = format!(
        "{{\"access_token\":\"t\",\"a\":{}1{}}}",
        "[".repeat(200),
        "]".repeat(200)
    );
    assert!(read(&json!({}), &deep, None).is_err());
}

#[test]
fn the_whole_answer_is_kept_and_debug_shows_none_of_it() {
    let body = r#"{"data":{"access_token":"hunter2","refresh_token":"hunter3"},"team":{"id":"T"}}"#;
    let reply = read(&json!({ "tokenResponsePath": "data" }), body, None).unwrap();
    assert_eq!(reply.reply["team"]["id"], "T");
    let shown = format!("{reply:?}");
    assert!(
        !shown.contains("hunter") && shown.contains("refresh_token"),
        "{shown}"
    );
}

/// A tenant token as Lark's documentation prints it, and names behind objects.
#[test]
fn names_other_than_those_of_the_rfc_count_where_the_file_says_so() {
    let in_two_hours = "2023-11-15T00:13:20.000Z";
    let config =
        json!({ "tokenNames": { "access_token": "tenant_access_token", "expires_in": "expire" } });
    let body = r#"{"code":0,"msg":"ok","tenant_access_token":"t-caecc734c2e3328a62489fe0648c4b98779515d3","expire":7200,"access_token":"another"}"#;
    let token = token(&config, body);
    assert_eq!(
        token["access_token"],
        "t-caecc734c2e3328a62489fe0648c4b98779515d3"
    );
    assert_eq!(
        (&token["expires_in"], &token["expires_at"]),
        (&json!(7200), &json!(in_two_hours))
    );
    let missing = read(&config, r#"{"access_token":"another","expire":7200}"#, None);
    assert!(matches!(missing, Err(TokenFailure::Unreadable(_))));
    let nested = json!({ "tokenResponsePath": "data", "tokenNames": {
        "access_token": "auth.key", "refresh_token": "auth.again", "expires_at": "until" } });
    let body = r#"{"data":{"auth":{"key":"k","again":"a"},"until":"2023-11-14T23:13:20Z"}}"#;
    let token = self::token(&nested, body);
    assert_eq!(token["access_token"], "k");
    assert_eq!(token["refresh_token"], "a");
    assert_eq!(token["expires_in"], 3600);
    let form = json!({ "tokenNames": { "access_token": "key" } });
    assert_eq!(
        self::token(&form, "key=k&user=u")["access_token"],
        "k",
        "a form is known by the token's own name"
    );
}

#[test]
fn a_duration_has_the_unit_that_the_file_says() {
    for (unit, said, seconds) in [
        ("milliseconds", "3600000", Some(3600)),
        ("milliseconds", "999", None),
        ("seconds", "60", Some(60)),
        ("minutes", "1.5", Some(90)),
        ("hours", "2", Some(7200)),
        ("days", "3653", Some(3653 * 86_400)),
        ("days", "3654", None),
    ] {
        let config = json!({ "expires_in_unit": unit });
        let body = format!(r#"{{"access_token":"t","expires_in":{said}}}"#);
        let token = token(&config, &body);
        let expected = seconds.map(|seconds: u64| json!(seconds));
        assert_eq!(token.get("expires_in"), expected.as_ref(), "{unit} {said}");
    }
    assert!(serde_json::from_value::<OAuth2>(json!({ "expires_in_unit": "weeks" })).is_err());
}

#[test]
fn the_token_lives_on_where_a_refresh_answers_with_none_and_the_file_says_so() {
    let previous = json!({ "access_token": "old", "refresh_token": "r", "expires_in": 10, "expires_at": "2023-11-14T22:13:30.000Z", "team": "t" });
    let keeps = json!({ "refreshKeepsToken": true });
    let kept = |body: &str| read(&keeps, body, Some(&previous)).unwrap().token;
    assert_eq!(
        kept(r#"{"expires_in":3600}"#),
        json!({ "access_token": "old", "refresh_token": "r", "team": "t", "expires_in": 3600, "expires_at": "2023-11-14T23:13:20.000Z" })
    );
    let without_expiry = kept(r#"{"status":"extended","refresh_token":"r2"}"#);
    assert_eq!(
        without_expiry,
        json!({ "access_token": "old", "refresh_token": "r2", "team": "t" })
    );
    assert_eq!(kept(r#"{"access_token":"new"}"#)["access_token"], "new");
    for (config, body, previous) in [
        (&json!({}), r#"{"expires_in":3600}"#, Some(&previous)),
        (&keeps, r#"{"expires_in":3600}"#, None),
        (&keeps, r#"{"error":"invalid_grant"}"#, Some(&previous)),
        (&keeps, "<html>", Some(&previous)),
    ] {
        assert!(read(config, body, previous).is_err(), "{body}");
    }
}
