//! The one alarm of an object.

use std::cell::Cell;
use std::time::Duration;

use crate::ports::{Storage, StorageFault};
use crate::time::Timestamp;

/// An alarm that has not fired for so long after its time is treated as lost. The platform promises that it fires, not
/// when (<https://developers.cloudflare.com/durable-objects/api/alarms/>). Setting an alarm again that was only late
/// does no harm: it fires at once.
const LATEST: Duration = Duration::from_mins(1);

/// The alarm that its object set last. Until it fires, it is only brought forward.
///
/// An alarm that is due and has not fired yet is left as it is: a later time would postpone its work, again with each
/// write before it fires. An alarm that has not fired a minute later is lost, and is set again for now.
#[derive(Debug, Default)]
pub struct Alarm(Cell<Option<Timestamp>>);

impl Alarm {
    /// Forgets the alarm, because it fired or its state is unknown. The next request sets one.
    pub fn forget(&self) {
        self.0.set(None);
    }

    /// Whether it is set for this time or an earlier one.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.0.get().is_some_and(|set| set <= now)
    }

    /// Records an alarm that the platform has already.
    pub fn adopt(&self, set: Timestamp) {
        self.0.set(Some(set));
    }

    /// Makes the alarm fire at `at` or earlier. It is set in the same atomic write as the statements before it.
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
        // Recorded before the call: of two concurrent calls the later must not undo the earlier.
        self.0.set(Some(at));
        let set = storage.set_alarm(at).await;
        if set.is_err() && self.0.get() == Some(at) {
            self.0.set(before);
        }
        set
    }

    /// Sets the alarm to exactly this time. `None` deletes it.
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
        fn has_table(&self, _: &str) -> Result<bool, StorageFault> {
            Ok(false)
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

    /// The alarms that these requests set at the platform, each `(now, at)`.
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
    fn a_due_alarm_is_not_postponed_before_it_fires() {
        assert_eq!(set_by(&[(0, 9), (10, 5_010), (11, 5_011)]), [Some(9)]);
        assert_eq!(set_by(&[(0, 9), (60_009, 70_000)]), [Some(9)]);
    }

    #[test]
    fn an_alarm_that_never_fired_is_set_again_at_once() {
        let requests = [(0, 9), (60_010, 70_000), (60_011, 70_000)];
        assert_eq!(set_by(&requests), [Some(9), Some(60_010)]);
    }

    #[test]
    fn after_it_fired_the_next_is_set_at_any_time() {
        let (platform, alarm) = (Platform::default(), Alarm::default());
        let set = |now, then| alarm.ring_by(&platform, at(now), at(then)).now_or_never();
        assert_eq!(set(0, 9), Some(Ok(())));
        alarm.forget();
        assert_eq!(set(9, 50), Some(Ok(())));
        assert_eq!(platform.set.take(), [Some(9), Some(50)]);
    }

    #[test]
    fn an_alarm_that_could_not_be_set_leaves_the_previous_one() {
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
    fn it_can_be_set_to_a_later_time_and_deleted() {
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
