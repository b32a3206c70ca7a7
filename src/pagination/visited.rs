//! Which places of a list were asked for, in constant size. The first places and the last ones are kept as hashes, and so
//! is one place that moves to the pages 1, 2, 4, 8 … (Brent's cycle detection). A way that leads back to the beginning, or
//! round a few pages, is recognised at once; one with any other period by the time the list is three times as long.

use serde::{Deserialize, Serialize};

use super::position::{PagePlace, hash};

/// So many of the first places are kept.
const FIRST: usize = 4;
/// So many of the last ones.
const LAST: usize = 8;

/// Hashes of places.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visited {
    first: Vec<u64>,
    last: Vec<u64>,
    /// The place of page 1, 2, 4, 8 …
    milestone: Option<u64>,
    count: u64,
}

impl Visited {
    /// Whether nothing was asked for yet.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Notes a place that was asked for.
    pub(super) fn add(&mut self, place: &PagePlace) {
        let hash = hash_of(place);
        self.count = self.count.saturating_add(1);
        if self.count.is_power_of_two() {
            self.milestone = Some(hash);
        }
        if self.first.len() < FIRST {
            self.first.push(hash);
            return;
        }
        if self.last.len() >= LAST {
            self.last.remove(0);
        }
        self.last.push(hash);
    }

    /// Whether a place is known to have been asked for.
    pub(super) fn has(&self, place: &PagePlace) -> bool {
        let hash = hash_of(place);
        self.first.contains(&hash) || self.last.contains(&hash) || self.milestone == Some(hash)
    }
}

/// A cursor is the same place as a number and as a text.
fn hash_of(place: &PagePlace) -> u64 {
    match place {
        PagePlace::Cursor(json) => hash(json.trim_matches('"')),
        other => hash(&serde_json::to_string(other).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pages that are asked for until the cycle is recognised.
    fn pages(tail: u64, period: u64) -> u64 {
        let mut visited = Visited::default();
        let at = |page: u64| {
            let place = if page < tail {
                page
            } else {
                tail + (page - tail) % period
            };
            PagePlace::Cursor(place.to_string())
        };
        for page in 0..1_000_000 {
            visited.add(&at(page));
            if visited.has(&at(page + 1)) {
                return page + 1;
            }
        }
        0
    }

    #[test]
    fn every_cycle_is_recognised_and_a_short_one_at_once() {
        for period in 1..=8 {
            for tail in [0, 1, 2, 5, 100] {
                assert_eq!(pages(tail, period), tail + period, "{tail} {period}");
            }
        }
        for period in [9, 10, 64, 1_000, 12_345] {
            assert_eq!(pages(0, period), period, "back to the beginning");
            let found = pages(7, period);
            assert!(
                found > period && found <= 3 * (7 + period),
                "{period}: {found}"
            );
        }
    }

    #[test]
    fn a_list_that_goes_on_is_no_cycle_and_takes_constant_room() {
        let mut visited = Visited::default();
        let mut most = 0;
        for page in 0..100_000_u64 {
            assert!(!visited.has(&PagePlace::Page(page)));
            visited.add(&PagePlace::Page(page));
            most = most.max(serde_json::to_string(&visited).unwrap().len());
        }
        assert!(most < 400, "{most}");
    }
}
