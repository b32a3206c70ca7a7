//! What is left of a provider's limit.

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;

use super::wait;
use crate::header_text;
use crate::time::Timestamp;

/// What is left, as far as the provider says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quota {
    /// Requests of a window.
    pub limit: Option<u64>,
    /// Those that are left in this one.
    pub remaining: Option<u64>,
    /// Until the next one begins.
    pub reset: Option<Duration>,
}

/// How the fields are called where the file does not say: as standardised, and as most were called before.
const NAMES: &[[&str; 3]] = &[
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"],
    [
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ],
    [
        "x-rate-limit-limit",
        "x-rate-limit-remaining",
        "x-rate-limit-reset",
    ],
];

impl Quota {
    /// Of what `rate_limit_header_expression` gives: `{limit, remaining, reset}`, or what is left alone.
    pub(super) fn of_value(value: &Value, now: Timestamp) -> Self {
        match value {
            Value::Object(entries) => Self {
                limit: entries.get("limit").and_then(count),
                remaining: entries.get("remaining").and_then(count),
                reset: entries
                    .get("reset")
                    .and_then(|value| wait::read(value, now)),
            },
            alone => Self {
                remaining: count(alone),
                ..Self::default()
            },
        }
    }

    /// The same, and what it does not say from `other`.
    pub(super) fn or(self, other: &Self) -> Self {
        Self {
            limit: self.limit.or(other.limit),
            remaining: self.remaining.or(other.remaining),
            reset: self.reset.or(other.reset),
        }
    }

    /// Of the usual header fields.
    pub(super) fn of_headers(headers: &HeaderMap, now: Timestamp) -> Self {
        let text = |name: &str| headers.get(name).map(header_text::text);
        let of = |[limit, remaining, reset]: &[&str; 3]| Self {
            limit: text(limit).and_then(|text| count_of_text(&text)),
            remaining: text(remaining).and_then(|text| count_of_text(&text)),
            reset: text(reset).and_then(|text| wait::of_text(&text, now)),
        };
        NAMES
            .iter()
            .map(of)
            .find(|quota| quota.remaining.is_some())
            .unwrap_or_default()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing is left. Without any limit there is nothing to use up.
    pub fn is_used_up(&self) -> bool {
        self.remaining == Some(0) && self.limit != Some(0)
    }
}

fn count(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => whole(number.as_f64()?),
        Value::String(text) => count_of_text(text),
        _ => None,
    }
}

/// `100`, also where the policy is behind it: `100, 100;w=60`.
fn count_of_text(text: &str) -> Option<u64> {
    let first = text.split([',', ';']).next().unwrap_or_default().trim();
    let is_number = first.starts_with(|c: char| c.is_ascii_digit());
    whole(first.parse().ok().filter(|_| is_number)?)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // in range
fn whole(number: f64) -> Option<u64> {
    // Some go below zero when requests were under way.
    let number = number.max(0.0);
    (number < 9e15).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }

    fn quota(limit: Option<u64>, remaining: Option<u64>, reset: Option<u64>) -> Quota {
        Quota {
            limit,
            remaining,
            reset: reset.map(Duration::from_secs),
        }
    }

    #[test]
    fn an_expression_gives_a_number_or_an_object() {
        for (value, expected) in [
            (json!(12), quota(None, Some(12), None)),
            (json!("12"), quota(None, Some(12), None)),
            (json!(-3), quota(None, Some(0), None)),
            (json!(12.7), quota(None, Some(12), None)),
            (
                json!({ "limit": 600, "remaining": "0", "reset": 1_700_000_030 }),
                quota(Some(600), Some(0), Some(30)),
            ),
            (
                json!({ "remaining": 1, "reset": null }),
                quota(None, Some(1), None),
            ),
            (json!({ "limit": "many", "left": 3 }), Quota::default()),
            (json!(null), Quota::default()),
            (json!("few"), Quota::default()),
            (json!(1e300), Quota::default()),
        ] {
            assert_eq!(Quota::of_value(&value, now()), expected, "{value}");
        }
    }

    #[test]
    fn the_usual_fields_are_read_without_a_file() {
        for (pairs, expected) in [
            (
                vec![
                    ("ratelimit-limit", "100, 100;w=60"),
                    ("ratelimit-remaining", "7"),
                    ("ratelimit-reset", "30"),
                ],
                quota(Some(100), Some(7), Some(30)),
            ),
            (
                vec![
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1700000030"),
                ],
                quota(None, Some(0), Some(30)),
            ),
            (
                vec![("x-rate-limit-remaining", "3")],
                quota(None, Some(3), None),
            ),
            (vec![("ratelimit-limit", "100")], Quota::default()),
            (vec![("ratelimit-remaining", "\"a\";r=3")], Quota::default()),
            (vec![], Quota::default()),
        ] {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
                .collect();
            assert_eq!(Quota::of_headers(&headers, now()), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_limit_of_nothing_is_not_used_up() {
        assert!(quota(Some(5), Some(0), None).is_used_up());
        assert!(quota(None, Some(0), None).is_used_up());
        assert!(!quota(Some(0), Some(0), None).is_used_up());
        assert!(!quota(Some(5), Some(1), None).is_used_up());
        assert!(!quota(Some(5), None, None).is_used_up());
    }
}
