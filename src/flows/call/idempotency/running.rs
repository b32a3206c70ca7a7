//! Which writes with an `Idempotency-Key` run in the object now, in contrast to those that were cut off.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// The writes that run now. They are in memory: after a restart none does.
#[derive(Default)]
pub(in crate::flows) struct RunningWrites {
    /// Where they are stored (`Write::place`).
    places: Rc<RefCell<BTreeSet<String>>>,
}

/// A write that runs until this is dropped.
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
