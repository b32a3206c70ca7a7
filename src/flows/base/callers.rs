//! The limit of concurrent callers of one object.

use std::cell::Cell;
use std::rc::Rc;

use crate::error::Failure;

/// The callers that one object serves. Each of them may wait by a timer; an object has 10,000 timers, and the next one
/// would end it.
#[derive(Debug, Clone, Default)]
pub struct Callers(Rc<Cell<usize>>);

/// Counts one caller until it is dropped.
#[derive(Debug)]
pub struct CallerGuard(Rc<Cell<usize>>);

impl Callers {
    /// Counts one more caller, or fails when there are `most`.
    pub fn enter(&self, most: usize) -> Result<CallerGuard, Failure> {
        if self.0.get() >= most {
            return Err(Failure::busy(
                "Too many concurrent requests to this account or environment. Try again.",
            ));
        }
        self.0.set(self.0.get() + 1);
        Ok(CallerGuard(Rc::clone(&self.0)))
    }
}

impl Drop for CallerGuard {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concurrent_callers_are_limited() {
        let callers = Callers::default();
        let inside: Vec<_> = (0..3).map(|_| callers.enter(3).unwrap()).collect();
        let over = callers.enter(3).unwrap_err();
        assert_eq!((over.status(), over.retry_after.is_some()), (503, true));
        drop(inside);
        callers.enter(3).unwrap();
    }
}
