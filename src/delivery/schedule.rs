//! When a delivery is tried again: soon at first, over about three days, as Standard Webhooks advises.

use std::time::Duration;

/// How often a delivery is tried.
pub const ATTEMPTS: u32 = 10;

const DAY: Duration = Duration::from_hours(24);

/// The wait before each try; the first goes at once.
const WAITS: [Duration; ATTEMPTS as usize] = [
    Duration::ZERO,
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(10),
    DAY,
    DAY,
];

/// The longest wait a receiver may ask for.
const LONGEST_ASKED: Duration = DAY;

/// How long until the next try, after `attempts` of them; nothing after the last.
///
/// Up to a fifth is added, so that what failed together is not tried together. What the receiver `asked`
/// for by `retry-after` counts when it is longer.
pub fn next_wait(attempts: u32, asked: Option<Duration>, random: [u8; 4]) -> Option<Duration> {
    let wait = *WAITS.get(usize::try_from(attempts).ok()?)?;
    let share = f64::from(u32::from_be_bytes(random)) / f64::from(u32::MAX);
    let jittered = wait.mul_f64(1.0 + share / 5.0);
    let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
    Some(jittered.max(asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: [u8; 4] = [0; 4];
    const MOST: [u8; 4] = [0xff; 4];

    #[test]
    fn ten_tries_over_about_three_days() {
        let seconds: Vec<_> = (0..=ATTEMPTS)
            .map(|attempts| next_wait(attempts, None, LEAST).map(|wait| wait.as_secs()))
            .collect();
        let expected = [
            0, 5, 300, 1_800, 7_200, 18_000, 36_000, 36_000, 86_400, 86_400,
        ];
        let expected: Vec<_> = expected.map(Some).into_iter().chain([None]).collect();
        assert_eq!(seconds, expected);
        assert_eq!(next_wait(u32::MAX, None, LEAST), None);
    }

    #[test]
    fn chance_adds_up_to_a_fifth() {
        assert_eq!(next_wait(2, None, MOST), Some(Duration::from_mins(6)));
        let middle = next_wait(2, None, [0x80, 0, 0, 0]).unwrap();
        assert!((329..=331).contains(&middle.as_secs()), "{middle:?}");
    }

    #[test]
    fn a_longer_wait_that_was_asked_for_counts_up_to_a_day() {
        let asked = |seconds| next_wait(1, Some(Duration::from_secs(seconds)), LEAST).unwrap();
        assert_eq!(asked(2).as_secs(), 5);
        assert_eq!(asked(90).as_secs(), 90);
        assert_eq!(asked(u64::MAX), DAY);
        assert_eq!(next_wait(ATTEMPTS, Some(DAY), LEAST), None);
    }
}
