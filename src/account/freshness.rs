//! How long a stored token lasts, and when to get the next one.
//! Getting it is the flows' work.

use std::time::Duration;

use serde_json::Value;

use crate::time::Timestamp;

/// The year 2000: a year of two digits in a token is one of 1951 to 2050.
const CENTURY: Timestamp = Timestamp::of_year_2000();
/// A token that does not say how long it was made for was made for an hour.
const ASSUMED_LIFETIME: Duration = Duration::from_hours(1);
const LONGEST_MARGIN: Duration = Duration::from_mins(5);
/// From here on a number of seconds would be beyond the year 5000: it counts milliseconds.
const MILLISECONDS_FROM: u64 = 100_000_000_000;

/// The state of a token in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It can be used.
    Fresh,
    /// It can be used, and it is time for the next one.
    Due,
    /// It can no longer be used.
    Expired,
    /// Its expiry is unknown: it is used until the provider refuses it.
    Unknown,
}

impl Freshness {
    /// Of what is at `oauth.token`.
    pub fn of(token: &Value, now: Timestamp) -> Self {
        if has_refresh_token_alone(token) {
            return Self::Expired;
        }
        let Some(expires_at) = expires_at(token) else {
            return Self::Unknown;
        };
        if now >= expires_at {
            Self::Expired
        } else if now >= before(expires_at, margin(token)) {
            Self::Due
        } else {
            Self::Fresh
        }
    }
}

/// Whether an imported token can only be refreshed: nothing of it can be sent to the API.
fn has_refresh_token_alone(token: &Value) -> bool {
    let is_there = |key| {
        token
            .get(key)
            .is_some_and(|text| !text.is_null() && text != "")
    };
    is_there("refresh_token") && !is_there("access_token")
}

/// From when on a token is [`Freshness::Due`]; `None` when its expiry is unknown.
pub fn due_at(token: &Value) -> Option<Timestamp> {
    Some(before(expires_at(token)?, margin(token)))
}

/// When a token expires.
pub fn expires_at(token: &Value) -> Option<Timestamp> {
    moment(token.get("expires_at")?)
}

/// A moment as providers and importers write it: ISO 8601, an HTTP date, or seconds or milliseconds since 1970, as a
/// number or a text.
pub fn moment(value: &Value) -> Option<Timestamp> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let Some(seconds) = seconds else {
        return Timestamp::parse_any(value.as_str()?, CENTURY);
    };
    let since_1970 = Duration::try_from_secs_f64(seconds).ok()?;
    let millis = if since_1970.as_secs() < MILLISECONDS_FROM {
        i64::try_from(since_1970.as_millis()).ok()?
    } else {
        i64::try_from(since_1970.as_secs()).ok()?
    };
    // Out of the calendar's range is no moment.
    let moment = Timestamp::from_millis(millis);
    (moment.as_millis() == millis).then_some(moment)
}

/// The smaller of 5 minutes and 10 % of the lifetime.
fn margin(token: &Value) -> Duration {
    let seconds = match token.get("expires_in") {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let lifetime = seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|lifetime| !lifetime.is_zero());
    LONGEST_MARGIN.min(lifetime.unwrap_or(ASSUMED_LIFETIME) / 10)
}

fn before(moment: Timestamp, wait: Duration) -> Timestamp {
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(moment.as_millis().saturating_sub(wait))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EXPIRES: i64 = 1_700_000_000_000;

    fn token(expires_in: &Value) -> Value {
        json!({ "expires_at": Timestamp::from_millis(EXPIRES), "expires_in": expires_in })
    }

    fn with_left(token: &Value, millis: i64) -> Freshness {
        Freshness::of(token, Timestamp::from_millis(EXPIRES - millis))
    }

    #[test]
    fn a_token_is_due_within_five_minutes_or_a_tenth_of_its_life() {
        // Lifetime as stored, and its margin in milliseconds.
        let table = [
            (json!(86_400), 300_000),
            (json!(3_001), 300_000),
            (json!(3_000), 300_000),
            (json!(2_990), 299_000),
            (json!(60), 6_000),
            (json!(1), 100),
            (json!("600"), 60_000),
            (json!(null), 300_000),
            (json!(0), 300_000),
            (json!(-5), 300_000),
            (json!("soon"), 300_000),
        ];
        for (expires_in, margin) in table {
            let token = token(&expires_in);
            assert_eq!(
                with_left(&token, margin + 1),
                Freshness::Fresh,
                "{expires_in}"
            );
            assert_eq!(with_left(&token, margin), Freshness::Due, "{expires_in}");
            assert_eq!(with_left(&token, 1), Freshness::Due, "{expires_in}");
            assert_eq!(with_left(&token, 0), Freshness::Expired, "{expires_in}");
            assert_eq!(with_left(&token, -1), Freshness::Expired, "{expires_in}");
            let due = due_at(&token).unwrap();
            assert_eq!(due.as_millis(), EXPIRES - margin, "{expires_in}");
            assert_eq!(Freshness::of(&token, due), Freshness::Due, "{expires_in}");
        }
    }

    #[test]
    fn without_an_expiry_nothing_is_known() {
        for token in [
            json!(null),
            json!({}),
            json!({ "expires_in": 3600 }),
            json!({ "expires_at": "soon" }),
            json!({ "expires_at": null }),
            json!({ "expires_at": -1 }),
            json!({ "expires_at": 1e300 }),
            json!({ "expires_at": "NaN" }),
        ] {
            let now = Timestamp::from_millis(EXPIRES);
            assert_eq!(Freshness::of(&token, now), Freshness::Unknown, "{token}");
            assert_eq!(due_at(&token), None, "{token}");
        }
    }

    #[test]
    fn imported_tokens_write_the_moment_in_their_own_way() {
        for written in [
            json!("2023-11-14T22:13:20.000Z"),
            json!("2023-11-14T23:13:20+01:00"),
            json!(1_700_000_000),
            json!("1700000000"),
            json!(1_700_000_000_000_i64),
            json!(1_700_000_000.0),
        ] {
            let token = json!({ "expires_at": written });
            assert_eq!(
                expires_at(&token).unwrap().as_millis(),
                EXPIRES,
                "{written}"
            );
        }
    }

    #[test]
    fn a_refresh_token_alone_can_only_be_refreshed() {
        let now = Timestamp::from_millis(EXPIRES - 3_600_000);
        let table = [
            (json!({ "refresh_token": "r" }), Freshness::Expired),
            (
                json!({ "refresh_token": "r", "access_token": null, "expires_at": EXPIRES }),
                Freshness::Expired,
            ),
            (
                json!({ "refresh_token": "r", "access_token": "" }),
                Freshness::Expired,
            ),
            (
                json!({ "refresh_token": "r", "access_token": "a" }),
                Freshness::Unknown,
            ),
            (
                json!({ "refresh_token": "r", "access_token": "a", "expires_at": EXPIRES }),
                Freshness::Fresh,
            ),
            (
                json!({ "refresh_token": null, "token_id": "t" }),
                Freshness::Unknown,
            ),
            (json!({}), Freshness::Unknown),
        ];
        for (token, expected) in table {
            assert_eq!(Freshness::of(&token, now), expected, "{token}");
        }
    }
}
