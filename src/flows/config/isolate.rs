//! What all objects of one isolate share: the memory budget, cached records, compiled configurations. Each cache is
//! bounded by bytes.

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
use crate::oauth::discovery::DiscoveredServer;
use crate::settings::{
    Buffers, COMPILED_CACHE_BYTES, DISCOVERY_FRESH, RECORD_CACHE_BYTES, SMALL_CACHE_BYTES,
};
use crate::time::Timestamp;

/// What an isolate keeps of discovered servers, by the length of their documents: customers name them.
const DISCOVERED_CACHE_BYTES: usize = 256 * 1024;

pub type Subscriptions = Rc<Vec<WebhookRecord>>;

/// A cached record, or the note that it was deleted.
pub enum Cached<T> {
    Present(Rc<T>),
    /// This isolate deleted it.
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

/// A cache of one type of record. Each entry expires at a fixed time; the least recently used entries are removed
/// first.
pub struct RecordCache<T> {
    entries: RefCell<ByteCache<String, (Timestamp, Cached<T>)>>,
    /// The number of writes by this isolate: a value that was read before a write must not replace it.
    writes: Cell<u64>,
}

impl<T> Default for RecordCache<T> {
    fn default() -> Self {
        Self {
            entries: RefCell::new(ByteCache::new(RECORD_CACHE_BYTES)),
            writes: Cell::new(0),
        }
    }
}

impl<T> RecordCache<T> {
    /// The entry under `id`, unless it has expired.
    pub fn get(&self, id: &str, now: Timestamp) -> Option<Cached<T>> {
        let mut entries = self.entries.borrow_mut();
        let (until, entry) = entries.get(id)?;
        (*until > now).then(|| entry.clone())
    }

    /// Until when the entry under `id` is used, unless this isolate writes it.
    pub fn used_until(&self, id: &str) -> Option<Timestamp> {
        let mut entries = self.entries.borrow_mut();
        entries.get(id).map(|(until, _)| *until)
    }

    /// Stores what this isolate wrote, until `until`. `bytes` is its length as JSON.
    pub fn write(&self, id: &str, entry: Cached<T>, bytes: usize, until: Timestamp) {
        self.writes.set(self.writes.get() + 1);
        let mut entries = self.entries.borrow_mut();
        entries.put(id.to_owned(), bytes, (until, entry));
    }

    /// The number of writes so far, for [`RecordCache::keep_read`].
    pub fn writes(&self) -> u64 {
        self.writes.get()
    }

    /// Stores what was read, unless this isolate has written since.
    pub fn keep_read(
        &self,
        id: &str,
        entry: Cached<T>,
        bytes: usize,
        until: Timestamp,
        writes: u64,
    ) {
        if self.writes.get() == writes {
            let mut entries = self.entries.borrow_mut();
            entries.put(id.to_owned(), bytes, (until, entry));
        }
    }
}

pub struct Isolate {
    pub memory: MemoryBudget,
    pub integrations: RecordCache<IntegrationRecord>,
    pub installs: RecordCache<InstallRecord>,
    /// By hash.
    pub tokens: RecordCache<TokenRecord>,
    /// Providers' public keys, by address.
    pub keys: KeyCache,
    pub failed_auth: FailedAuth,
    /// The same of clients' metadata documents that do not exist.
    pub failed_documents: FailedAuth,
    subscriptions: RefCell<ByteCache<EnvironmentId, (Timestamp, Subscriptions)>>,
    readings: RefCell<ByteCache<EnvironmentId, Timestamp>>,
    compiled: RefCell<ByteCache<String, Rc<Compiled>>>,
    /// Authorization servers by the resource, and when each was discovered.
    discovered: RefCell<ByteCache<String, (Timestamp, Rc<DiscoveredServer>)>>,
}

impl Default for Isolate {
    fn default() -> Self {
        Self::new(Buffers::default())
    }
}

impl Isolate {
    pub fn new(buffers: Buffers) -> Self {
        Self {
            memory: MemoryBudget::new(buffers),
            integrations: RecordCache::default(),
            installs: RecordCache::default(),
            tokens: RecordCache::default(),
            keys: KeyCache::default(),
            failed_auth: FailedAuth::default(),
            failed_documents: FailedAuth::default(),
            subscriptions: RefCell::new(ByteCache::new(SMALL_CACHE_BYTES)),
            readings: RefCell::new(ByteCache::new(SMALL_CACHE_BYTES)),
            compiled: RefCell::new(ByteCache::new(COMPILED_CACHE_BYTES)),
            discovered: RefCell::new(ByteCache::new(DISCOVERED_CACHE_BYTES)),
        }
    }

    /// What was discovered under this key in the last [`DISCOVERY_FRESH`].
    pub fn discovered(&self, key: &str, now: Timestamp) -> Option<Rc<DiscoveredServer>> {
        let mut entries = self.discovered.borrow_mut();
        let (at, server) = entries.get(key)?;
        (now.since(*at) < DISCOVERY_FRESH).then(|| Rc::clone(server))
    }

    /// Stores what was discovered. `bytes` is the length of its documents.
    pub fn keep_discovered(
        &self,
        key: String,
        bytes: usize,
        now: Timestamp,
        server: &Rc<DiscoveredServer>,
    ) {
        let mut entries = self.discovered.borrow_mut();
        entries.put(key, bytes, (now, Rc::clone(server)));
    }

    pub fn compiled(&self, key: &str) -> Option<Rc<Compiled>> {
        self.compiled.borrow_mut().get(key).cloned()
    }

    /// Stores a compiled configuration that takes `bytes` bytes.
    pub fn keep_compiled(&self, key: String, bytes: usize, compiled: Rc<Compiled>) {
        self.compiled.borrow_mut().put(key, bytes, compiled);
    }

    /// The subscriptions of an environment, if they were read at or after `not_before`.
    pub fn subscriptions(
        &self,
        environment: EnvironmentId,
        not_before: Timestamp,
    ) -> Option<Subscriptions> {
        let mut entries = self.subscriptions.borrow_mut();
        let (read_at, entry) = entries.get(&environment)?;
        (*read_at >= not_before).then(|| Rc::clone(entry))
    }

    /// Stores the subscriptions of an environment. `read_at` is when their reading began.
    pub fn keep_subscriptions(
        &self,
        environment: EnvironmentId,
        read_at: Timestamp,
        read: &Subscriptions,
    ) {
        let mut entries = self.subscriptions.borrow_mut();
        if entries
            .get(&environment)
            .is_none_or(|(newest, _)| *newest <= read_at)
        {
            let bytes = json::length(&**read);
            entries.put(environment, bytes, (read_at, Rc::clone(read)));
        }
    }

    /// The time from which the subscriptions may be read again.
    pub fn next_reading(&self, environment: EnvironmentId) -> Timestamp {
        let mut readings = self.readings.borrow_mut();
        readings
            .get(&environment)
            .copied()
            .unwrap_or(Timestamp::from_millis(0))
    }

    /// Notes that the subscriptions are being read: they are not read again before `until`.
    pub fn note_reading(&self, environment: EnvironmentId, until: Timestamp) {
        let mut readings = self.readings.borrow_mut();
        readings.put(environment, 0, until);
    }

    /// Removes the subscriptions after a change.
    pub fn drop_subscriptions(&self, environment: EnvironmentId) {
        self.subscriptions.borrow_mut().remove(&environment);
        self.readings.borrow_mut().remove(&environment);
    }

    /// Memory for what a proved caller, a provider or an account's object sends.
    pub fn room(&self) -> Room {
        self.memory.room()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_expires_at_its_time() {
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
    fn entries_are_bounded_by_the_length_of_their_json() {
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
