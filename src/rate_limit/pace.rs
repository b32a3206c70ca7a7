//! The rate of one account: at most so many requests in ten seconds, and none while the provider asks for a pause.
//! The state is held in memory and shared by all callers of the account.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::time::Duration;

use crate::settings::RATE_PERIOD;
use crate::time::Timestamp;

/// The longest pause a provider can ask for. After it one request is sent to find out.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The reservations of one account: sent in the last ten seconds, or still to be sent.
#[derive(Debug, Default)]
pub struct Pace {
    /// Sorted by time.
    reserved: VecDeque<Timestamp>,
    paused_until: Option<Timestamp>,
}

/// The first free reservation is at or after the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLate {
    /// How long from now.
    pub wait: Duration,
    /// The limit that caused it.
    pub limit: AppliedLimit,
}

/// Which limit applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppliedLimit {
    /// The operator's, `ACCOUNT_RATE`.
    Operator,
    /// The provider's, from its last answer.
    Provider,
}

impl Pace {
    /// Reserves the first free moment from `not_before` on. A reservation counts until it is given back.
    pub fn take(
        &mut self,
        rate: Option<NonZeroUsize>,
        not_before: Timestamp,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Timestamp, TooLate> {
        let wanted = not_before.max(now);
        let free = rate.map_or(wanted, |rate| self.first_free(rate, wanted));
        let paused = self.paused_until.unwrap_or(wanted);
        let limit = if paused > free {
            AppliedLimit::Provider
        } else {
            AppliedLimit::Operator
        };
        let moment = match rate {
            Some(rate) if paused > free => self.first_free(rate, paused),
            _ => free.max(paused),
        };
        if moment > now && moment >= deadline {
            let wait = moment.since(now);
            return Err(TooLate { wait, limit });
        }
        self.note(rate, moment, now);
        Ok(moment)
    }

    /// Reserves again for a request that had to wait for a connection. Its earlier reservation, if any, is released first.
    pub fn take_again(
        &mut self,
        rate: Option<NonZeroUsize>,
        kept: Option<Timestamp>,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Timestamp, TooLate> {
        if let Some(moment) = kept {
            self.give_back(moment);
        }
        self.take(rate, now, now, deadline)
    }

    /// Releases a reservation that is not used.
    pub fn give_back(&mut self, moment: Timestamp) {
        if let Ok(place) = self.reserved.binary_search(&moment) {
            self.reserved.remove(place);
        }
    }

    /// Counts a request that was sent without a reservation, such as one that follows a redirect.
    pub fn count(&mut self, rate: Option<NonZeroUsize>, now: Timestamp) {
        self.note(rate, now, now);
    }

    /// Pauses the account as the provider asked.
    pub fn pause(&mut self, now: Timestamp, wait: Duration) {
        let until = now.plus(wait.min(LONGEST_PAUSE));
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// How long the provider's pause lasts from now; zero without one.
    pub fn paused(&self, now: Timestamp) -> Duration {
        self.paused_until
            .map_or(Duration::ZERO, |until| until.since(now))
    }

    /// Whether less than half of what ten seconds may have is reserved, and nothing is paused.
    pub fn has_spare(&self, rate: Option<NonZeroUsize>, now: Timestamp) -> bool {
        let recent = self.reserved.iter().filter(|at| at.plus(RATE_PERIOD) > now);
        let is_spare = rate.is_none_or(|rate| recent.count() <= rate.get() / 2);
        is_spare && self.paused(now).is_zero()
    }

    /// The first moment from `wanted` on with which no ten seconds have more than `rate` reservations.
    fn first_free(&self, rate: NonZeroUsize, wanted: Timestamp) -> Timestamp {
        let rate = rate.get();
        let mut moment = wanted;
        // Each round passes at least one reservation, so the loop ends.
        loop {
            let place = self.reserved.partition_point(|other| *other <= moment);
            let with = |at: usize| match at.cmp(&place) {
                Ordering::Less => self.reserved.get(at),
                Ordering::Equal => Some(&moment),
                Ordering::Greater => self.reserved.get(at - 1),
            };
            let is_full = |first: &usize| match (with(*first), with(*first + rate)) {
                (Some(first), Some(last)) => *last < first.plus(RATE_PERIOD),
                _ => false,
            };
            let mut firsts = place.saturating_sub(rate)..=place;
            moment = match firsts.rfind(is_full) {
                None => return moment,
                Some(first) if first < place => match self.reserved.get(first) {
                    Some(first) => first.plus(RATE_PERIOD),
                    None => return moment,
                },
                Some(_) => match self.reserved.get(place) {
                    Some(next) => *next,
                    None => return moment,
                },
            };
        }
    }

    fn note(&mut self, rate: Option<NonZeroUsize>, moment: Timestamp, now: Timestamp) {
        let Some(rate) = rate else { return };
        let place = self.reserved.partition_point(|other| *other <= moment);
        self.reserved.insert(place, moment);
        let is_over = |moment: &Timestamp| moment.plus(RATE_PERIOD) <= now;
        while self.reserved.len() > rate.get() && self.reserved.front().is_some_and(is_over) {
            self.reserved.pop_front();
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

    /// The reservation of a request at `now` with this deadline.
    fn take(
        pace: &mut Pace,
        rate: Option<NonZeroUsize>,
        now: i64,
        until: i64,
    ) -> Result<i64, TooLate> {
        pace.take(rate, at(now), at(now), at(until))
            .map(|moment| moment.as_millis() - at(0).as_millis())
    }

    fn late(millis: u64, limit: AppliedLimit) -> Result<i64, TooLate> {
        let wait = Duration::from_millis(millis);
        Err(TooLate { wait, limit })
    }

    #[test]
    fn two_go_in_any_ten_seconds_and_the_others_in_their_order() {
        let mut pace = Pace::default();
        for (now, moment) in [
            (0, 0),
            (4_000, 4_000),
            (4_000, 10_000),
            (5_000, 14_000),
            (6_000, 20_000),
            (40_000, 40_000),
            (40_000, 40_000),
            (40_001, 50_000),
        ] {
            assert_eq!(take(&mut pace, TWO, now, 100_000), Ok(moment), "{now}");
        }
        assert_eq!(pace.reserved.len(), 3, "no more is kept than is needed");
    }

    #[test]
    fn who_cannot_wait_takes_no_turn() {
        let mut pace = Pace::default();
        for _ in 0..2 {
            assert_eq!(take(&mut pace, TWO, 0, 1), Ok(0));
        }
        for _ in 0..3 {
            let too_late = late(10_000, AppliedLimit::Operator);
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
        assert!(pace.reserved.is_empty());
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
        let mut again = |moment, now| {
            let taken = pace.take_again(TWO, Some(at(moment)), at(now), at(60_000));
            taken.map(|moment| moment.as_millis() - at(0).as_millis())
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
            Err(TooLate {
                wait: Duration::from_secs(13),
                limit: AppliedLimit::Provider
            })
        );
    }

    #[test]
    fn no_ten_seconds_hold_more_whatever_order_they_are_asked_in() {
        let rate = NonZeroUsize::new(3);
        let (mut pace, mut seed, mut now, mut moments) =
            (Pace::default(), 7_u64, 0_i64, Vec::new());
        for _ in 0..2_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let [step, wait] = [seed >> 50, seed >> 33].map(|n| i64::try_from(n % 4_000).unwrap());
            now += step;
            let moment = pace.take(rate, at(now + wait * 10), at(now), at(1_000_000_000_000));
            moments.push(moment.unwrap().as_millis());
        }
        moments.sort_unstable();
        for window in moments.windows(4) {
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
            late(5_000, AppliedLimit::Provider)
        );
        assert_eq!(take(&mut pace, None, 0, 5_001), Ok(5_000));
        assert_eq!(take(&mut pace, None, 5_000, 5_000), Ok(5_000));
        pace.pause(at(6_000), Duration::MAX);
        assert_eq!(
            take(&mut pace, None, 6_000, 7_000),
            late(3_600_000, AppliedLimit::Provider)
        );
    }
}
