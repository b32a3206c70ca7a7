//! The memory budget of an isolate, whose 128 MB all its requests and objects share: bodies as they arrive, the values
//! built from them, pages that wait for their readers, responses until they are read. Caches have their own limits
//! (`byte_cache`).

pub mod body_buffer;
pub mod drained;
#[cfg(test)]
mod tests;
pub mod values;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;

use crate::error::Failure;
use crate::flows::base::memory::body_buffer::BodyBuffer;
use crate::settings::{BODIES_OF_ACCOUNT_PART, BODY_TIMEOUT, Buffers, UNPROVED_BODY_TIMEOUT};

/// The limits of an isolate, and what is in use.
#[derive(Debug, Clone, Default)]
pub struct MemoryBudget {
    limits: Buffers,
    in_use: Rc<MemoryUse>,
}

#[derive(Debug, Default)]
struct MemoryUse {
    /// Bytes held for all but unproved senders.
    proved: Cell<usize>,
    /// Of these, bytes of pages whose readers may be slow.
    pages: Cell<usize>,
    /// Bytes held for senders who have proved nothing.
    unproved: Cell<usize>,
    /// Bodies of senders that are still arriving, oldest first.
    arriving: RefCell<VecDeque<Rc<Reservation>>>,
}

/// The bytes of callers' bodies that one account holds.
pub type AccountBodies = Rc<Cell<usize>>;

/// Which part of the budget a room is taken from. When a part is full, the sender's body that has been arriving for the
/// longest time is dropped, so that a sender who stalls does not block others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    Proved,
    /// At most half of the proved part, so that slow readers leave room for calls.
    Pages,
    /// A small part for senders who have proved nothing.
    Unproved,
}

/// The bytes that a room holds.
#[derive(Debug)]
struct Reservation {
    share: Cell<Share>,
    /// Whether the body comes from a sender and may be dropped while it arrives. A provider's response is not dropped.
    is_senders: bool,
    bytes: Cell<usize>,
    /// The counter of an account's bodies, and what counts there.
    of_account: Option<AccountBodies>,
    body_bytes: Cell<usize>,
    /// What has arrived of a body. It is here so that another request can free it: waking the reader would be work on
    /// behalf of another request, which the platform does not allow.
    arrived: RefCell<BytesMut>,
    was_dropped: Cell<bool>,
}

impl MemoryBudget {
    pub fn new(limits: Buffers) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Room for what a proved caller, a provider or an account's object sends.
    pub fn room(&self) -> Room {
        self.room_of(Share::Proved, None)
    }

    /// Room for a caller's body. All bodies of one account share a quarter of the proved part.
    pub fn body_room(&self, of_account: &AccountBodies) -> Room {
        self.room_of(Share::Proved, Some(Rc::clone(of_account)))
    }

    /// Room for a page that waits for its reader.
    pub fn pages_room(&self) -> Room {
        self.room_of(Share::Pages, None)
    }

    /// Room for a sender who has proved nothing yet.
    pub fn unproved_room(&self) -> Room {
        self.room_of(Share::Unproved, None)
    }

    fn room_of(&self, share: Share, of_account: Option<AccountBodies>) -> Room {
        Room {
            budget: self.clone(),
            taken: Rc::new(Reservation {
                share: Cell::new(share),
                is_senders: share == Share::Unproved || of_account.is_some(),
                bytes: Cell::new(0),
                of_account,
                body_bytes: Cell::new(0),
                arrived: RefCell::default(),
                was_dropped: Cell::new(false),
            }),
        }
    }

    /// The counters of a share, each with its limit.
    fn counters(&self, share: Share) -> impl Iterator<Item = (&Cell<usize>, usize)> {
        let (held, limits) = (&self.in_use, &self.limits);
        let proved = (&held.proved, limits.total_bytes);
        let (first, second) = match share {
            Share::Proved => (proved, None),
            Share::Pages => (proved, Some((&held.pages, limits.total_bytes / 2))),
            Share::Unproved => ((&held.unproved, limits.unproved_bytes), None),
        };
        std::iter::once(first).chain(second)
    }

    fn fits(&self, share: Share, more: usize) -> bool {
        let mut counters = self.counters(share);
        counters.all(|(held, limit)| held.get().saturating_add(more) <= limit)
    }

    fn add(&self, share: Share, bytes: usize) {
        for (held, _) in self.counters(share) {
            held.set(held.get().saturating_add(bytes));
        }
    }

    fn release(&self, share: Share, bytes: usize) {
        for (held, _) in self.counters(share) {
            held.set(held.get().saturating_sub(bytes));
        }
    }

    /// Drops the oldest arriving body if the arriving bodies of the share hold enough. Returns whether it did.
    fn drop_oldest_for(&self, own: &Rc<Reservation>, share: Share, more: usize) -> bool {
        let part =
            |one: &Reservation| (one.share.get() == Share::Unproved) == (share == Share::Unproved);
        let arriving = self.in_use.arriving.borrow();
        let others = arriving
            .iter()
            .filter(|one| part(one) && !Rc::ptr_eq(one, own));
        let to_gain: usize = others.map(|one| one.bytes.get()).sum();
        let mut counters = self.counters(share);
        let is_enough = counters.all(|(held, limit)| {
            let rest = held.get().saturating_sub(to_gain);
            rest.saturating_add(more) <= limit
        });
        drop(arriving);
        is_enough && self.drop_oldest(own, part)
    }

    /// Drops the oldest arriving body that holds any bytes, unless it is `own`. Returns whether it did.
    fn drop_oldest(
        &self,
        own: &Rc<Reservation>,
        is_candidate: impl Fn(&Reservation) -> bool,
    ) -> bool {
        let mut arriving = self.in_use.arriving.borrow_mut();
        let oldest = arriving
            .iter()
            .position(|one| one.bytes.get() > 0 && is_candidate(one));
        let other = |at: &usize| arriving.get(*at).is_some_and(|one| !Rc::ptr_eq(one, own));
        let Some(oldest) = oldest.filter(other).and_then(|at| arriving.remove(at)) else {
            return false;
        };
        self.release_all(&oldest);
        oldest.was_dropped.set(true);
        oldest.arrived.take();
        true
    }

    fn release_all(&self, taken: &Reservation) {
        self.release(taken.share.get(), taken.bytes.take());
        if let Some(account) = &taken.of_account {
            account.set(account.get().saturating_sub(taken.body_bytes.take()));
        }
    }
}

fn busy(share: Share) -> Failure {
    Failure::busy(match share {
        Share::Proved => "The memory for concurrent requests is used up. Try again.",
        Share::Pages => "Too many pages of x-all-pages wait to be read. Try again.",
        Share::Unproved => "Too many unverified requests arrive at once. Try again.",
    })
}

fn account_busy() -> Failure {
    Failure::busy("Too many large request bodies of this account at once. Try again.")
}

/// The bytes that one request, response or page holds. Freed when dropped.
#[derive(Debug)]
pub struct Room {
    budget: MemoryBudget,
    taken: Rc<Reservation>,
}

impl Room {
    /// The size limit of a response that the gateway reads.
    pub fn answer_bytes(&self) -> usize {
        self.budget.limits.answer_bytes
    }

    /// Reserves `bytes` more, or fails when the budget is used up.
    pub fn take(&self, bytes: usize) -> Result<(), Failure> {
        let share = self.taken.share.get();
        self.make_room(share, bytes)?;
        self.budget.add(share, bytes);
        add(&self.taken.bytes, bytes);
        Ok(())
    }

    fn make_room(&self, share: Share, bytes: usize) -> Result<(), Failure> {
        while !self.budget.fits(share, bytes) {
            if !self.budget.drop_oldest_for(&self.taken, share, bytes) {
                return Err(busy(share));
            }
        }
        Ok(())
    }

    /// Reserves `bytes` more for an arriving body, which count with the other bodies of its account.
    pub fn take_body(&self, bytes: usize) -> Result<(), Failure> {
        let Some(account) = &self.taken.of_account else {
            return self.take(bytes);
        };
        let limit = self.budget.limits.total_bytes / BODIES_OF_ACCOUNT_PART;
        let is_own = |one: &Reservation| {
            let of = one.of_account.as_ref();
            of.is_some_and(|of| Rc::ptr_eq(of, account))
        };
        while account.get().saturating_add(bytes) > limit {
            if !self.budget.drop_oldest(&self.taken, is_own) {
                return Err(account_busy());
            }
        }
        self.take(bytes)?;
        add(account, bytes);
        add(&self.taken.body_bytes, bytes);
        Ok(())
    }

    /// Moves what the room holds to the proved share: its sender is proved.
    pub fn prove(&self) -> Result<(), Failure> {
        let bytes = self.taken.bytes.get();
        if self.taken.share.get() == Share::Unproved {
            self.make_room(Share::Proved, bytes)?;
            self.budget.release(Share::Unproved, bytes);
            self.budget.add(Share::Proved, bytes);
            self.taken.share.set(Share::Proved);
        }
        Ok(())
    }

    /// The time limit of a body that is read into this room.
    pub fn patience(&self) -> Duration {
        match self.taken.share.get() {
            Share::Unproved => UNPROVED_BODY_TIMEOUT,
            Share::Proved | Share::Pages => BODY_TIMEOUT,
        }
    }

    pub fn body_buffer(&self) -> BodyBuffer<'_> {
        if self.taken.is_senders {
            let all = &self.budget.in_use.arriving;
            all.borrow_mut().push_back(Rc::clone(&self.taken));
        }
        BodyBuffer::of(self)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.budget.release_all(&self.taken);
    }
}

fn add(counter: &Cell<usize>, bytes: usize) {
    counter.set(counter.get().saturating_add(bytes));
}
