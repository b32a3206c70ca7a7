//! The one alarm of an object.

use std::cell::Cell;
use std::time::Duration;

use crate::ports::{Storage, StorageFault};
use crate::time::Timestamp;

/// An alarm that has not rung so long after its time is taken for lost. The platform promises that it rings, not when
/// (<https://developers.cloudflare.com/durable-objects/api/alarms/>). Setting one again that was only late does no harm:
/// it rings at once.
const LATEST: Duration = Duration::from_mins(1);

/// The alarm as its object set it last. An alarm that is set is only ever brought forward, until it rings.
///
/// An alarm whose time has come and that has not rung yet stays as it is: setting it to a later time would postpone what it
/// is to do, again with each write that comes in before it rings. (The directories did that.) One that has not rung a
/// minute later never will: it is set again, at once. (Accounts waited for it as long as their object was in memory.)
#[derive(Debug, Default)]
pub struct Alarm(Cell<Option<Timestamp>>);

impl Alarm {
    /// It rang, or it is not known whether one is set: the next that is asked for is set.
    pub fn forget(&self) {
        self.0.set(None);
    }

    /// The platform has this alarm.
    pub fn adopt(&self, set: Timestamp) {
        self.0.set(Some(set));
    }

    /// Rings then or before. It is set in the same atomic write as the statements before it.
    pub async fn ring_by(
        &self,
        storage: &impl Storage,
        now: Timestamp,
        at: Timestamp,
    ) -> Result<(), StorageFault> {
        let before = self.0.get();
        let is_lost = before.is_some_and(|set| set.plus(LATEST) < now);
        if !is_lost && before.is_some_and(|set| set <= at) {
            return Ok(());
        }
        let at = if is_lost { now } else { at };
        // Noted before it is done: of two at once the later must not undo the earlier.
        self.0.set(Some(at));
        let set = storage.set_alarm(at).await;
        if set.is_err() && self.0.get() == Some(at) {
            self.0.set(before);
        }
        set
    }

    /// Rings at this time and not before; where there is none, no more.
    pub async fn set_to(
        &self,
        storage: &impl Storage,
        next: Option<Timestamp>,
    ) -> Result<(), StorageFault> {
        self.0.set(next);
        let set = match next {
            Some(at) => storage.set_alarm(at).await,
            None => storage.delete_alarm().await,
        };
        if set.is_err() {
            self.forget();
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures_util::FutureExt;

    use super::*;
    use crate::ports::{Row, SqlValue};

    #[derive(Default)]
    struct Platform {
        set: RefCell<Vec<Option<i64>>>,
        is_broken: Cell<bool>,
    }

    impl Platform {
        fn take(&self, at: Option<Timestamp>) -> Result<(), StorageFault> {
            if self.is_broken.get() {
                return Err(StorageFault("broken".to_owned()));
            }
            self.set.borrow_mut().push(at.map(Timestamp::as_millis));
            Ok(())
        }
    }

    impl Storage for Platform {
        fn exec(&self, _: &str, _: &[SqlValue]) -> Result<Vec<Row>, StorageFault> {
            Ok(Vec::new())
        }
        async fn set_alarm(&self, at: Timestamp) -> Result<(), StorageFault> {
            self.take(Some(at))
        }
        async fn alarm(&self) -> Result<Option<Timestamp>, StorageFault> {
            Ok(None)
        }
        async fn delete_alarm(&self) -> Result<(), StorageFault> {
            self.take(None)
        }
        async fn erase(&self) -> Result<(), StorageFault> {
            Ok(())
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// What the platform is asked for by these requests, each `(now, at)`.
    fn set_by(requests: &[(i64, i64)]) -> Vec<Option<i64>> {
        let (platform, alarm) = (Platform::default(), Alarm::default());
        for (now, then) in requests {
            let set = alarm.ring_by(&platform, at(*now), at(*then));
            assert_eq!(set.now_or_never(), Some(Ok(())));
        }
        platform.set.take()
    }

    #[test]
    fn an_alarm_is_brought_forward_and_never_postponed() {
        assert_eq!(set_by(&[(0, 9), (0, 20), (1, 9)]), [Some(9)]);
        assert_eq!(set_by(&[(0, 9), (1, 4), (2, 6)]), [Some(9), Some(4)]);
    }

    #[test]
    fn an_alarm_whose_time_has_come_is_not_postponed_by_what_comes_before_it_rings() {
        assert_eq!(set_by(&[(0, 9), (10, 5_010), (11, 5_011)]), [Some(9)]);
        assert_eq!(set_by(&[(0, 9), (60_009, 70_000)]), [Some(9)]);
    }

    #[test]
    fn an_alarm_that_never_rang_is_set_again_at_once() {
        let requests = [(0, 9), (60_010, 70_000), (60_011, 70_000)];
        assert_eq!(set_by(&requests), [Some(9), Some(60_010)]);
    }

    #[test]
    fn after_it_rang_the_next_is_set_whatever_it_was() {
        let (platform, alarm) = (Platform::default(), Alarm::default());
        let set = |now, then| alarm.ring_by(&platform, at(now), at(then)).now_or_never();
        assert_eq!(set(0, 9), Some(Ok(())));
        alarm.forget();
        assert_eq!(set(9, 50), Some(Ok(())));
        assert_eq!(platform.set.take(), [Some(9), Some(50)]);
    }

    #[test]
    fn one_that_could_not_be_set_leaves_the_one_before() {
        let (platform, alarm) = (Platform::default(), Alarm::default());
        let set = |then| alarm.ring_by(&platform, at(0), at(then)).now_or_never();
        assert_eq!(set(9), Some(Ok(())));
        platform.is_broken.set(true);
        assert!(matches!(set(4), Some(Err(_))));
        platform.is_broken.set(false);
        assert_eq!(set(20), Some(Ok(())));
        assert_eq!(platform.set.take(), [Some(9)]);
    }

    #[test]
    fn it_can_be_set_to_a_later_time_and_taken_back() {
        let (platform, alarm) = (Platform::default(), Alarm::default());
        let to = |then: Option<i64>| alarm.set_to(&platform, then.map(at)).now_or_never();
        assert_eq!(to(Some(9)), Some(Ok(())));
        assert_eq!(to(Some(20)), Some(Ok(())));
        assert_eq!(to(None), Some(Ok(())));
        platform.is_broken.set(true);
        assert!(matches!(to(Some(5)), Some(Err(_))));
        platform.is_broken.set(false);
        let set = alarm.ring_by(&platform, at(0), at(30)).now_or_never();
        assert_eq!(set, Some(Ok(())));
        assert_eq!(platform.set.take(), [Some(9), Some(20), None, Some(30)]);
    }
}
