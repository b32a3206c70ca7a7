//! How long to wait, in all the ways it is written: seconds, an HTTP date, an ISO date, the seconds or
//! milliseconds of a moment since 1970.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use serde_json::Value;

use crate::header_text;
use crate::time::Timestamp;

/// The longest wait that is believed; what is longer is cut to it.
pub const LONGEST: Duration = Duration::from_hours(24);

/// From here on a number is a moment in seconds: as a wait it would be 31 years.
const EPOCH_SECONDS: f64 = 1e9;
/// From here on in milliseconds: as seconds it would be the year 5138.
const EPOCH_MILLIS: f64 = 1e11;
/// From here on it is nothing that is waited for: as milliseconds it would be the year 5138.
const TOO_LARGE: f64 = 1e14;

/// The wait that a value means; nothing where it means none.
pub fn read(value: &Value, now: Timestamp) -> Option<Duration> {
    match value {
        Value::Number(number) => of_number(number.as_f64()?, now),
        Value::String(text) => of_text(text, now),
        _ => None,
    }
}

/// The wait of the standard field, `Retry-After` (RFC 9110 §10.2.3).
pub fn of_header(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    of_text(&header_text::text(headers.get(RETRY_AFTER)?), now)
}

/// The same of a text.
pub fn of_text(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let is_number = text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_number {
        return of_number(text.parse().ok()?, now);
    }
    let moment = Timestamp::parse_any(text, now)?;
    Some(moment.since(now).min(LONGEST))
}

#[allow(clippy::cast_possible_truncation)] // between 1e9 and 1e14
fn of_number(number: f64, now: Timestamp) -> Option<Duration> {
    if !(0.0..TOO_LARGE).contains(&number) {
        return None;
    }
    let wait = if number >= EPOCH_MILLIS {
        Timestamp::from_millis(number as i64).since(now)
    } else if number >= EPOCH_SECONDS {
        Timestamp::from_millis((number * 1_000.0) as i64).since(now)
    } else {
        Duration::from_secs_f64(number)
    };
    Some(wait.min(LONGEST))
}

/// Whole seconds that are not too few.
pub fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    #[test]
    fn every_way_of_writing_a_wait_is_read() {
        let day = Some(86_400_000);
        for (value, millis) in [
            (json!(0), Some(0)),
            (json!(2), Some(2_000)),
            (json!(0.25), Some(250)),
            (json!("2"), Some(2_000)),
            (json!(" 1.5 "), Some(1_500)),
            (json!("Tue, 14 Nov 2023 22:13:50 GMT"), Some(30_000)),
            (json!("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0)),
            (json!(1_700_000_030), Some(30_000)),
            (json!("1700000030"), Some(30_000)),
            (json!(1_700_000_030.5), Some(30_500)),
            (json!(1_600_000_000), Some(0)),
            (json!(1_700_000_030_000_i64), Some(30_000)),
            (json!("1700000030001"), Some(30_001)),
            (json!("2023-11-14T22:13:50Z"), Some(30_000)),
            (json!("2023-11-14T23:13:50.250+01:00"), Some(30_250)),
            (json!("2023-11-14T22:13:50"), Some(30_000)),
            (json!("2023-11-14 22:13:50"), Some(30_000)),
            // Bounds.
            (json!(86_400), day),
            (json!(86_401), day),
            (json!(999_999_999), day),
            (json!(4_000_000_000_u64), day),
            (json!("9999-01-01T00:00:00Z"), day),
            (json!(1_700_000_030_000_000_i64), None),
            (json!("99999999999999999999"), None),
            (json!(-1), None),
            (json!("-1"), None),
            (json!("+1"), None),
            (json!("1e3"), None),
            (json!("1.2.3"), None),
            (json!("inf"), None),
            (json!("."), None),
            (json!("soon"), None),
            (json!("6m0s"), None),
            (json!(""), None),
            (json!(null), None),
            (json!(true), None),
            (json!([3]), None),
            (json!({ "seconds": 3 }), None),
        ] {
            let wait = read(&value, Timestamp::from_millis(NOW)).map(|wait| wait.as_millis());
            assert_eq!(wait, millis, "{value}");
        }
    }

    #[test]
    fn seconds_are_never_too_few() {
        for (millis, whole) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2)] {
            assert_eq!(seconds(Duration::from_millis(millis)), whole);
        }
    }
}
