//! What all objects of one isolate share: its account of bytes, copies of published records, compiled configs. Each
//! cache is bounded by the bytes of what it keeps.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::flows::base::byte_cache::ByteCache;
use crate::flows::base::failed_auth::FailedAuth;
use crate::flows::base::memory::{MemoryBudget, Room};
use crate::flows::base::records::{InstallRecord, IntegrationRecord, TokenRecord, WebhookRecord};
use crate::flows::config::key_cache::KeyCache;
use crate::flows::config::resolved_config::Compiled;
use crate::ids::EnvironmentId;
use crate::json;
use crate::settings::{Buffers, COMPILED_CACHE_BYTES, RECORD_CACHE_BYTES, SMALL_CACHE_BYTES};
use crate::time::Timestamp;

/// The subscriptions of an environment, as they were read.
pub type Subscriptions = Rc<Vec<WebhookRecord>>;

/// A copy of a record, or the knowledge that it is gone.
pub enum Cached<T> {
    /// The record.
    Present(Rc<T>),
    /// It was deleted here.
    Deleted,
}

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Present(record) => Self::Present(Rc::clone(record)),
            Self::Deleted => Self::Deleted,
        }
    }
}

/// Copies of one kind of record, each good until a moment. The least used go first.
pub struct RecordCache<T> {
    copies: RefCell<ByteCache<String, (Timestamp, Cached<T>)>>,
    /// How many writes this isolate has made: who read before one must not put over it.
    writes: Cell<u64>,
}

impl<T> Default for RecordCache<T> {
    fn default() -> Self {
        Self {
            copies: RefCell::new(ByteCache::new(RECORD_CACHE_BYTES)),
            writes: Cell::new(0),
        }
    }
}

impl<T> RecordCache<T> {
    /// The copy under `id`, unless it is too old.
    pub fn get(&self, id: &str, now: Timestamp) -> Option<Cached<T>> {
        let mut copies = self.copies.borrow_mut();
        let (until, copy) = copies.get(id)?;
        (*until > now).then(|| copy.clone())
    }

    /// Keeps what was written here, and has so many bytes as JSON, until a moment.
    pub fn write(&self, id: &str, copy: Cached<T>, bytes: usize, until: Timestamp) {
        self.writes.set(self.writes.get() + 1);
        let mut copies = self.copies.borrow_mut();
        copies.put(id.to_owned(), bytes, (until, copy));
    }

    /// How many writes there were so far, to be told to [`RecordCache::keep_read`].
    pub fn writes(&self) -> u64 {
        self.writes.get()
    }

    /// Keeps what was read, unless something was written since.
    pub fn keep_read(
        &self,
        id: &str,
        copy: Cached<T>,
        bytes: usize,
        until: Timestamp,
        writes: u64,
    ) {
        if self.writes.get() == writes {
            let mut copies = self.copies.borrow_mut();
            copies.put(id.to_owned(), bytes, (until, copy));
        }
    }
}

/// Shared by everything that runs in one isolate.
pub struct Isolate {
    /// What it may hold, and holds.
    pub memory: MemoryBudget,
    /// Integrations by id.
    pub integrations: RecordCache<IntegrationRecord>,
    /// Installs by id.
    pub installs: RecordCache<InstallRecord>,
    /// API tokens by hash.
    pub tokens: RecordCache<TokenRecord>,
    /// Published keys of providers, by address.
    pub keys: KeyCache,
    /// Authentications that failed.
    pub failed_auth: FailedAuth,
    subscriptions: RefCell<ByteCache<EnvironmentId, (Timestamp, Subscriptions)>>,
    readings: RefCell<ByteCache<EnvironmentId, Timestamp>>,
    compiled: RefCell<ByteCache<String, Rc<Compiled>>>,
}

impl Default for Isolate {
    fn default() -> Self {
        Self::new(Buffers::default())
    }
}

impl Isolate {
    /// One that may hold so much.
    pub fn new(buffers: Buffers) -> Self {
        Self {
            memory: MemoryBudget::new(buffers),
            integrations: RecordCache::default(),
            installs: RecordCache::default(),
            tokens: RecordCache::default(),
            keys: KeyCache::default(),
            failed_auth: FailedAuth::default(),
            subscriptions: RefCell::new(ByteCache::new(SMALL_CACHE_BYTES)),
            readings: RefCell::new(ByteCache::new(SMALL_CACHE_BYTES)),
            compiled: RefCell::new(ByteCache::new(COMPILED_CACHE_BYTES)),
        }
    }

    /// A compiled config, if this isolate has it.
    pub fn compiled(&self, key: &str) -> Option<Rc<Compiled>> {
        self.compiled.borrow_mut().get(key).cloned()
    }

    /// Keeps a compiled config that takes so many bytes.
    pub fn keep_compiled(&self, key: String, bytes: usize, compiled: Rc<Compiled>) {
        self.compiled.borrow_mut().put(key, bytes, compiled);
    }

    /// The subscriptions of an environment, if they were read then or later.
    pub fn subscriptions(
        &self,
        environment: EnvironmentId,
        not_before: Timestamp,
    ) -> Option<Subscriptions> {
        let mut copies = self.subscriptions.borrow_mut();
        let (read_at, copy) = copies.get(&environment)?;
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
        if copies
            .get(&environment)
            .is_none_or(|(newest, _)| *newest <= read_at)
        {
            let bytes = json::length(&**read);
            copies.put(environment, bytes, (read_at, Rc::clone(read)));
        }
    }

    /// When the subscriptions of an environment may be read again.
    pub fn next_reading(&self, environment: EnvironmentId) -> Timestamp {
        let mut readings = self.readings.borrow_mut();
        readings
            .get(&environment)
            .copied()
            .unwrap_or(Timestamp::from_millis(0))
    }

    /// They are being read; not again before then.
    pub fn note_reading(&self, environment: EnvironmentId, until: Timestamp) {
        let mut readings = self.readings.borrow_mut();
        readings.put(environment, 0, until);
    }

    /// They have changed.
    pub fn drop_subscriptions(&self, environment: EnvironmentId) {
        self.subscriptions.borrow_mut().remove(&environment);
        self.readings.borrow_mut().remove(&environment);
    }

    /// Room for what a caller, a provider or an account of ours brings.
    pub fn room(&self) -> Room {
        self.memory.room()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_good_until_its_moment() {
        let cache = RecordCache::default();
        cache.write(
            "a",
            Cached::Present(Rc::new(1)),
            9,
            Timestamp::from_millis(10),
        );
        assert!(matches!(
            cache.get("a", Timestamp::from_millis(9)),
            Some(Cached::Present(_))
        ));
        assert!(cache.get("a", Timestamp::from_millis(10)).is_none());
        assert!(cache.get("b", Timestamp::from_millis(9)).is_none());
    }

    #[test]
    fn what_was_read_before_a_write_does_not_replace_it() {
        let (cache, now, later) = (
            RecordCache::default(),
            Timestamp::from_millis(0),
            Timestamp::from_millis(9),
        );
        let before = cache.writes();
        cache.write("a", Cached::Deleted, 0, later);
        cache.keep_read("a", Cached::Present(Rc::new(1)), 9, later, before);
        assert!(matches!(cache.get("a", now), Some(Cached::Deleted)));
        cache.keep_read("a", Cached::Present(Rc::new(1)), 9, later, cache.writes());
        assert!(matches!(cache.get("a", now), Some(Cached::Present(_))));
    }

    #[test]
    fn copies_are_kept_by_the_length_of_their_json() {
        let cache = RecordCache::default();
        let (now, later) = (Timestamp::from_millis(0), Timestamp::from_millis(9));
        for number in 0..40 {
            let id = number.to_string();
            cache.write(&id, Cached::Present(Rc::new(number)), 100_000, later);
        }
        let kept = (0..40).filter(|number| cache.get(&number.to_string(), now).is_some());
        assert_eq!(kept.count(), RECORD_CACHE_BYTES / 100_256);
    }
}
