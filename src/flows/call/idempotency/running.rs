//! Which writes with an `Idempotency-Key` run in the object now. One that was cut off runs no more.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

#[derive(Default)]
pub(in crate::flows) struct RunningWrites {
    places: Rc<RefCell<BTreeSet<String>>>,
}

/// A write runs until this is dropped.
pub(super) struct RunningWrite {
    places: Rc<RefCell<BTreeSet<String>>>,
    place: String,
}

impl RunningWrites {
    pub(super) fn begin(&self, place: &str) -> RunningWrite {
        self.places.borrow_mut().insert(place.to_owned());
        RunningWrite {
            places: Rc::clone(&self.places),
            place: place.to_owned(),
        }
    }

    pub(super) fn has(&self, place: &str) -> bool {
        self.places.borrow().contains(place)
    }
}

impl Drop for RunningWrite {
    fn drop(&mut self) {
        self.places.borrow_mut().remove(&self.place);
    }
}
