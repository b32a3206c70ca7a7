//! Every scheme of `tests/cases/webhooks` against good and bad requests. What is refused is refused with a
//! reason that holds no secret and no signature.

use std::time::Duration;

use causeway::time::Timestamp;
use causeway::webhook::Refusal;
use http::HeaderName;

use crate::cases::each_case;
use crate::webhook_cases::{Case, Sent};

/// Refused, and the reason tells nothing.
fn refused(case: &Case, what: &str, result: Result<(), Refusal>) {
    let refusal = result.expect_err(&format!("{} is accepted: {what}", case.name));
    let reported = refusal.to_string();
    for secret in case.story["context"].as_object().unwrap().values() {
        let secret = secret.as_str().unwrap();
        assert!(!reported.contains(secret), "{}: {reported}", case.name);
    }
    assert!(!refusal.code().is_empty());
}

fn proves_the_body(case: &Case) -> bool {
    case.story["proves"].as_str() != Some("sender")
}

#[test]
fn a_good_request_is_accepted() {
    let cases = Case::all();
    assert!(cases.len() >= 40, "{}", cases.len());
    each_case(cases, |case| {
        assert_eq!(case.verify(&case.sent()), Ok(()), "{}", case.name);
    });
}

#[test]
fn another_secret_or_key_is_refused() {
    each_case(Case::all(), |case| {
        let key = if case.story["wrong_keys"].is_null() {
            "keys"
        } else {
            "wrong_keys"
        };
        let wrong = case.keys(key);
        let result = case.verify_as(&case.sent(), "wrong_context", &wrong, case.now());
        refused(&case, "another secret", result);
        let result = case.verify_as(&case.sent(), "no_context", &[], case.now());
        refused(&case, "no secret", result);
    });
}

#[test]
fn a_body_with_one_byte_changed_is_refused() {
    each_case(Case::all().into_iter().filter(proves_the_body), |case| {
        each_case([0.3, 0.5, 0.9], |at| {
            let mut sent = case.sent();
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss
            )]
            let mut at = (sent.body.len() as f64 * at) as usize;
            if case.name == "aws-sns" {
                // Not all of the body is signed: the message is.
                at = String::from_utf8_lossy(&sent.body).find("Hello").unwrap();
            }
            sent.body[at] ^= 1;
            refused(&case, "another body", case.verify(&sent));
        });
        let mut sent = case.sent();
        sent.body.push(b' ');
        if case.name != "aws-sns" && case.name != "jwt-is-the-body" {
            refused(&case, "a longer body", case.verify(&sent));
        }
    });
}

#[test]
fn a_signature_that_is_cut_is_refused() {
    each_case(Case::all(), |case| {
        let Some((kind, name)) = case.place() else {
            return;
        };
        each_case([1, 5], |cut| {
            let mut sent = case.sent();
            match kind {
                "header" => {
                    let value = sent.headers[name].to_str().unwrap().to_owned();
                    sent.set(name, &value[..value.len() - cut]);
                }
                "query" => sent.url.truncate(sent.url.len() - cut),
                _ => replace(&mut sent, name, &name[..name.len() - cut]),
            }
            // A padding may be left out.
            if !(cut == 1 && is_padded(&case, kind, name)) {
                refused(&case, "a cut signature", case.verify(&sent));
            }
        });
    });
}

fn is_padded(case: &Case, kind: &str, name: &str) -> bool {
    match kind {
        "header" => case.sent().headers[name].as_bytes().ends_with(b"="),
        _ => name.ends_with('='),
    }
}

fn replace(sent: &mut Sent, from: &str, to: &str) {
    let text = String::from_utf8(sent.body.clone()).unwrap();
    assert!(text.contains(from));
    sent.body = text.replace(from, to).into_bytes();
}

#[test]
fn a_signature_by_another_algorithm_is_refused() {
    let mut tried = 0;
    each_case(Case::all(), |case| {
        let mut sent = case.sent();
        if let Some(headers) = case.story["other_algorithm"].as_object() {
            for (name, value) in headers {
                sent.set(name, value.as_str().unwrap());
            }
        } else if let Some(other) = case.story["signature"]["replace"].as_str() {
            replace(&mut sent, case.place().unwrap().1, other);
        } else {
            return;
        }
        refused(&case, "another algorithm", case.verify(&sent));
        tried += 1;
    });
    assert!(tried > 25, "{tried}");
}

#[test]
fn what_was_signed_too_long_ago_or_in_the_future_is_refused() {
    let mut tried = 0;
    each_case(Case::all(), |case| {
        let at = |millis: i64| Timestamp::from_millis(case.now().as_millis() + millis);
        let keys = case.keys("keys");
        let verify = |now| case.verify_as(&case.sent(), "context", &keys, now);
        if let Some(tolerance) = case.story["tolerance"].as_i64() {
            for sign in [1, -1] {
                assert_eq!(verify(at(sign * tolerance * 1000)), Ok(()), "{}", case.name);
                refused(
                    &case,
                    "too old or new",
                    verify(at(sign * (tolerance + 1) * 1000)),
                );
            }
            assert!(matches!(
                verify(at(tolerance * 1000 + 1000)),
                Err(Refusal::TooOld(_))
            ));
            assert!(matches!(
                verify(at(-tolerance * 1000 - 1000)),
                Err(Refusal::TooNew(_))
            ));
        } else if case.story["timed"] == true {
            assert!(
                matches!(verify(at(86_400_000)), Err(Refusal::TooOld(_))),
                "{}",
                case.name
            );
            assert!(
                matches!(verify(at(-86_400_000)), Err(Refusal::TooNew(_))),
                "{}",
                case.name
            );
        } else {
            let later = case.now().plus(Duration::from_hours(24));
            assert_eq!(verify(later), Ok(()), "{} has a time of signing", case.name);
            return;
        }
        tried += 1;
    });
    assert!(tried > 15, "{tried}");
}

#[test]
fn a_signature_that_is_missing_or_there_twice_is_refused() {
    each_case(Case::all(), |case| {
        let Some((kind, name)) = case.place() else {
            return;
        };
        let mut without = case.sent();
        let mut twice = case.sent();
        match kind {
            "header" => {
                let name: HeaderName = name.parse().unwrap();
                without.headers.remove(&name);
                twice
                    .headers
                    .append(name.clone(), twice.headers[&name].clone());
            }
            "query" => {
                without.url = without.url.split('?').next().unwrap().to_owned();
                let again = twice.url.split_once('?').unwrap().1.to_owned();
                twice.url = twice.url + "&" + &again;
            }
            _ => {
                replace(&mut without, name, "");
                twice = without.clone();
            }
        }
        refused(&case, "no signature", case.verify(&without));
        refused(&case, "two signatures", case.verify(&twice));
    });
}

/// The platform shows a header that came twice as one, joined by a comma and a space.
#[test]
fn a_signature_that_the_platform_joined_to_another_is_refused() {
    each_case(Case::all(), |case| {
        let Some(("header", name)) = case.place() else {
            return;
        };
        let good = case.sent().headers[name].to_str().unwrap().to_owned();
        let zeros = |byte: char| {
            if byte.is_ascii_alphanumeric() {
                '0'
            } else {
                byte
            }
        };
        let other: String = good.chars().map(zeros).collect();
        let pairs = [(&good, &good), (&other, &good), (&good, &other)];
        each_case(pairs, |(first, second)| {
            let mut joined = case.sent();
            joined.set(name, &format!("{first}, {second}"));
            refused(&case, "two signatures", case.verify(&joined));
        });
    });
}

#[test]
fn other_headers_of_the_scheme_are_single_too() {
    each_case(Case::all(), |case| {
        each_case(case.sent().headers.keys(), |name| {
            let text = name.as_str();
            if !text.contains("timestamp") && !text.ends_with("-id") {
                return;
            }
            let mut sent = case.sent();
            sent.headers
                .append(name.clone(), sent.headers[name].clone());
            let is_of_scheme = case.story["tolerance"].is_i64() && text.contains("timestamp");
            if is_of_scheme {
                refused(&case, text, case.verify(&sent));
            }
        });
    });
}

#[test]
fn the_key_is_asked_for_where_the_file_says_and_nowhere_else() {
    let mut tried = 0;
    each_case(Case::all(), |case| {
        let source = case.key_source(&case.sent()).unwrap();
        assert_eq!(
            source.as_deref(),
            case.story["key_url"].as_str(),
            "{}",
            case.name
        );
        if !case.keys("keys").is_empty() {
            refused(
                &case,
                "no key",
                case.verify_as(&case.sent(), "context", &[], case.now()),
            );
        }
        each_case(
            case.story["key_url_elsewhere"]
                .as_array()
                .into_iter()
                .flatten(),
            |other| {
                let mut sent = case.sent();
                let own = case.story["key_url"].as_str().unwrap();
                replace(&mut sent, own, other.as_str().unwrap());
                assert_eq!(case.key_source(&sent), Err(Refusal::KeyAddress), "{other}");
                tried += 1;
            },
        );
    });
    assert!(tried > 3);
}
