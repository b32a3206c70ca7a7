//! The one account of bytes of an isolate, whose 128 MB all its requests and objects share: bodies as they arrive,
//! what is built of them, pages that wait, answers until their readers have them. Caches have limits of their own
//! (`byte_cache`).

pub mod built;
pub mod drained;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::error::Failure;
use crate::settings::{BODIES_OF_ACCOUNT_PART, BODY_TIMEOUT, Buffers, UNPROVED_BODY_TIMEOUT};

/// What an isolate may hold, and what it holds.
#[derive(Debug, Clone, Default)]
pub struct MemoryBudget {
    limits: Buffers,
    held: Rc<MemoryUse>,
}

#[derive(Debug, Default)]
struct MemoryUse {
    /// By everybody but senders who have proved nothing.
    proved: Cell<usize>,
    /// Of that, by pages whose readers may be slow.
    walks: Cell<usize>,
    /// By senders who have proved nothing.
    unproved: Cell<usize>,
    /// Bodies of senders that are still arriving, the oldest first.
    arriving: RefCell<VecDeque<Rc<Reservation>>>,
}

/// The bytes of callers' bodies that one account holds.
pub type AccountBodies = Rc<Cell<usize>>;

/// Which part of the budget a room is taken from. Where the part is full, the sender's body that has been arriving for longest
/// gives way: a sender who stalls does not block others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    Proved,
    /// Half of the proved part, so that readers who stop leave room for calls.
    Walks,
    /// A small part of its own.
    Unproved,
}

/// What a room holds.
#[derive(Debug)]
struct Reservation {
    share: Cell<Share>,
    /// Whether it is a sender's, whose body gives way while it arrives. An answer of a provider does not.
    is_senders: bool,
    bytes: Cell<usize>,
    /// Of that, what counts with the bodies of an account.
    of_account: Option<AccountBodies>,
    body_bytes: Cell<usize>,
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
        self.room_of(Share::Proved, None)
    }

    /// Room for a caller's body. All bodies of one account have a quarter of the proved part.
    pub fn body_room(&self, of_account: &AccountBodies) -> Room {
        self.room_of(Share::Proved, Some(Rc::clone(of_account)))
    }

    /// Room for a page that waits for its reader.
    pub fn walk_room(&self) -> Room {
        self.room_of(Share::Walks, None)
    }

    /// Room for a sender who has proved nothing (yet).
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
                gave_way: Cell::new(false),
            }),
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

    /// Makes room in a share where bodies that are arriving hold enough of it, and the oldest is another; whether it did.
    fn make_way_for(&self, own: &Rc<Reservation>, share: Share, more: usize) -> bool {
        let part =
            |one: &Reservation| (one.share.get() == Share::Unproved) == (share == Share::Unproved);
        let arriving = self.held.arriving.borrow();
        let theirs = arriving
            .iter()
            .filter(|one| part(one) && !Rc::ptr_eq(one, own));
        let to_gain: usize = theirs.map(|one| one.bytes.get()).sum();
        let mut counters = self.counters(share);
        let is_enough = counters.all(|(held, limit)| {
            let rest = held.get().saturating_sub(to_gain);
            rest.saturating_add(more) <= limit
        });
        drop(arriving);
        is_enough && self.oldest_gives_way(own, part)
    }

    /// The oldest of the bodies that are arriving, and hold any, gives way where it is another; whether it did.
    fn oldest_gives_way(
        &self,
        own: &Rc<Reservation>,
        is_asked: impl Fn(&Reservation) -> bool,
    ) -> bool {
        let mut arriving = self.held.arriving.borrow_mut();
        let oldest = arriving
            .iter()
            .position(|one| one.bytes.get() > 0 && is_asked(one));
        let other = |at: &usize| arriving.get(*at).is_some_and(|one| !Rc::ptr_eq(one, own));
        let Some(oldest) = oldest.filter(other).and_then(|at| arriving.remove(at)) else {
            return false;
        };
        self.give_all_back(&oldest);
        oldest.gave_way.set(true);
        oldest.arrived.take();
        true
    }

    fn give_all_back(&self, taken: &Reservation) {
        self.give_back(taken.share.get(), taken.bytes.take());
        if let Some(account) = &taken.of_account {
            account.set(account.get().saturating_sub(taken.body_bytes.take()));
        }
    }
}

fn busy(share: Share) -> Failure {
    Failure::busy(match share {
        Share::Proved => "This isolate holds as much as it may at once. Try again.",
        Share::Walks => "Too many pages of x-all-pages wait for their readers. Try again.",
        Share::Unproved => "Too many unverified requests are being received at once. Try again.",
    })
}

fn account_busy() -> Failure {
    Failure::busy("Too many large bodies of calls of this account are held at once. Try again.")
}

/// The bytes that one request, answer or page holds; given back when dropped.
#[derive(Debug)]
pub struct Room {
    budget: MemoryBudget,
    taken: Rc<Reservation>,
}

impl Room {
    /// The largest answer that is looked into.
    pub fn answer_bytes(&self) -> usize {
        self.budget.limits.answer_bytes
    }

    /// Takes `bytes` more, or says that the isolate holds too much.
    pub fn take(&self, bytes: usize) -> Result<(), Failure> {
        let share = self.taken.share.get();
        self.make_fit(share, bytes)?;
        self.budget.add(share, bytes);
        add(&self.taken.bytes, bytes);
        Ok(())
    }

    fn make_fit(&self, share: Share, bytes: usize) -> Result<(), Failure> {
        while !self.budget.fits(share, bytes) {
            if !self.budget.make_way_for(&self.taken, share, bytes) {
                return Err(busy(share));
            }
        }
        Ok(())
    }

    /// Takes `bytes` more for a body that arrives, which counts with the other bodies of its account.
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
            if !self.budget.oldest_gives_way(&self.taken, is_own) {
                return Err(account_busy());
            }
        }
        self.take(bytes)?;
        add(account, bytes);
        add(&self.taken.body_bytes, bytes);
        Ok(())
    }

    /// Its sender is proved: what it holds counts with what proved senders hold.
    pub fn prove(&self) -> Result<(), Failure> {
        let bytes = self.taken.bytes.get();
        if self.taken.share.get() == Share::Unproved {
            self.make_fit(Share::Proved, bytes)?;
            self.budget.give_back(Share::Unproved, bytes);
            self.budget.add(Share::Proved, bytes);
            self.taken.share.set(Share::Proved);
        }
        Ok(())
    }

    /// How long a body that is read into it may take to arrive.
    pub fn patience(&self) -> Duration {
        match self.taken.share.get() {
            Share::Unproved => UNPROVED_BODY_TIMEOUT,
            Share::Proved | Share::Walks => BODY_TIMEOUT,
        }
    }

    /// A body that arrives in this room.
    pub fn arriving(&self) -> Arriving<'_> {
        if self.taken.is_senders {
            let all = &self.budget.held.arriving;
            all.borrow_mut().push_back(Rc::clone(&self.taken));
        }
        Arriving(self)
    }
}

/// A body as it arrives. It may have to give way, and then is gone.
pub struct Arriving<'a>(&'a Room);

impl Arriving<'_> {
    /// How many bytes have come.
    pub fn bytes(&self) -> usize {
        self.0.taken.arrived.borrow().len()
    }

    /// One piece more, for which room is taken.
    pub fn push(&self, piece: &[u8]) -> Result<(), Failure> {
        self.check()?;
        self.0.take_body(piece.len())?;
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
            return Err(busy(self.0.taken.share.get()));
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
        self.budget.give_all_back(&self.taken);
    }
}

fn add(counter: &Cell<usize>, bytes: usize) {
    counter.set(counter.get().saturating_add(bytes));
}
