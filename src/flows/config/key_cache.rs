//! Providers' public keys, cached by the isolate. An address in the file is fetched at most once a minute. Addresses
//! that requests name (within the pattern of the file) are limited per account or install, because an unverified sender
//! can name them.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::flows::base::byte_cache::ByteCache;
use crate::flows::base::fetch;
use crate::flows::base::memory::Room;
use crate::ports::Outside;
use crate::settings::SMALL_CACHE_BYTES;
use crate::time::Timestamp;
use crate::webhook::{KeySource, PublishedKey, read_keys};

/// Published keys are fetched again after this time.
const FRESH: Duration = Duration::from_mins(10);
/// The least time between two fetches of an address.
const PAUSE: Duration = Duration::from_mins(1);
/// The least time between two fetches while an address has no keys.
const RETRY: Duration = Duration::from_secs(5);
/// While fetching fails, old keys are used for this time.
const STALE: Duration = Duration::from_hours(24);
/// Fetches of addresses that requests name, per account or install and minute.
const NAMED_A_MINUTE: u32 = 20;
/// A request that finds its keys being fetched polls the cache: the interval, and how often.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS: u32 = 20;
/// The size of the cache of addresses without keys, and of the fetch counts.
const NOTES_BYTES: usize = 128 * 1024;

pub type Keys = Rc<Vec<PublishedKey>>;

/// How old cached keys may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// As old as the cache allows.
    Any,
    /// The key may be newer than the cached ones.
    Recent,
}

#[derive(Clone)]
struct CachedKeys {
    keys: Option<Keys>,
    fetched_at: Timestamp,
    asked_at: Timestamp,
    is_fetching: bool,
}

type KeyTable = RefCell<ByteCache<String, CachedKeys>>;

/// The isolate's keys, by address. Addresses that requests name never evict those of files, and addresses without keys
/// none that have some.
pub struct KeyCache {
    published: KeyTable,
    named: KeyTable,
    /// Addresses without keys: being fetched, or failed.
    without: KeyTable,
    /// By account or install: a minute, and the fetches in it.
    asked: RefCell<ByteCache<String, (i64, u32)>>,
}

impl Default for KeyCache {
    fn default() -> Self {
        let table = |most| RefCell::new(ByteCache::new(most));
        Self {
            published: table(SMALL_CACHE_BYTES),
            named: table(SMALL_CACHE_BYTES),
            without: table(NOTES_BYTES),
            asked: RefCell::new(ByteCache::new(NOTES_BYTES)),
        }
    }
}

/// A request for the keys of an address.
pub struct KeyRequest<'a> {
    pub source: &'a KeySource,
    pub age: Age,
    /// The account or install whose webhook it is.
    pub owner: &'a str,
    /// The memory of the webhook request.
    pub room: &'a Room,
}

#[derive(Debug)]
pub enum KeyError {
    /// The address that the request names serves no keys.
    Refused,
    /// The keys could not be loaded; the sender may try again.
    Unavailable(String),
}

/// Returns the keys of a source from the cache, or fetches them.
pub async fn keys(
    outside: &impl Outside,
    cache: &KeyCache,
    request: KeyRequest<'_>,
) -> Result<Keys, KeyError> {
    let KeyRequest { source, age, .. } = request;
    for _ in 0..LOOKS {
        let now = outside.now();
        match cache.entry(source) {
            Some(entry) if entry.is_being_fetched(now) => outside.sleep(LOOK).await,
            Some(entry) => match entry.usable(source, age, now) {
                Some(result) => return result,
                None => break,
            },
            None => break,
        }
    }
    let now = outside.now();
    if matches!(source, KeySource::Named(_)) && !cache.may_fetch(request.owner, now) {
        return Err(KeyError::Unavailable(
            "the requests name too many addresses of keys".to_owned(),
        ));
    }
    cache.keep(source, CachedKeys::asked(cache.entry(source), now), 0);
    let (read, bytes) = match fetch::get(outside, source.url(), request.room).await {
        Ok(text) => (
            read_keys(&text).map_err(|refusal| refusal.to_string()),
            text.len(),
        ),
        Err(reason) => (Err(reason), 0),
    };
    cache.store_result(source, read.map(Rc::new), bytes, outside.now())
}

impl CachedKeys {
    /// The result without a fetch. `None` when it is time to fetch.
    fn usable(
        &self,
        source: &KeySource,
        age: Age,
        now: Timestamp,
    ) -> Option<Result<Keys, KeyError>> {
        let since = now.since(self.asked_at);
        let is_named = matches!(source, KeySource::Named(_));
        let Some(keys) = self.stale(now) else {
            let none = if is_named {
                KeyError::Refused
            } else {
                KeyError::Unavailable("the last fetch of the keys failed a moment ago".to_owned())
            };
            return (since < RETRY).then_some(Err(none));
        };
        let is_fresh = age == Age::Any && now.since(self.fetched_at) < FRESH;
        (is_named || is_fresh || since < PAUSE).then_some(Ok(keys))
    }

    fn stale(&self, now: Timestamp) -> Option<Keys> {
        let keys = self.keys.clone();
        keys.filter(|_| now.since(self.fetched_at) < STALE)
    }

    /// Marks an entry as being fetched.
    fn asked(before: Option<Self>, now: Timestamp) -> Self {
        let (keys, fetched_at) = before.map_or((None, now), |entry| (entry.keys, entry.fetched_at));
        Self {
            keys,
            fetched_at,
            asked_at: now,
            is_fetching: true,
        }
    }

    /// Whether another request is fetching it. A fetch that was cut off ends with the time limit.
    fn is_being_fetched(&self, now: Timestamp) -> bool {
        let is_in_time = now.since(self.asked_at) < fetch::TIMEOUT;
        self.keys.is_none() && self.is_fetching && is_in_time
    }
}

impl KeyCache {
    fn table(&self, source: &KeySource) -> &KeyTable {
        match source {
            KeySource::Published(_) => &self.published,
            KeySource::Named(_) => &self.named,
        }
    }

    fn entry(&self, source: &KeySource) -> Option<CachedKeys> {
        let address = source.url().as_str();
        let with_keys = self.table(source).borrow_mut().get(address).cloned();
        with_keys.or_else(|| self.without.borrow_mut().get(address).cloned())
    }

    fn keep(&self, source: &KeySource, entry: CachedKeys, bytes: usize) {
        let address = source.url().as_str();
        let table = match entry.keys {
            Some(_) => self.table(source),
            None => &self.without,
        };
        let bytes = address.len().saturating_add(bytes);
        table.borrow_mut().put(address.to_owned(), bytes, entry);
    }

    /// Stores the result of a fetch, and returns what is valid now.
    fn store_result(
        &self,
        source: &KeySource,
        read: Result<Keys, String>,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Keys, KeyError> {
        let mut entry = CachedKeys {
            is_fetching: false,
            ..CachedKeys::asked(self.entry(source), now)
        };
        let stale = entry.stale(now);
        if let Ok(keys) = &read {
            (entry.keys, entry.fetched_at) = (Some(Rc::clone(keys)), now);
            self.without.borrow_mut().remove(source.url().as_str());
        }
        self.keep(source, entry, bytes);
        match (read, source) {
            (Ok(keys), _) => Ok(keys),
            (Err(_), KeySource::Named(_)) => Err(KeyError::Refused),
            (Err(reason), KeySource::Published(url)) => {
                stale.ok_or_else(|| KeyError::Unavailable(format!("{url}: {reason}")))
            }
        }
    }

    /// Counts a fetch of an address that a request names.
    fn may_fetch(&self, owner: &str, now: Timestamp) -> bool {
        let minute = now.as_millis() / 60_000;
        let mut all = self.asked.borrow_mut();
        let before = all.get(owner).filter(|(of, _)| *of == minute);
        let asked = before.map_or(0, |(_, asked)| *asked) + 1;
        all.put(owner.to_owned(), owner.len(), (minute, asked));
        asked <= NAMED_A_MINUTE
    }
}
