//! What is made of the requests of `tests/cases/webhooks`: events, and answers to handshakes.

use causeway::webhook::{self, Refusal, SenderProof, WebhookRequest};
use serde_json::Value;

use crate::cases::each_case;
use crate::webhook_cases::{Case, Sent};

fn same(found: &Value, expected: &Value, name: &str) {
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&found[key], value, "{name} {key}");
    }
}

#[test]
fn the_events_their_key_and_the_account_are_found() {
    each_case(Case::all(), |case| {
        let (sent, moment) = (case.sent(), case.moment());
        let request = sent.request();
        let verified = webhook_verify(&case, &request);
        assert_eq!(verified, Ok(()), "{}", case.name);
        let expected = &case.story["expect"];
        let context = Some(&case.story["context"]);
        if let Some(events) = expected["events"].as_array() {
            let found = webhook::transform(case.webhook(), &request, context, &moment);
            let found = found.unwrap_or_else(|error| panic!("{}: {error}", case.name));
            assert_eq!(found.len(), events.len(), "{}", case.name);
            for (found, expected) in found.iter().zip(events) {
                let found = serde_json::json!({"event_type": found.event_type, "resource_type": found.resource_type, "resource_id": found.resource_id});
                same(&found, expected, &case.name);
            }
        }
        if let Some(key) = expected["event_id"].as_str() {
            let found = webhook::event_id(case.webhook(), &request, context, &moment).unwrap();
            assert_eq!(found.as_deref(), Some(key), "{}", case.name);
        }
        if let Some(lookup) = expected["lookup"].as_array() {
            let schemes = case.webhook().signature_verification.as_ref().unwrap();
            let verification = schemes.with_lookup().unwrap();
            let (name, value) = webhook::lookup(verification, &request, &moment)
                .unwrap()
                .unwrap();
            assert_eq!(
                lookup,
                &[Value::from(name), Value::from(value)],
                "{}",
                case.name
            );
        }
    });
}

/// On the request itself, since a token that is the body takes its place.
fn webhook_verify(case: &Case, request: &WebhookRequest) -> Result<(), Refusal> {
    let scope = causeway::expression::TemplateScope::new(&case.story["context"]);
    case.verify_request(request, &scope, &case.keys("keys"), case.now())
}

#[test]
fn handshakes_are_answered_as_the_provider_wants() {
    let mut answered = 0;
    each_case(Case::all(), |case| {
        each_case(
            case.story["handshakes"].as_array().into_iter().flatten(),
            |handshake| {
                let name = format!("{} {}", case.name, handshake["request"]);
                let sent = Sent::read(&handshake["request"]);
                let context = handshake.get("context").unwrap_or(&case.story["context"]);
                let is_signed = handshake["proof"] == "signed";
                let expects_proof =
                    handshake["unverified"].is_null() && handshake["answer"].is_object();
                if expects_proof {
                    assert_eq!(case.verify(&sent).is_ok(), is_signed, "{name}");
                }
                let proof = if is_signed {
                    SenderProof::Signed
                } else {
                    SenderProof::Unsigned
                };
                let scope = causeway::expression::TemplateScope::new(context);
                let result = webhook::handshake(
                    case.webhook(),
                    &sent.request(),
                    Some(context),
                    &scope,
                    proof,
                    &case.moment(),
                );
                if handshake["refused"] == true {
                    assert!(result.is_err(), "{name}: {result:?}");
                    return;
                }
                let found = result.unwrap_or_else(|error| panic!("{name}: {error}"));
                let expected = &handshake["answer"];
                let Some(found) = found else {
                    assert!(expected.is_null(), "{name}");
                    return;
                };
                assert_eq!(found.status.as_u16(), expected["status"], "{name}");
                if let Some(json) = expected.get("json") {
                    let body: Value = serde_json::from_str(&found.body).unwrap();
                    assert_eq!(&body, json, "{name}");
                } else {
                    assert_eq!(found.body, expected["body"].as_str().unwrap(), "{name}");
                }
                if let Some(kind) = expected["content_type"].as_str() {
                    let found = found.headers["content-type"].to_str().unwrap();
                    assert!(found.starts_with(kind), "{name}: {found}");
                }
                each_case(
                    expected["headers"].as_object().into_iter().flatten(),
                    |(header, value)| {
                        assert_eq!(found.headers[header], value.as_str().unwrap(), "{name}");
                    },
                );
                let update = expected.get("update_context").and_then(Value::as_object);
                assert_eq!(
                    found.update_context,
                    update.cloned().unwrap_or_default(),
                    "{name}"
                );
                let confirm = found.confirm_url.as_ref().map(url::Url::as_str);
                assert_eq!(confirm, expected["confirm_url"].as_str(), "{name}");
                answered += 1;
            },
        );
    });
    assert!(answered > 12, "{answered}");
}
