//! Numbers that grow with time. For events and log lines such a number is key, order and cursor at once.

use crate::time::Timestamp;

/// Numbers of one millisecond. With a thousand they stay below 2^53, which JavaScript counts exactly to, until the year
/// 2255.
const PER_MILLISECOND: i64 = 1_000;

/// The first number of a moment.
pub fn number_at(moment: Timestamp) -> i64 {
    moment.as_millis().saturating_mul(PER_MILLISECOND)
}

/// The first number of the millisecond after that of `first`: all numbers of one millisecond are one time.
pub fn next_moment(first: i64) -> i64 {
    first.saturating_add(PER_MILLISECOND)
}

/// The moment of a number.
pub fn moment_of(number: i64) -> Timestamp {
    Timestamp::from_millis(number / PER_MILLISECOND)
}

/// The next number after `last` at this time. It is higher than all before, even if the clock is set back.
pub fn number_after(last: i64, now: Timestamp) -> i64 {
    number_at(now).max(last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_up_within_a_millisecond_and_when_the_clock_goes_back() {
        let (now, before) = (Timestamp::from_millis(7), Timestamp::from_millis(3));
        let first = number_after(0, now);
        assert_eq!(first, 7_000);
        assert_eq!(number_after(first, now), 7_001);
        assert_eq!(number_after(first, before), 7_001);
        assert_eq!(moment_of(7_999), now);
        assert_eq!(next_moment(first), number_at(Timestamp::from_millis(8)));
    }
}
