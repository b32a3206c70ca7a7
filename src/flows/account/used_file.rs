//! The resolved file that the account's work used last.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use crate::flows::config::resolved_config::Compiled;

/// Notices that the account's work uses another file than before.
#[derive(Default)]
pub(in crate::flows) struct UsedFile {
    last: RefCell<Weak<Compiled>>,
    is_new: Cell<bool>,
}

impl UsedFile {
    pub(super) fn note(&self, file: &Rc<Compiled>) {
        if !std::ptr::eq(self.last.borrow().as_ptr(), Rc::as_ptr(file)) {
            *self.last.borrow_mut() = Rc::downgrade(file);
            self.is_new.set(true);
        }
    }

    /// The file, once for each.
    pub(in crate::flows) fn take_new(&self) -> Option<Rc<Compiled>> {
        self.last.borrow().upgrade().filter(|_| self.is_new.take())
    }
}
