//! How fast an account may go: so many requests in ten seconds, and none while the provider wants none.
//! It is held in memory and shared by all callers of the account.

use std::cmp::Ordering;
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
    /// In the order of time: those of the last ten seconds, and those to come.
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
        let wanted = not_before.max(now);
        let free = rate.map_or(wanted, |rate| self.first_free(rate, wanted));
        let paused = self.paused_until.unwrap_or(wanted);
        let whose = if paused > free {
            Whose::Providers
        } else {
            Whose::Operators
        };
        let turn = match rate {
            Some(rate) if paused > free => self.first_free(rate, paused),
            _ => free.max(paused),
        };
        if turn > now && turn >= deadline {
            let wait = turn.since(now);
            return Err(Late { wait, whose });
        }
        self.note(rate, turn, now);
        Ok(turn)
    }

    /// The turn of who comes now, and may come later than the one he took, if he kept it: that one is free again.
    pub fn take_again(
        &mut self,
        rate: Option<NonZeroUsize>,
        kept: Option<Timestamp>,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Timestamp, Late> {
        if let Some(turn) = kept {
            self.give_back(turn);
        }
        self.take(rate, now, now, deadline)
    }

    /// A turn that is not used is free for others.
    pub fn give_back(&mut self, turn: Timestamp) {
        if let Ok(place) = self.turns.binary_search(&turn) {
            self.turns.remove(place);
        }
    }

    /// A request that nobody could ask for a turn: what follows a redirect.
    pub fn count(&mut self, rate: Option<NonZeroUsize>, now: Timestamp) {
        self.note(rate, now, now);
    }

    /// The provider wants no request for so long.
    pub fn pause(&mut self, now: Timestamp, wait: Duration) {
        let until = now.plus(wait.min(LONGEST_PAUSE));
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// The first moment from `wanted` on that makes no more than `rate` turns in any ten seconds.
    fn first_free(&self, rate: NonZeroUsize, wanted: Timestamp) -> Timestamp {
        let rate = rate.get();
        let mut turn = wanted;
        // Each round goes beyond a turn that is taken.
        loop {
            let place = self.turns.partition_point(|other| *other <= turn);
            let with = |at: usize| match at.cmp(&place) {
                Ordering::Less => self.turns.get(at),
                Ordering::Equal => Some(&turn),
                Ordering::Greater => self.turns.get(at - 1),
            };
            let is_full = |first: &usize| match (with(*first), with(*first + rate)) {
                (Some(first), Some(last)) => *last < first.plus(RATE_PERIOD),
                _ => false,
            };
            let mut firsts = place.saturating_sub(rate)..=place;
            turn = match firsts.rfind(is_full) {
                None => return turn,
                Some(first) if first < place => match self.turns.get(first) {
                    Some(first) => first.plus(RATE_PERIOD),
                    None => return turn,
                },
                Some(_) => match self.turns.get(place) {
                    Some(next) => *next,
                    None => return turn,
                },
            };
        }
    }

    fn note(&mut self, rate: Option<NonZeroUsize>, turn: Timestamp, now: Timestamp) {
        let Some(rate) = rate else { return };
        let place = self.turns.partition_point(|other| *other <= turn);
        self.turns.insert(place, turn);
        let is_over = |turn: &Timestamp| turn.plus(RATE_PERIOD) <= now;
        while self.turns.len() > rate.get() && self.turns.front().is_some_and(is_over) {
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
        assert_eq!(pace.turns.len(), 3, "no more is kept than is needed");
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
    fn who_comes_later_than_his_turn_takes_another() {
        let mut pace = Pace::default();
        assert_eq!(take(&mut pace, TWO, 0, 30_000), Ok(0));
        assert_eq!(take(&mut pace, TWO, 0, 30_000), Ok(0));
        let mut again = |turn, now| {
            let taken = pace.take_again(TWO, Some(at(turn)), at(now), at(60_000));
            taken.map(|turn| turn.as_millis() - at(0).as_millis())
        };
        assert_eq!(again(0, 0), Ok(0), "at once it is the same");
        assert_eq!(again(0, 7_000), Ok(7_000));
        assert_eq!(again(0, 7_000), Ok(7_000));
        let next = take(&mut pace, TWO, 10_000, 60_000);
        assert_eq!(next, Ok(17_000), "both were sent at 7");
        pace.pause(at(10_000), Duration::from_secs(20));
        let paused = pace.take_again(TWO, Some(at(17_000)), at(17_000), at(25_000));
        assert_eq!(
            paused,
            Err(Late {
                wait: Duration::from_secs(13),
                whose: Whose::Providers
            })
        );
    }

    #[test]
    fn no_ten_seconds_hold_more_whatever_order_they_are_asked_in() {
        let rate = NonZeroUsize::new(3);
        let (mut pace, mut seed, mut now, mut turns) = (Pace::default(), 7_u64, 0_i64, Vec::new());
        for _ in 0..2_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let [step, wait] = [seed >> 50, seed >> 33].map(|n| i64::try_from(n % 4_000).unwrap());
            now += step;
            let turn = pace.take(rate, at(now + wait * 10), at(now), at(1_000_000_000_000));
            turns.push(turn.unwrap().as_millis());
        }
        turns.sort_unstable();
        for window in turns.windows(4) {
            assert!(window[3] - window[0] >= 10_000, "{window:?}");
        }
    }

    #[test]
    fn a_redirect_counts() {
        let mut pace = Pace::default();
        assert_eq!(take(&mut pace, TWO, 0, 30_000), Ok(0));
        pace.count(TWO, at(1_000));
        assert_eq!(take(&mut pace, TWO, 1_000, 30_000), Ok(10_000));
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
        pace.pause(at(6_000), Duration::MAX);
        assert_eq!(
            take(&mut pace, None, 6_000, 7_000),
            late(3_600_000, Whose::Providers)
        );
    }
}
