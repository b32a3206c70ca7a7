use http::header::CONTENT_TYPE;

use super::*;

#[test]
fn the_content_type_says_the_kind_unless_the_method_does() {
    for (content_type, expected) in [
        ("application/json; charset=utf-8", MediaKind::Json),
        ("application/vnd.example+json", MediaKind::Json),
        ("Text/XML", MediaKind::Xml),
        ("image/svg+xml", MediaKind::Xml),
        ("text/csv", MediaKind::Text),
        ("application/octet-stream", MediaKind::Binary),
        ("", MediaKind::Binary),
    ] {
        let headers: HeaderMap = [(CONTENT_TYPE, content_type.parse().unwrap())]
            .into_iter()
            .collect();
        assert_eq!(kind(&headers, None), expected, "{content_type}");
        assert_eq!(
            kind(&headers, Some(ApiResponseFormat::Binary)),
            MediaKind::Binary
        );
    }
}

fn list(text: &str, path: Option<&Path>) -> Result<String, ReplyError> {
    let records = records(text, path)?;
    let count = of_list(json::count_elements(records), path)?;
    Ok(envelope(records, count, None, Some("k1.a-_")))
}

#[test]
fn an_answer_is_looked_into_only_for_a_reason() {
    use MediaKind as K;
    let method = |value: Value| serde_json::from_value::<Method>(value).unwrap();
    let plain = || method(serde_json::json!({}));
    let path = || method(serde_json::json!({ "response_path": "a" }));
    let said = |format: &str, path: bool| {
        let mut value = serde_json::json!({ "api_response_format": format });
        if path {
            value["response_path"] = "a".into();
        }
        method(value)
    };
    for (method, kind, rewritten) in [
        (plain(), K::Json, false),
        (plain(), K::Xml, false),
        (path(), K::Json, true),
        (path(), K::Xml, true),
        (path(), K::Text, true),
        (path(), K::Binary, false),
        (said("json", false), K::Json, false),
        (said("xml", false), K::Xml, true),
        (said("text", true), K::Text, false),
        (said("binary", true), K::Binary, false),
    ] {
        assert_eq!(is_rewritten(&method, kind), rewritten, "{method:?}");
        let expected = if rewritten {
            BodyHandling::Inside
        } else {
            BodyHandling::Unread
        };
        assert_eq!(look(&method, false, kind), expected);
        let has_values = matches!(kind, K::Json | K::Xml | K::Form);
        let expected = if rewritten || has_values {
            BodyHandling::Inside
        } else {
            BodyHandling::Unread
        };
        assert_eq!(look(&method, true, kind), expected);
    }
}

#[test]
fn a_list_is_cut_as_text() {
    let path: Path = "data.users".parse().unwrap();
    let text = r#"{"data":{"users":[{"id":12345678901234567890123},{"id":1e400}]}}"#;
    assert_eq!(
        list(text, Some(&path)).unwrap(),
        r#"{"result":[{"id":12345678901234567890123},{"id":1e400}],"next_cursor":null,"prev_cursor":"k1.a-_","result_count":2}"#
    );
}

#[test]
fn nothing_there_is_an_empty_list_something_else_is_an_error() {
    let path: Path = "items".parse().unwrap();
    let empty = r#"{"result":[],"next_cursor":null,"prev_cursor":"k1.a-_","result_count":0}"#;
    for text in ["{}", r#"{"items":null}"#, "", "\u{feff}{\"items\":[]}"] {
        assert_eq!(list(text, Some(&path)).unwrap(), empty, "{text}");
    }
    assert_eq!(
        list(r#"{"items":{}}"#, Some(&path)),
        Err(ReplyError::NoList("items".into()))
    );
    assert_eq!(list("<html>", None), Err(ReplyError::NotJson));
    assert_eq!(list("{}", None), Err(ReplyError::NoList("its root".into())));
}

#[test]
fn an_error_in_the_body_may_name_status_and_message() {
    let moment = Moment {
        now_ms: 0,
        random: [0; 32],
    };
    let found = |source: &str, body: Value| {
        let expression: ErrorExpression =
            serde_json::from_value(Value::String(source.into())).unwrap();
        find_error(&expression, Some(&body), &HeaderMap::new(), 200, &moment).unwrap()
    };
    let body = serde_json::json!({ "ok": false, "error": "not_authed" });
    let shaped = "ok = false ? { 'status': 401, 'message': error }";
    assert_eq!(
        found(
            &shaped
                .replace("ok", "body.ok")
                .replace("error", "body.error"),
            body.clone()
        ),
        Some(FoundError {
            status: Some(401),
            message: Some("not_authed".into())
        })
    );
    assert_eq!(
        found("{{response.error}}", body.clone()),
        Some(FoundError {
            status: None,
            message: Some("not_authed".into())
        })
    );
    assert_eq!(found("{{response.errors}}", body.clone()), None);
    assert_eq!(
        found("{ 'status': 200 }", body),
        Some(FoundError {
            status: None,
            message: None
        })
    );
}
