//! How fast an account may go: so many requests in ten seconds, and none while the provider wants none.
//! It is held in memory and shared by all callers of the account.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::settings::RATE_PERIOD;
use crate::time::Timestamp;

/// The longest the provider's word keeps callers off. Then one request asks again.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The requests of the last ten seconds, and those that wait for their turn.
#[derive(Debug, Default)]
pub struct Pace {
    /// In the order of time; as many as the rate.
    turns: VecDeque<Timestamp>,
    paused_until: Option<Timestamp>,
}

/// A turn comes too late for who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    /// How long from now.
    pub wait: Duration,
    /// By whose limit.
    pub whose: Whose,
}

/// Who limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The operator, by `ACCOUNT_RATE`.
    Operators,
    /// The provider, by what it said last.
    Providers,
}

impl Pace {
    /// Takes the first turn that is free from `not_before` on; it counts, whether it is used or not.
    pub fn take(
        &mut self,
        rate: Option<NonZeroUsize>,
        not_before: Timestamp,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Timestamp, Late> {
        let free = rate.and_then(|rate| self.free(rate));
        let whose = if self.paused_until > free {
            Whose::Providers
        } else {
            Whose::Operators
        };
        let wanted = not_before.max(now);
        let turn = wanted.max(free.max(self.paused_until).unwrap_or(wanted));
        if turn > now && turn >= deadline {
            let wait = turn.since(now);
            return Err(Late { wait, whose });
        }
        self.note(rate, turn);
        Ok(turn)
    }

    /// The provider wants no request for so long.
    pub fn pause(&mut self, now: Timestamp, wait: Duration) {
        let until = now.plus(wait.min(LONGEST_PAUSE));
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// Whether a pause that was said after this turn was taken goes beyond it.
    pub fn is_paused_at(&self, turn: Timestamp) -> bool {
        self.paused_until.is_some_and(|until| until > turn)
    }

    /// When the oldest of the last `rate` requests is ten seconds ago.
    fn free(&self, rate: NonZeroUsize) -> Option<Timestamp> {
        let oldest = self.turns.len().checked_sub(rate.get())?;
        Some(self.turns.get(oldest)?.plus(RATE_PERIOD))
    }

    fn note(&mut self, rate: Option<NonZeroUsize>, turn: Timestamp) {
        let Some(rate) = rate else { return };
        let place = self.turns.partition_point(|other| *other <= turn);
        self.turns.insert(place, turn);
        while self.turns.len() > rate.get() {
            self.turns.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Option<NonZeroUsize> = NonZeroUsize::new(2);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + millis)
    }

    /// The turn of who asks at `now` and has time until then.
    fn take(
        pace: &mut Pace,
        rate: Option<NonZeroUsize>,
        now: i64,
        until: i64,
    ) -> Result<i64, Late> {
        pace.take(rate, at(now), at(now), at(until))
            .map(|turn| turn.as_millis() - at(0).as_millis())
    }

    fn late(millis: u64, whose: Whose) -> Result<i64, Late> {
        let wait = Duration::from_millis(millis);
        Err(Late { wait, whose })
    }

    #[test]
    fn two_go_in_any_ten_seconds_and_the_others_in_their_order() {
        let mut pace = Pace::default();
        for (now, turn) in [
            (0, 0),
            (4_000, 4_000),
            (4_000, 10_000),
            (5_000, 14_000),
            (6_000, 20_000),
            (40_000, 40_000),
            (40_000, 40_000),
            (40_001, 50_000),
        ] {
            assert_eq!(take(&mut pace, TWO, now, 100_000), Ok(turn), "{now}");
        }
        assert_eq!(pace.turns.len(), 2, "no more is kept than is needed");
    }

    #[test]
    fn who_cannot_wait_takes_no_turn() {
        let mut pace = Pace::default();
        for _ in 0..2 {
            assert_eq!(take(&mut pace, TWO, 0, 1), Ok(0));
        }
        for _ in 0..3 {
            let too_late = late(10_000, Whose::Operators);
            assert_eq!(take(&mut pace, TWO, 0, 10_000), too_late);
        }
        assert_eq!(take(&mut pace, TWO, 0, 10_001), Ok(10_000));
    }

    #[test]
    fn without_a_rate_all_go_at_once_and_nothing_is_kept() {
        let mut pace = Pace::default();
        for _ in 0..1_000 {
            assert_eq!(take(&mut pace, None, 7, 7), Ok(7));
        }
        assert!(pace.turns.is_empty());
    }

    #[test]
    fn a_retry_that_comes_later_counts_when_it_comes() {
        let mut pace = Pace::default();
        let retry = pace.take(TWO, at(3_000), at(0), at(30_000));
        assert_eq!(retry, Ok(at(3_000)));
        assert_eq!(take(&mut pace, TWO, 1_000, 30_000), Ok(1_000));
        assert_eq!(take(&mut pace, TWO, 1_000, 30_000), Ok(11_000));
    }

    #[test]
    fn a_pause_holds_for_all_and_is_never_cut_short_nor_endless() {
        let mut pace = Pace::default();
        pace.pause(at(0), Duration::from_secs(5));
        pace.pause(at(0), Duration::from_secs(2));
        assert_eq!(
            take(&mut pace, None, 0, 5_000),
            late(5_000, Whose::Providers)
        );
        assert_eq!(take(&mut pace, None, 0, 5_001), Ok(5_000));
        assert_eq!(take(&mut pace, None, 5_000, 5_000), Ok(5_000));
        assert!(pace.is_paused_at(at(4_999)) && !pace.is_paused_at(at(5_000)));
        pace.pause(at(6_000), Duration::MAX);
        assert_eq!(
            take(&mut pace, None, 6_000, 7_000),
            late(3_600_000, Whose::Providers)
        );
    }
}
