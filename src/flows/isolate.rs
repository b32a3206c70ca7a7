//! What all objects of one isolate share: copies of published records, compiled configs, and the count
//! of bytes held in buffered answers (the 128 MB of memory are the isolate's).

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::rc::Rc;

use lru::LruCache;

use crate::error::Failure;
use crate::flows::effective::Compiled;
use crate::flows::failed_auth::FailedAuth;
use crate::flows::receive::KeyCopies;
use crate::flows::records::{InstallRecord, IntegrationRecord, TokenRecord, WebhookRecord};
use crate::ids::EnvironmentId;
use crate::settings::Buffers;
use crate::time::Timestamp;

const COPIES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999);

const COMPILED: NonZeroUsize = NonZeroUsize::MIN.saturating_add(199);

/// The subscriptions of an environment, as they were read.
pub type Subscriptions = Rc<Vec<WebhookRecord>>;

/// A copy of a record, or the knowledge that it is gone.
pub enum Copy<T> {
    /// The record.
    Here(Rc<T>),
    /// It was deleted here.
    Gone,
}

impl<T> Clone for Copy<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Here(record) => Self::Here(Rc::clone(record)),
            Self::Gone => Self::Gone,
        }
    }
}

/// Copies of one kind of record, each good until a moment. The least used go first.
pub struct Shelf<T> {
    copies: RefCell<LruCache<String, (Timestamp, Copy<T>)>>,
    /// How many writes this isolate has made: who read before one must not put over it.
    writes: Cell<u64>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            copies: RefCell::new(LruCache::new(COPIES)),
            writes: Cell::new(0),
        }
    }
}

impl<T> Shelf<T> {
    /// The copy under `id`, unless it is too old.
    pub fn get(&self, id: &str, now: Timestamp) -> Option<Copy<T>> {
        let mut copies = self.copies.borrow_mut();
        let (until, copy) = copies.get(id)?;
        (*until > now).then(|| copy.clone())
    }

    /// Keeps what was written here, until a moment.
    pub fn write(&self, id: &str, copy: Copy<T>, until: Timestamp) {
        self.writes.set(self.writes.get() + 1);
        self.copies.borrow_mut().put(id.to_owned(), (until, copy));
    }

    /// How many writes there were so far, to be told to [`Shelf::keep_read`].
    pub fn writes(&self) -> u64 {
        self.writes.get()
    }

    /// Keeps what was read, unless something was written since.
    pub fn keep_read(&self, id: &str, copy: Copy<T>, until: Timestamp, writes: u64) {
        if self.writes.get() == writes {
            self.copies.borrow_mut().put(id.to_owned(), (until, copy));
        }
    }
}

/// Shared by everything that runs in one isolate.
#[derive(Default)]
pub struct Isolate {
    /// Integrations by id.
    pub integrations: Shelf<IntegrationRecord>,
    /// Installs by id.
    pub installs: Shelf<InstallRecord>,
    /// API tokens by hash.
    pub tokens: Shelf<TokenRecord>,
    /// Published keys of providers, by address.
    pub keys: KeyCopies,
    /// Authentications that failed.
    pub failed_auth: FailedAuth,
    subscriptions: RefCell<Option<LruCache<EnvironmentId, (Timestamp, Subscriptions)>>>,
    readings: RefCell<HashMap<EnvironmentId, Timestamp>>,
    compiled: RefCell<Option<LruCache<String, Rc<Compiled>>>>,
    buffers: Buffers,
    buffered: Rc<Cell<usize>>,
    /// What of it walks hold, whose readers may be slow.
    walking: Rc<Cell<usize>>,
}

impl Isolate {
    /// One whose answers may take so much.
    pub fn new(buffers: Buffers) -> Self {
        Self {
            buffers,
            ..Self::default()
        }
    }

    /// A compiled config, if this isolate has it.
    pub fn compiled(&self, key: &str) -> Option<Rc<Compiled>> {
        self.compiled.borrow_mut().as_mut()?.get(key).cloned()
    }

    /// Keeps a compiled config; the least used go first.
    pub fn keep_compiled(&self, key: String, compiled: Rc<Compiled>) {
        self.compiled
            .borrow_mut()
            .get_or_insert_with(|| LruCache::new(COMPILED))
            .put(key, compiled);
    }

    /// The subscriptions of an environment, if they were read then or later.
    pub fn subscriptions(
        &self,
        environment: EnvironmentId,
        not_before: Timestamp,
    ) -> Option<Subscriptions> {
        let mut copies = self.subscriptions.borrow_mut();
        let (read_at, copy) = copies.as_mut()?.get(&environment)?;
        (*read_at >= not_before).then(|| Rc::clone(copy))
    }

    /// Keeps the subscriptions of an environment, with when they began to be read.
    pub fn keep_subscriptions(
        &self,
        environment: EnvironmentId,
        read_at: Timestamp,
        read: &Subscriptions,
    ) {
        let mut copies = self.subscriptions.borrow_mut();
        let copies = copies.get_or_insert_with(|| LruCache::new(COMPILED));
        if copies
            .peek(&environment)
            .is_none_or(|(newest, _)| *newest <= read_at)
        {
            copies.put(environment, (read_at, Rc::clone(read)));
        }
    }

    /// When the subscriptions of an environment may be read again.
    pub fn next_reading(&self, environment: EnvironmentId) -> Timestamp {
        let readings = self.readings.borrow();
        readings
            .get(&environment)
            .copied()
            .unwrap_or(Timestamp::from_millis(0))
    }

    /// They are being read; not again before then.
    pub fn note_reading(&self, environment: EnvironmentId, until: Timestamp) {
        let mut readings = self.readings.borrow_mut();
        readings.insert(environment, until);
    }

    /// They have changed.
    pub fn drop_subscriptions(&self, environment: EnvironmentId) {
        if let Some(copies) = self.subscriptions.borrow_mut().as_mut() {
            copies.pop(&environment);
        }
        self.readings.borrow_mut().remove(&environment);
    }

    /// Room for a buffered answer that is still to grow.
    pub fn room(&self) -> Room {
        Room {
            total: Rc::clone(&self.buffered),
            buffers: self.buffers,
            walking: None,
            taken: 0,
        }
    }

    /// Room for a page that waits for its reader: half of all there is, so that readers who stop keep nobody from a call.
    pub fn walk_room(&self) -> Room {
        let mut room = self.room();
        room.walking = Some(Rc::clone(&self.walking));
        room
    }
}

/// The bytes one buffered answer holds; given back when dropped.
pub struct Room {
    total: Rc<Cell<usize>>,
    buffers: Buffers,
    walking: Option<Rc<Cell<usize>>>,
    taken: usize,
}

impl Room {
    /// The largest answer that is looked into.
    pub fn answer_bytes(&self) -> usize {
        self.buffers.answer_bytes
    }

    /// Takes `bytes` more, or says that the isolate holds too much.
    pub fn take(&mut self, bytes: usize) -> Result<(), Failure> {
        let total = self.total.get().saturating_add(bytes);
        if total > self.buffers.total_bytes {
            return Err(Failure::busy(
                "Too many large answers are being looked into at once. Try again.",
            ));
        }
        if let Some(walking) = &self.walking {
            let walked = walking.get().saturating_add(bytes);
            if walked > self.buffers.total_bytes / 2 {
                return Err(Failure::busy(
                    "Too many pages of walks wait to be read. Try again.",
                ));
            }
            walking.set(walked);
        }
        self.total.set(total);
        self.taken += bytes;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.total.set(self.total.get().saturating_sub(self.taken));
        if let Some(walking) = &self.walking {
            walking.set(walking.get().saturating_sub(self.taken));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_good_until_its_moment() {
        let shelf = Shelf::default();
        shelf.write("a", Copy::Here(Rc::new(1)), Timestamp::from_millis(10));
        assert!(matches!(
            shelf.get("a", Timestamp::from_millis(9)),
            Some(Copy::Here(_))
        ));
        assert!(shelf.get("a", Timestamp::from_millis(10)).is_none());
        assert!(shelf.get("b", Timestamp::from_millis(9)).is_none());
    }

    #[test]
    fn what_was_read_before_a_write_does_not_replace_it() {
        let (shelf, now, later) = (
            Shelf::default(),
            Timestamp::from_millis(0),
            Timestamp::from_millis(9),
        );
        let before = shelf.writes();
        shelf.write("a", Copy::Gone, later);
        shelf.keep_read("a", Copy::Here(Rc::new(1)), later, before);
        assert!(matches!(shelf.get("a", now), Some(Copy::Gone)));
        shelf.keep_read("a", Copy::Here(Rc::new(1)), later, shelf.writes());
        assert!(matches!(shelf.get("a", now), Some(Copy::Here(_))));
    }

    #[test]
    fn room_is_given_back_and_ends_exactly_at_the_limit() {
        for total_bytes in [Buffers::default().total_bytes, 100] {
            let isolate = Isolate::new(Buffers {
                total_bytes,
                ..Buffers::default()
            });
            let mut room = isolate.room();
            room.take(total_bytes).unwrap();
            assert_eq!(isolate.room().take(1).unwrap_err().status(), 503);
            drop(room);
            isolate.room().take(total_bytes).unwrap();
        }
    }
}
