//! Failed authentications of one isolate: the addresses that are refused for some time, and the number of unknown
//! unsigned tokens.

use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::settings::{FAILED_ADDRESSES, UNSIGNED_MISSES, UNSIGNED_PERIOD};
use crate::time::Timestamp;

#[derive(Default)]
pub struct FailedAuth {
    /// Address → the end of its refusal.
    refused: RefCell<Option<LruCache<String, Timestamp>>>,
    /// Unsigned tokens that were not found: since when, and how many.
    misses: Cell<Option<(Timestamp, usize)>>,
}

impl FailedAuth {
    /// The end of the refusal of a sender's address.
    pub fn refused_until(&self, address: &str, now: Timestamp) -> Option<Timestamp> {
        let mut refused = self.refused.borrow_mut();
        let until = refused.as_mut()?.get(address).copied()?;
        (until > now).then_some(until)
    }

    /// Refuses a sender's address until `until`. When there are too many addresses, the least recently used are
    /// removed.
    pub fn refuse(&self, address: &str, until: Timestamp) {
        let most = NonZeroUsize::new(FAILED_ADDRESSES).unwrap_or(NonZeroUsize::MIN);
        self.refused
            .borrow_mut()
            .get_or_insert_with(|| LruCache::new(most))
            .put(address.to_owned(), until);
    }

    /// Counts an unsigned token or webhook URL that was not found.
    pub fn note_miss(&self, now: Timestamp) {
        let next = match self.misses.get() {
            Some((since, misses)) if now < since.plus(UNSIGNED_PERIOD) => (since, misses + 1),
            _ => (now, 1),
        };
        self.misses.set(Some(next));
    }

    /// Until when unsigned tokens are not looked up, because too many of them were not found.
    pub fn unsigned_wait_until(&self, now: Timestamp) -> Option<Timestamp> {
        let (since, misses) = self.misses.get()?;
        let until = since.plus(UNSIGNED_PERIOD);
        (misses >= UNSIGNED_MISSES && now < until).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn an_address_is_refused_until_its_time_and_the_oldest_is_forgotten() {
        let failed = FailedAuth::default();
        failed.refuse("a", at(10));
        assert_eq!(failed.refused_until("a", at(9)), Some(at(10)));
        assert_eq!(failed.refused_until("a", at(10)), None);
        assert_eq!(failed.refused_until("b", at(9)), None);
        for number in 0..FAILED_ADDRESSES {
            failed.refuse(&number.to_string(), at(10));
        }
        assert_eq!(failed.refused_until("a", at(9)), None);
        assert!(failed.refused_until("0", at(9)).is_some());
    }

    #[test]
    fn unsigned_tokens_wait_from_the_last_miss_that_is_allowed_to_the_end_of_the_period() {
        let failed = FailedAuth::default();
        for _ in 1..UNSIGNED_MISSES {
            failed.note_miss(at(0));
        }
        assert_eq!(failed.unsigned_wait_until(at(1)), None);
        failed.note_miss(at(1));
        let end = at(0).plus(UNSIGNED_PERIOD);
        assert_eq!(failed.unsigned_wait_until(at(1)), Some(end));
        assert_eq!(failed.unsigned_wait_until(end), None);
        failed.note_miss(end);
        assert_eq!(failed.unsigned_wait_until(end), None);
    }
}
