//! What follows when the account's own provider refuses its credential (401): when that is worth a new token, and when
//! a refusal that nothing else can confirm switches the account off.

use std::time::Duration;

use crate::settings::{
    REFUSAL_APART, REFUSAL_FORGOTTEN, REFUSED_REFRESH_PAUSE, REFUSED_REFRESH_PAUSE_MAX,
    UNCLEAR_REFUSAL_MAX,
};
use crate::time::Timestamp;

/// Paces the refreshes that refusals cause: a path that refuses every token must not cost one each time.
#[derive(Debug, Clone, Copy, Default)]
pub struct RefusedRefreshes {
    next_at: Option<Timestamp>,
    /// How many in a row have not helped.
    fruitless: u32,
}

impl RefusedRefreshes {
    /// Whether a refusal may cause a refresh now.
    pub fn is_due(self, now: Timestamp) -> bool {
        self.next_at.is_none_or(|at| at <= now)
    }

    /// One begins: the next waits longer each time, until one helps or none was wanted for long.
    #[must_use]
    pub fn begin(self, now: Timestamp) -> Self {
        let is_old = |at: Timestamp| at.plus(REFUSED_REFRESH_PAUSE_MAX) <= now;
        let fruitless = if self.next_at.is_none_or(is_old) {
            0
        } else {
            self.fruitless
        };
        let wait = REFUSED_REFRESH_PAUSE.saturating_mul(1 << fruitless.min(10));
        Self {
            next_at: Some(now.plus(wait.min(REFUSED_REFRESH_PAUSE_MAX))),
            fruitless: fruitless.saturating_add(1),
        }
    }

    /// With the new token the same request was not refused.
    #[must_use]
    pub fn help(self, now: Timestamp) -> Self {
        Self {
            next_at: Some(now.plus(REFUSED_REFRESH_PAUSE)),
            fruitless: 0,
        }
    }

    /// The account has a new token, for any reason: another so soon would be refused like it.
    #[must_use]
    pub fn after_new_token(self, now: Timestamp) -> Self {
        let soonest = now.plus(REFUSED_REFRESH_PAUSE);
        let next_at = self.next_at.map_or(soonest, |at| at.max(soonest));
        Self {
            next_at: Some(next_at),
            ..self
        }
    }
}

/// A refusal by a method of the file, where the file has no `validation` that could confirm it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Suspicion {
    since: Option<Timestamp>,
    /// When the account was changed last, as it was refused: other credentials are another matter.
    changed_at: Option<Timestamp>,
}

impl Suspicion {
    /// One that began then, of an account that had been changed last at `changed_at`.
    pub fn begun(since: Timestamp, changed_at: Timestamp) -> Self {
        Self {
            since: Some(since),
            changed_at: Some(changed_at),
        }
    }

    /// When it began, and when the account had been changed last; `None` where nothing is suspected.
    pub fn times(self) -> Option<(Timestamp, Timestamp)> {
        self.since.zip(self.changed_at)
    }

    /// One more refusal. Whether it confirms the first: a while apart, with no success between, for that ends a suspicion.
    #[must_use]
    pub fn refuse(self, now: Timestamp, changed_at: Timestamp) -> (Self, bool) {
        let begun = Self::begun(now, changed_at);
        let Some(since) = self.since.filter(|_| self.changed_at == Some(changed_at)) else {
            return (begun, false);
        };
        let apart: Duration = now.since(since);
        if apart >= REFUSAL_FORGOTTEN {
            return (begun, false);
        }
        (self, apart >= REFUSAL_APART)
    }
}

/// Whether a token endpoint that has given neither a token nor a clear reason since then means that the grant is dead.
pub fn is_final(unclear_since: Timestamp, now: Timestamp) -> bool {
    now.since(unclear_since) >= UNCLEAR_REFUSAL_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000_000_000 + seconds * 1_000)
    }

    #[test]
    fn a_refresh_for_a_refusal_waits_a_minute_and_longer_while_none_helps() {
        let mut paced = RefusedRefreshes::default();
        let (mut begun, mut second) = (Vec::new(), 0);
        while second < 3_600 {
            if paced.is_due(at(second)) {
                paced = paced.begin(at(second));
                begun.push(second);
            }
            second += 1;
        }
        assert_eq!(begun, [0, 60, 180, 420, 900, 1800, 2700]);
        let helped = paced.help(at(3_600));
        assert!(!helped.is_due(at(3_659)) && helped.is_due(at(3_660)));
        assert!(
            helped.begin(at(3_660)).is_due(at(3_720)),
            "and counts from the start"
        );
        assert!(
            paced.begin(at(9_999)).is_due(at(10_059)),
            "also after a long while"
        );
    }

    #[test]
    fn unclear_refusals_are_final_after_an_hour() {
        assert!(!is_final(at(0), at(3_599)) && is_final(at(0), at(3_600)));
        assert!(!is_final(at(9), at(0)), "a clock that was set back");
    }

    #[test]
    fn a_token_that_is_new_is_not_replaced_at_once() {
        let paced = RefusedRefreshes::default().after_new_token(at(0));
        assert!(!paced.is_due(at(59)) && paced.is_due(at(60)));
        let slow = paced.begin(at(60)).begin(at(61)).after_new_token(at(62));
        assert!(!slow.is_due(at(130)), "a longer pause is not cut short");
    }

    #[test]
    fn the_second_refusal_counts_when_it_is_a_minute_to_an_hour_behind() {
        for (apart, counts) in [
            (0, false),
            (59, false),
            (60, true),
            (3_599, true),
            (3_600, false),
        ] {
            let (suspicion, first) = Suspicion::default().refuse(at(0), at(-9));
            assert!(!first);
            assert_eq!(suspicion.refuse(at(apart), at(-9)).1, counts, "{apart}");
            assert!(
                !suspicion.refuse(at(apart), at(-1)).1,
                "of other credentials"
            );
        }
        let (late, _) = Suspicion::default().refuse(at(0), at(-9));
        let (restarted, _) = late.refuse(at(4_000), at(-9));
        assert!(restarted.refuse(at(4_060), at(-9)).1);
    }
}
