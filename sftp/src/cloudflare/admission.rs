//! The slots of this isolate.

use std::cell::RefCell;

use js_sys::Date;

use crate::error::{Failure, Kind, Outcome};
use crate::request::Request;
use crate::slots::{SHORT_OPERATIONS, Slots, TRANSFERS, owner};

struct Isolate {
    transfers: Slots,
    short_operations: Slots,
}

impl Isolate {
    fn slots(&mut self, is_transfer: bool) -> &mut Slots {
        if is_transfer {
            &mut self.transfers
        } else {
            &mut self.short_operations
        }
    }
}

thread_local! {
    static ISOLATE: RefCell<Isolate> = const {
        RefCell::new(Isolate { transfers: Slots::new(TRANSFERS), short_operations: Slots::new(SHORT_OPERATIONS) })
    };
}

/// A place among the connections of the isolate, given back when it is dropped.
pub struct Slot {
    id: u64,
    is_transfer: bool,
}

impl Slot {
    pub fn take(request: &Request) -> Outcome<Self> {
        let is_transfer = request.operation.is_transfer();
        let server = &request.server;
        let owner = owner(&server.host, server.port, &server.username);
        let taken = ISOLATE.with_borrow_mut(|isolate| {
            isolate
                .slots(is_transfer)
                .take(owner, request.timeout_ms, Date::now())
        });
        match taken {
            Some(id) => Ok(Self { id, is_transfer }),
            None => Err(Failure::new(
                Kind::Busy,
                "Too many SFTP operations are under way. Try again later.",
            )),
        }
    }

    /// Something moved.
    pub fn touch(&self) {
        ISOLATE.with_borrow_mut(|isolate| {
            isolate.slots(self.is_transfer).touch(self.id, Date::now());
        });
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        ISOLATE.with_borrow_mut(|isolate| isolate.slots(self.is_transfer).release(self.id));
    }
}
