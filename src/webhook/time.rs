//! Whether a webhook was signed just now.

use crate::config::webhook::TimestampUnit;
use crate::time::Timestamp;

use super::Refusal;

/// Refuses what was signed more than `tolerance` seconds before or after now.
pub(super) fn check(
    text: &[u8],
    unit: TimestampUnit,
    tolerance: u64,
    now: Timestamp,
) -> Result<(), Refusal> {
    let unreadable = || Refusal::Malformed("the timestamp".to_owned());
    let text = str::from_utf8(text).map_err(|_| unreadable())?;
    let signed = millis(text.trim(), unit, now).ok_or_else(unreadable)?;
    let age = now.as_millis().saturating_sub(signed);
    if age.unsigned_abs() <= tolerance.saturating_mul(1000) {
        return Ok(());
    }
    if age > 0 {
        Err(Refusal::TooOld(age / 1000))
    } else {
        Err(Refusal::TooNew(age.saturating_neg() / 1000))
    }
}

fn millis(text: &str, unit: TimestampUnit, now: Timestamp) -> Option<i64> {
    if unit == TimestampUnit::Rfc3339 {
        return Timestamp::parse_any(text, now).map(Timestamp::as_millis);
    }
    // A fraction of a second matters to no tolerance.
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let is_number = !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = whole.parse().ok().filter(|_| is_number)?;
    match unit {
        TimestampUnit::Seconds => number.checked_mul(1000),
        TimestampUnit::Nanoseconds => Some(number / 1_000_000),
        TimestampUnit::Milliseconds | TimestampUnit::Rfc3339 => Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    #[test]
    fn a_time_is_read_in_its_unit_and_may_differ_by_the_tolerance_both_ways() {
        let table = [
            ("1700000000", TimestampUnit::Seconds, None),
            ("1700000000.9", TimestampUnit::Seconds, None),
            ("1699999700", TimestampUnit::Seconds, None),
            ("1699999699", TimestampUnit::Seconds, Some("too_old")),
            ("1700000300", TimestampUnit::Seconds, None),
            ("1700000301", TimestampUnit::Seconds, Some("too_new")),
            ("1700000000000", TimestampUnit::Seconds, Some("too_new")),
            ("1700000000000", TimestampUnit::Milliseconds, None),
            ("1700000000000000000", TimestampUnit::Nanoseconds, None),
            ("2023-11-14T22:13:20Z", TimestampUnit::Rfc3339, None),
            (
                "2023-11-14T22:08:19Z",
                TimestampUnit::Rfc3339,
                Some("too_old"),
            ),
            ("", TimestampUnit::Seconds, Some("malformed")),
            ("-1", TimestampUnit::Seconds, Some("malformed")),
            (
                "9999999999999999999",
                TimestampUnit::Seconds,
                Some("malformed"),
            ),
            ("now", TimestampUnit::Rfc3339, Some("malformed")),
        ];
        for (text, unit, refused) in table {
            let result = check(text.as_bytes(), unit, 300, Timestamp::from_millis(NOW));
            assert_eq!(
                result.err().map(|refusal| refusal.code()),
                refused,
                "{text}"
            );
        }
    }
}
