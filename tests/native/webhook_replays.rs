//! A captured webhook that is sent again: its signature holds, and the parts that are not signed may differ. Over every request
//! of a shipped file whose scheme proves the body and signs no time: such a one is good at any age.

use std::time::Duration;

use causeway::webhook;
use http::HeaderName;

use crate::cases::each_case;
use crate::webhook_cases::{Case, Sent};

/// What the provider says there is part of what happened: under another word it is another event.
const SAYS_WHAT: &[&str] = &["x-shopify-topic"];

fn is_good_at_any_age(case: &Case) -> bool {
    let late = case.now().plus(Duration::from_hours(24 * 30));
    let proves_the_body = case.story["proves"].as_str() != Some("sender");
    let sent = case.sent();
    proves_the_body
        && case
            .verify_as(&sent, "context", &case.keys("keys"), late)
            .is_ok()
}

fn key(case: &Case, sent: &Sent) -> Option<String> {
    webhook::event_id(case.webhook(), &sent.request(), None, &case.moment()).unwrap()
}

#[test]
fn a_captured_webhook_under_another_id_is_known_again() {
    let mut tried = 0;
    each_case(
        Case::all()
            .iter()
            .filter(|case| case.story["integration"].is_string()),
        |case| {
            let sent = case.sent();
            let Some(known_by) = key(case, &sent).filter(|_| is_good_at_any_age(case)) else {
                return;
            };
            let names: Vec<HeaderName> = sent.headers.keys().cloned().collect();
            each_case(names, |name| {
                let mut again = sent.clone();
                again.set(name.as_str(), "another");
                if case.verify(&again).is_err() || SAYS_WHAT.contains(&name.as_str()) {
                    return;
                }
                tried += 1;
                let key = key(case, &again);
                assert_eq!(
                    key.as_deref(),
                    Some(known_by.as_str()),
                    "another event by a field that is not signed"
                );
            });
        },
    );
    assert!(tried >= 15, "{tried}");
}

#[test]
fn fields_of_a_form_in_another_order_make_no_other_event() {
    let case = Case::all()
        .into_iter()
        .find(|case| case.name == "twilio-message")
        .unwrap();
    let sent = case.sent();
    let text = String::from_utf8(sent.body.clone()).unwrap();
    let mut pairs: Vec<&str> = text.split('&').collect();
    pairs.reverse();
    let again = Sent {
        body: pairs.join("&").into_bytes(),
        ..sent.clone()
    };
    assert_eq!(case.verify(&again), Ok(()));
    assert_eq!(key(&case, &again), key(&case, &sent));
}
