//! Why further tokens (`alsoFor`) could not be obtained, and until when the provider is not asked for them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::error::Failure;
use crate::time::Timestamp;

#[derive(Default)]
pub(super) struct AlsoFailures(RefCell<BTreeMap<String, (Timestamp, Failure)>>);

impl AlsoFailures {
    /// Notes how a further token was obtained: until when it is not asked for, and why; `None` where it was.
    pub(super) fn note(&self, name: &str, failure: Option<(Timestamp, Failure)>) {
        let mut failures = self.0.borrow_mut();
        match failure {
            Some(failure) => drop(failures.insert(name.to_owned(), failure)),
            None => drop(failures.remove(name)),
        }
    }

    /// Why a further token is not asked for now.
    pub(super) fn get(&self, name: &str, now: Timestamp) -> Option<Failure> {
        let failures = self.0.borrow();
        let (until, failure) = failures.get(name)?;
        let left = until.since(now);
        let seconds = left.as_secs().saturating_add(1);
        (!left.is_zero()).then(|| failure.clone().with_retry_after(seconds))
    }

    pub(super) fn clear(&self) {
        self.0.take();
    }
}
