//! Failures as providers send them.

use super::*;

mod refusals;

use refusals::REFUSALS;

const NOW: i64 = 1_700_000_000_000;

/// Status, header fields, body, seconds to wait.
type Wait = (
    u16,
    &'static [(&'static str, &'static str)],
    &'static str,
    Option<u64>,
);

fn failure(status: u16, headers: &[(&'static str, &str)], body: &str) -> TokenFailure {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let status = StatusCode::from_u16(status).unwrap();
    accepted(
        status,
        &headers,
        (body.as_bytes(), "access_token"),
        Timestamp::from_millis(NOW),
    )
    .unwrap_err()
}

#[test]
fn a_refusal_is_found_wherever_it_stands() {
    for (status, body, error, words, needs_reauth) in REFUSALS {
        let failure = failure(status, &[], body);
        let TokenFailure::Refused {
            error: code,
            description,
            ..
        } = &failure
        else {
            panic!("{body}");
        };
        let expected = Some(words).filter(|words| !words.is_empty());
        assert_eq!(
            (code.as_str(), description.as_deref()),
            (error, expected),
            "{body}"
        );
        assert_eq!(failure.needs_reauth(), needs_reauth, "{body}");
    }
}

#[test]
fn what_passes_by_itself_says_how_long_it_takes() {
    let table: [Wait; 12] = [
        (500, &[], r#"{"error":"invalid_grant"}"#, None),
        (502, &[], "<html>", None),
        (503, &[("retry-after", "120")], "", Some(120)),
        (
            503,
            &[("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT")],
            "",
            Some(30),
        ),
        (
            503,
            &[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")],
            "",
            Some(0),
        ),
        (503, &[("retry-after", "soon")], "", None),
        (503, &[("retry-after", "-1")], "", None),
        (429, &[("retry-after", "99999999999999999999")], "", None),
        (429, &[], r#"{"ok":false,"error":"ratelimited"}"#, None),
        (520, &[], "", None),
        (400, &[], r#"{"error":"temporarily_unavailable"}"#, None),
        (
            200,
            &[("retry-after", "5")],
            r#"{"ok":false,"error":"ratelimited"}"#,
            Some(5),
        ),
    ];
    for (status, headers, body, retry_after) in table {
        let failure = failure(status, headers, body);
        assert_eq!(
            failure,
            TokenFailure::Transient { retry_after },
            "{status} {headers:?} {body}"
        );
        assert!(!failure.needs_reauth());
    }
    for status in 520..=530 {
        assert!(matches!(
            failure(status, &[], ""),
            TokenFailure::Transient { .. }
        ));
    }
}

#[test]
fn what_says_nothing_is_unreadable() {
    for (status, body) in [
        (200, ""),
        (200, "<html><a href='?access=1&b=2'>Sign in</a></html>"),
        (200, "[]"),
        (200, "\"token\""),
        (200, "{"),
        (302, ""),
        (400, "<html>Bad Request</html>"),
        (404, "Not Found"),
        (401, "{}"),
    ] {
        let failure = failure(status, &[], body);
        assert!(
            matches!(failure, TokenFailure::Unreadable(_)),
            "{body} {failure:?}"
        );
        assert!(!failure.needs_reauth());
    }
}

#[test]
fn its_words_are_short_and_in_one_line() {
    let body = format!(
        r#"{{"error":"invalid_grant\r\nX: y","error_description":"a\u0000b\r\n{}"}}"#,
        "long ".repeat(1000)
    );
    let TokenFailure::Refused {
        error, description, ..
    } = failure(400, &[], &body)
    else {
        panic!("refused");
    };
    assert_eq!(error, "invalid_grantX: y");
    let words = description.unwrap();
    assert_eq!(words.chars().count(), 500);
    assert!(words.starts_with("ablong "), "{words}");
    let failure = failure(400, &[], r#"{"error":"e","error_description":"why"}"#);
    assert_eq!(failure.to_string(), "the provider refused: e (why)");
}

/// What providers answer to a dead refresh token without a code of RFC 6749, from public bug reports.
#[test]
fn words_about_a_dead_token_mean_the_customer_in_any_field_and_any_text() {
    for (status, body) in [
        (400, r#"{"status":400,"message":"Invalid refresh token"}"#),
        (401, r#"{"message":"Token has been revoked"}"#),
        (
            400,
            r#"{"error":"invalid_request","error_description":"Refresh token not found"}"#,
        ),
        (
            400,
            r#"{"error":"invalid_request","error_description":"The provided refresh token is no longer valid"}"#,
        ),
        (
            400,
            r#"{"error":"invalid_request","error_description":"Missing or invalid refresh token"}"#,
        ),
        (
            401,
            r#"{"error":"unauthorized","error_description":"Invalid refresh token"}"#,
        ),
        (
            400,
            r#"{"error":"unauthorized_client","error_description":"Token has been expired or revoked"}"#,
        ),
        (
            400,
            r#"{"error":"access_denied","error_description":"refresh token revoked by user"}"#,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"Invalid refresh token"}}"#,
        ),
        (
            400,
            r#"{"errors":[{"message":"The refresh token is invalid"}]}"#,
        ),
        (
            400,
            r#"{"error_code":10021,"error_msg":"refresh token expired"}"#,
        ),
        (200, r#"{"errcode":42007,"errmsg":"refresh_token expired"}"#),
        (
            200,
            r#"{"code":7,"detail":{"reason":"Refresh token already used"}}"#,
        ),
        (
            403,
            r#"{"error":"Forbidden","message":"Refresh token is not valid"}"#,
        ),
        (400, "Invalid refresh token"),
        (
            401,
            r#"{"status":"error","message":"missing, invalid, or expired refresh token","category":"BAD_REFRESH_TOKEN"}"#,
        ),
        (400, r#"{"error":"bad_verification_code"}"#),
        (400, r#"{"refresh_token":["This value is invalid."]}"#),
        (
            404,
            r#"{"fault":{"faultstring":"Refresh Token does not exist"}}"#,
        ),
        (400, "message=refresh+token+has+already+been+used"),
    ] {
        let failure = failure(status, &[], body);
        assert!(failure.needs_reauth(), "{body} {failure:?}");
    }
}

#[test]
fn what_the_operator_has_to_mend_stays_theirs_whatever_its_words() {
    for (status, body, is_unclear) in [
        (
            401,
            r#"{"error":"invalid_client","error_description":"Client or token invalid"}"#,
            false,
        ),
        (400, r#"{"error":"unauthorized_client"}"#, false),
        (
            400,
            r#"{"error":"invalid_request","error_description":"refresh_token is required"}"#,
            false,
        ),
        (
            400,
            r#"{"error":"invalid_request","error_description":"Missing required parameter: refresh_token"}"#,
            false,
        ),
        (
            400,
            r#"{"error":"invalid_request","error_description":"redirect_uri is missing"}"#,
            false,
        ),
        (
            400,
            r#"{"error":"invalid_request","error_description":"client_id is invalid"}"#,
            false,
        ),
        (
            400,
            r#"{"error":"invalid_request","error_description":"token endpoint authentication is invalid"}"#,
            false,
        ),
        (
            403,
            r#"{"error":"forbidden","message":"Your IP is not allowed"}"#,
            true,
        ),
        (403, r#"{"message":"invalid client secret"}"#, false),
        (401, "Client authentication failed: unknown client", false),
        (
            400,
            r#"{"error":"no_idea","error_description":"client ID not recognized"}"#,
            false,
        ),
        (
            400,
            r#"{"error":"no_idea","error_description":"the token is of another client"}"#,
            true,
        ),
        (400, r#"{"error":"no_idea"}"#, true),
        (403, "<html>the token has expired</html>", true),
    ] {
        let failure = failure(status, &[], body);
        assert!(!failure.needs_reauth(), "{body} {failure:?}");
        assert_eq!(failure.is_unclear(), is_unclear, "{body} {failure:?}");
    }
}
