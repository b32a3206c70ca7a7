//! Handshakes that would give more than an answer, and events that are none.

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::expression::{Moment, TemplateScope};
use crate::webhook::{self, Handshake, HandshakeError, SenderProof, WebhookRequest};

use super::{NOW, URL, headers, webhook};

const MOMENT: Moment = Moment {
    now_ms: NOW * 1000,
    random: [0; 32],
};

fn answer(
    expression: &str,
    proof: SenderProof,
    more: &Value,
) -> Result<Option<Handshake>, HandshakeError> {
    let mut value = json!({"handle_verification": expression, "allow_unsigned_handshake": true});
    crate::json::merge(&mut value, more);
    let webhook = webhook(value);
    let headers = HeaderMap::new();
    let request = WebhookRequest::new(&Method::POST, URL, &headers, b"{\"c\":\"<b>\"}");
    let context = json!({"name": "n", "empty": "", "webhook_secret": "s"});
    let scope = TemplateScope::new(&context);
    webhook::handshake(&webhook, &request, Some(&context), &scope, proof, &MOMENT)
}

#[test]
fn an_answer_cannot_become_a_page_of_ours() {
    let expression = r#"{"status": 201, "body": body.c, "headers": {"Content-Type": "text/html", "Set-Cookie": "a=b", "location": "/", "x-frame-options": "x", "X-Hook": "h", "content-security-policy": "x"}}"#;
    let found = answer(expression, SenderProof::Unsigned, &json!({}))
        .unwrap()
        .unwrap();
    assert_eq!(
        found.headers,
        headers(&[
            ("content-type", "text/plain; charset=utf-8"),
            ("x-hook", "h")
        ])
    );
    assert_eq!((found.status.as_u16(), found.body.as_str()), (201, "<b>"));
    for expression in [
        r#"{"status": 302}"#,
        r#"{"status": 500}"#,
        r#"{"headers": {"x-a": "a\nb"}}"#,
        r#"{"type": "x", "verification_response": 1}"#,
    ] {
        let result = answer(expression, SenderProof::Unsigned, &json!({}));
        assert!(
            matches!(result, Err(HandshakeError::Shape(_))),
            "{expression} {result:?}"
        );
    }
    for expression in ["nothing", "null", "false", r#"{"type": "payload"}"#] {
        assert_eq!(
            answer(expression, SenderProof::Unsigned, &json!({})),
            Ok(None),
            "{expression}"
        );
    }
    let off = json!({"allow_unsigned_handshake": false});
    assert_eq!(answer("\"x\"", SenderProof::Unsigned, &off), Ok(None));
    assert!(
        answer("\"x\"", SenderProof::Signed, &off)
            .unwrap()
            .is_some()
    );
}

#[test]
fn only_an_empty_key_is_filled() {
    let fill = |update: &str| {
        let expression = [r#"{"type": "verify", "update_context": "#, update, "}"].concat();
        answer(&expression, SenderProof::Unsigned, &json!({}))
    };
    for key in ["fresh", "empty"] {
        let found = fill(&format!(r#"{{"{key}": "v"}}"#)).unwrap().unwrap();
        assert_eq!(Value::Object(found.update_context), json!({key: "v"}));
    }
    for key in ["name", "webhook_secret", "oauth", "context", "id", "a.b"] {
        let result = fill(&format!(r#"{{"fresh": "v", "{key}": "v"}}"#));
        assert_eq!(result, Err(HandshakeError::Taken(key.to_owned())));
    }
    for update in ["{}", "1", r#"{"fresh": {"a": 1}}"#, r#"{"fresh": ""}"#] {
        assert!(
            matches!(fill(update), Err(HandshakeError::Shape(_))),
            "{update}"
        );
    }
    let off = json!({"allow_unsigned_handshake": false});
    let result = answer(
        r#"{"type": "verify", "update_context": {"fresh": "v"}}"#,
        SenderProof::Signed,
        &off,
    );
    assert_eq!(result, Err(HandshakeError::NoContext));
}

#[test]
fn events_have_their_shape() {
    let headers = HeaderMap::new();
    let request = WebhookRequest::new(&Method::POST, URL, &headers, br#"{"id": 7, "long": 1}"#);
    let transform = |expression: &str| {
        let webhook = webhook(json!({"payload_transform": expression}));
        webhook::transform(&webhook, &request, None, &MOMENT)
    };
    let one =
        transform(r#"{"event_type": "a:b", "resource_id": body.id, "payload": body}"#).unwrap();
    assert_eq!((one.len(), one[0].resource_id.as_deref()), (1, Some("7")));
    let two = r#"[{"event_type": "a", "payload": null}, {"event_type": "b", "payload": 1}]"#;
    assert_eq!(transform(two).unwrap().len(), 2);
    for none in ["nothing", "[]", "null"] {
        assert_eq!(transform(none), Ok(Vec::new()));
    }
    for bad in [
        "1",
        r#"{"payload": 1}"#,
        r#"{"event_type": "", "payload": 1}"#,
        r#"{"event_type": "a"}"#,
        r#"{"event_type": "a", "payload": 1, "resource_id": {}}"#,
        "$error(\"x\")",
    ] {
        assert!(transform(bad).is_err(), "{bad}");
    }
    let id = |expression: &str| {
        let webhook = webhook(json!({"event_id": expression}));
        webhook::event_id(&webhook, &request, None, &MOMENT)
    };
    assert_eq!(id("body.id"), Ok(Some("7".to_owned())));
    assert_eq!(id("body.none"), Ok(None));
    assert!(id("body").is_err());
    assert_eq!(id("$pad(\"x\", 300)").unwrap().unwrap().len(), 64);
}
