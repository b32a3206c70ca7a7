//! What an isolate remembers of authentications that failed: which addresses are refused for now, and how many unsigned
//! tokens named nothing.

use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::settings::{FAILED_ADDRESSES, UNSIGNED_MISSES, UNSIGNED_PERIOD};
use crate::time::Timestamp;

/// Shared by all requests of one isolate.
#[derive(Default)]
pub struct FailedAuth {
    /// Address → until when it is refused.
    refused: RefCell<Option<LruCache<String, Timestamp>>>,
    /// Unsigned tokens that named nothing: since when, and how many.
    misses: Cell<Option<(Timestamp, usize)>>,
}

impl FailedAuth {
    /// Until when a sender's address is refused, if it is.
    pub fn refused_until(&self, address: &str, now: Timestamp) -> Option<Timestamp> {
        let mut refused = self.refused.borrow_mut();
        let until = refused.as_mut()?.get(address).copied()?;
        (until > now).then_some(until)
    }

    /// A sender's address is refused until then. Of too many addresses the least used are forgotten.
    pub fn refuse(&self, address: &str, until: Timestamp) {
        let most = NonZeroUsize::new(FAILED_ADDRESSES).unwrap_or(NonZeroUsize::MIN);
        self.refused
            .borrow_mut()
            .get_or_insert_with(|| LruCache::new(most))
            .put(address.to_owned(), until);
    }

    /// An unsigned token or webhook URL named nothing.
    pub fn note_miss(&self, now: Timestamp) {
        let next = match self.misses.get() {
            Some((since, misses)) if now < since.plus(UNSIGNED_PERIOD) => (since, misses + 1),
            _ => (now, 1),
        };
        self.misses.set(Some(next));
    }

    /// Until when unsigned tokens are not looked up, if too many of them named nothing.
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
    fn an_address_is_refused_until_its_moment_and_the_oldest_is_forgotten() {
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
