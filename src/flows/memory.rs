//! The one account of bytes of an isolate, whose 128 MB all its requests and objects share: bodies as they arrive,
//! what is built of them, pages that wait, answers until their readers have them. Caches have limits of their own
//! (`byte_cache`).

mod built;
mod drained;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::error::Failure;
use crate::settings::{BODY_TIMEOUT, Buffers, UNPROVED_BODY_TIMEOUT};

pub use built::{Unbuilt, built_bytes, parse_counted, too_many_values};
pub use drained::until_drained;

/// What an isolate may hold, and what it holds.
#[derive(Debug, Clone, Default)]
pub struct MemoryBudget {
    limits: Buffers,
    held: Rc<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// By everybody but senders who have proved nothing.
    proved: Cell<usize>,
    /// Of that, by pages whose readers may be slow.
    walks: Cell<usize>,
    /// By senders who have proved nothing.
    unproved: Cell<usize>,
    /// Those of them whose bodies are still arriving, the oldest first.
    arriving: RefCell<VecDeque<Rc<Taken>>>,
}

/// Which part of the budget a room is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    Proved,
    /// Half of the proved part, so that readers who stop leave room for calls.
    Walks,
    /// A small part of its own. Where it is full, the body that has been arriving for longest gives way: a sender who stalls keeps
    /// no other out.
    Unproved,
}

/// What a room holds.
#[derive(Debug, Default)]
struct Taken {
    bytes: Cell<usize>,
    /// What has arrived of a body. It stands here, so that another request can let go of it: to wake the one that reads it
    /// would be work on its behalf, which the platform does not allow.
    arrived: RefCell<BytesMut>,
    gave_way: Cell<bool>,
}

impl MemoryBudget {
    /// One with these limits, nothing held.
    pub fn new(limits: Buffers) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Room for what a caller, a provider or an account of ours brings.
    pub fn room(&self) -> Room {
        self.room_of(Share::Proved)
    }

    /// Room for a page that waits for its reader.
    pub fn walk_room(&self) -> Room {
        self.room_of(Share::Walks)
    }

    /// Room for a sender who has proved nothing (yet).
    pub fn unproved_room(&self) -> Room {
        self.room_of(Share::Unproved)
    }

    fn room_of(&self, share: Share) -> Room {
        Room {
            budget: self.clone(),
            share: Cell::new(share),
            taken: Rc::default(),
        }
    }

    /// The counters of a share, each with its limit.
    fn counters(&self, share: Share) -> impl Iterator<Item = (&Cell<usize>, usize)> {
        let (held, limits) = (&self.held, &self.limits);
        let proved = (&held.proved, limits.total_bytes);
        let (first, second) = match share {
            Share::Proved => (proved, None),
            Share::Walks => (proved, Some((&held.walks, limits.total_bytes / 2))),
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

    fn give_back(&self, share: Share, bytes: usize) {
        for (held, _) in self.counters(share) {
            held.set(held.get().saturating_sub(bytes));
        }
    }

    /// Makes room where the oldest that holds any is another; whether it did.
    fn make_way_for(&self, own: &Rc<Taken>) -> bool {
        let mut arriving = self.held.arriving.borrow_mut();
        let oldest = arriving.iter().position(|taken| taken.bytes.get() > 0);
        let other = |at: &usize| arriving.get(*at).is_some_and(|one| !Rc::ptr_eq(one, own));
        let Some(oldest) = oldest.filter(other).and_then(|at| arriving.remove(at)) else {
            return false;
        };
        self.give_back(Share::Unproved, oldest.bytes.take());
        oldest.gave_way.set(true);
        oldest.arrived.take();
        true
    }
}

fn busy(share: Share) -> Failure {
    Failure::busy(match share {
        Share::Proved => "This isolate holds as much as it may at once. Try again.",
        Share::Walks => "Too many pages of x-all-pages wait for their readers. Try again.",
        Share::Unproved => "Too many unverified requests are being received at once. Try again.",
    })
}

/// The bytes that one request, answer or page holds; given back when dropped.
#[derive(Debug)]
pub struct Room {
    budget: MemoryBudget,
    share: Cell<Share>,
    taken: Rc<Taken>,
}

impl Room {
    /// The largest answer that is looked into.
    pub fn answer_bytes(&self) -> usize {
        self.budget.limits.answer_bytes
    }

    /// Takes `bytes` more, or says that the isolate holds too much.
    pub fn take(&self, bytes: usize) -> Result<(), Failure> {
        let share = self.share.get();
        while !self.budget.fits(share, bytes) {
            if share != Share::Unproved || !self.budget.make_way_for(&self.taken) {
                return Err(busy(share));
            }
        }
        self.budget.add(share, bytes);
        self.taken
            .bytes
            .set(self.taken.bytes.get().saturating_add(bytes));
        Ok(())
    }

    /// Its sender is proved: what it holds counts with what proved senders hold.
    pub fn prove(&self) -> Result<(), Failure> {
        let bytes = self.taken.bytes.get();
        if self.share.get() == Share::Unproved {
            if !self.budget.fits(Share::Proved, bytes) {
                return Err(busy(Share::Proved));
            }
            self.budget.give_back(Share::Unproved, bytes);
            self.budget.add(Share::Proved, bytes);
            self.share.set(Share::Proved);
        }
        Ok(())
    }

    /// How long a body that is read into it may take to arrive.
    pub fn patience(&self) -> Duration {
        match self.share.get() {
            Share::Unproved => UNPROVED_BODY_TIMEOUT,
            Share::Proved | Share::Walks => BODY_TIMEOUT,
        }
    }

    /// A body that arrives in this room.
    pub fn arriving(&self) -> Arriving<'_> {
        if self.share.get() == Share::Unproved {
            let all = &self.budget.held.arriving;
            all.borrow_mut().push_back(Rc::clone(&self.taken));
        }
        Arriving(self)
    }
}

/// A body as it arrives. In the unproved part it may have to give way, and then is gone.
pub struct Arriving<'a>(&'a Room);

impl Arriving<'_> {
    /// How many bytes have come.
    pub fn bytes(&self) -> usize {
        self.0.taken.arrived.borrow().len()
    }

    /// One piece more, for which room is taken.
    pub fn push(&self, piece: &[u8]) -> Result<(), Failure> {
        self.check()?;
        self.0.take(piece.len())?;
        self.0.taken.arrived.borrow_mut().extend_from_slice(piece);
        Ok(())
    }

    /// All of it.
    pub fn whole(self) -> Result<Bytes, Failure> {
        self.check()?;
        Ok(self.0.taken.arrived.take().freeze())
    }

    fn check(&self) -> Result<(), Failure> {
        if self.0.taken.gave_way.get() {
            return Err(busy(Share::Unproved));
        }
        Ok(())
    }
}

impl Drop for Arriving<'_> {
    fn drop(&mut self) {
        let mut arriving = self.0.budget.held.arriving.borrow_mut();
        arriving.retain(|taken| !Rc::ptr_eq(taken, &self.0.taken));
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.budget
            .give_back(self.share.get(), self.taken.bytes.get());
    }
}
