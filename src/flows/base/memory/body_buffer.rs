//! A body in memory while it arrives.

use std::rc::Rc;

use bytes::Bytes;

use crate::error::Failure;
use crate::flows::base::memory::{Room, busy};

/// A body as it arrives. It fails once it had to be dropped for another.
pub struct BodyBuffer<'a>(&'a Room);

impl<'a> BodyBuffer<'a> {
    pub(super) fn of(room: &'a Room) -> Self {
        Self(room)
    }

    pub fn bytes(&self) -> usize {
        self.0.taken.arrived.borrow().len()
    }

    /// Reserves memory for a piece and appends it.
    pub fn push(&self, piece: &[u8]) -> Result<(), Failure> {
        self.check()?;
        self.0.take_body(piece.len())?;
        self.0.taken.arrived.borrow_mut().extend_from_slice(piece);
        Ok(())
    }

    /// The complete body.
    pub fn whole(self) -> Result<Bytes, Failure> {
        self.check()?;
        Ok(self.0.taken.arrived.take().freeze())
    }

    fn check(&self) -> Result<(), Failure> {
        if self.0.taken.was_dropped.get() {
            return Err(busy(self.0.taken.share.get()));
        }
        Ok(())
    }
}

impl Drop for BodyBuffer<'_> {
    fn drop(&mut self) {
        let mut arriving = self.0.budget.in_use.arriving.borrow_mut();
        arriving.retain(|taken| !Rc::ptr_eq(taken, &self.0.taken));
    }
}
