//! The budget of a call: its `x-timeout-ms` and `x-max-retries`. Values above the maximum are clamped.

use std::time::Duration;

use http::HeaderMap;

use crate::error::{Code, Failure};
use crate::ports::Budget;
use crate::settings::{CALL_RETRIES_MAX, CALL_TIMEOUT_MAX};

/// Reads the budget; `default` is the time where the caller does not say. A value that is no number is refused, so that no
/// caller relies on one that does not count.
pub(super) fn read(headers: &HeaderMap, default: Duration) -> Result<Budget, Failure> {
    let timeout = number(headers, "x-timeout-ms").map_err(|()| malformed_timeout())?;
    let retries = number(headers, "x-max-retries")
        .map_err(|()| malformed("x-max-retries is not a number of retries, such as 0 or 2."))?;
    let timeout = timeout.map_or(default, Duration::from_millis);
    if timeout.is_zero() {
        return Err(malformed_timeout());
    }
    Ok(Budget {
        timeout: timeout.min(CALL_TIMEOUT_MAX),
        max_retries: retries.map(|retries| {
            u32::try_from(retries)
                .unwrap_or(u32::MAX)
                .min(CALL_RETRIES_MAX)
        }),
    })
}

fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, ()> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let number = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok());
    number.map(Some).ok_or(())
}

fn malformed_timeout() -> Failure {
    malformed("x-timeout-ms is not a number of milliseconds above 0.")
}

fn malformed(message: &str) -> Failure {
    Failure::new(Code::Malformed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(name: &'static str, value: &str) -> Option<(u64, Option<u32>)> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        let budget = read(&headers, Duration::from_secs(30)).ok()?;
        let millis = u64::try_from(budget.timeout.as_millis()).unwrap();
        Some((millis, budget.max_retries))
    }

    #[test]
    fn both_have_a_default_a_most_and_a_form() {
        assert_eq!(read_one("x-other", "a"), Some((30_000, None)));
        for (value, millis) in [
            ("1", Some(1)),
            (" 2500 ", Some(2_500)),
            ("100000", Some(100_000)),
            ("100001", Some(100_000)),
            ("18446744073709551615", Some(100_000)),
            ("18446744073709551616", None),
            ("0", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
        ] {
            let expected = millis.map(|millis| (millis, None));
            assert_eq!(read_one("x-timeout-ms", value), expected, "{value}");
        }
        for (value, retries) in [
            ("0", Some(0)),
            ("5", Some(5)),
            ("6", Some(5)),
            ("99999999999", Some(5)),
            ("-1", None),
            ("two", None),
            ("", None),
        ] {
            let expected = retries.map(|retries| (30_000, Some(retries)));
            assert_eq!(read_one("x-max-retries", value), expected, "{value}");
        }
    }
}
