//! Published keys, kept by the isolate. An address of the file is asked once a minute at most; of addresses that a
//! request names, which the file's pattern fits, each account or install asks so many a minute, for whoever names them
//! may be unknown.

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

/// After that, published keys are asked for again.
const FRESH: Duration = Duration::from_mins(10);
/// So long nobody asks again, whatever comes.
const PAUSE: Duration = Duration::from_mins(1);
/// Where there are no keys at all, so long.
const RETRY: Duration = Duration::from_secs(5);
/// While fetching fails, old keys serve so long.
const STALE: Duration = Duration::from_hours(24);
/// Addresses named by requests that one account or install asks in a minute.
const NAMED_A_MINUTE: u32 = 20;
/// Who finds keys being fetched looks again after so long, so often.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS: u32 = 20;
/// What is kept of addresses that have no keys, and of who asked how often.
const NOTES_BYTES: usize = 128 * 1024;

/// Keys of one address.
pub type Keys = Rc<Vec<PublishedKey>>;

/// How old a copy may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// As kept.
    Any,
    /// The key may be newer than the copy.
    Recent,
}

#[derive(Clone)]
struct CachedKeys {
    keys: Option<Keys>,
    fetched_at: Timestamp,
    asked_at: Timestamp,
    is_under_way: bool,
}

type KeyTable = RefCell<ByteCache<String, CachedKeys>>;

/// The isolate's copies, by address. Those that requests name never push out those of files, and those without keys
/// none that have some.
pub struct KeyCache {
    published: KeyTable,
    named: KeyTable,
    /// No keys (yet): asked for, or failed.
    without: KeyTable,
    /// By account or install: the minute, and how many were asked in it.
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

/// What keys are asked for.
pub struct KeyRequest<'a> {
    /// Where they are.
    pub source: &'a KeySource,
    /// How old they may be.
    pub age: Age,
    /// The account or install whose webhook it is.
    pub owner: &'a str,
    /// Where the request's bytes are counted.
    pub room: &'a Room,
}

/// Why there are no keys.
#[derive(Debug)]
pub enum KeyError {
    /// What the request names holds none.
    Refused,
    /// Not for the moment.
    Unavailable(String),
}

/// The keys of a source; or why there are none.
pub async fn keys(
    outside: &impl Outside,
    copies: &KeyCache,
    asked: KeyRequest<'_>,
) -> Result<Keys, KeyError> {
    let KeyRequest { source, age, .. } = asked;
    for _ in 0..LOOKS {
        let now = outside.now();
        match copies.copy(source) {
            Some(copy) if copy.is_asked_for(now) => outside.sleep(LOOK).await,
            Some(copy) => match copy.usable(source, age, now) {
                Some(known) => return known,
                None => break,
            },
            None => break,
        }
    }
    let now = outside.now();
    if matches!(source, KeySource::Named(_)) && !copies.may_ask(asked.owner, now) {
        return Err(KeyError::Unavailable(
            "too many addresses of keys are named".to_owned(),
        ));
    }
    copies.keep(source, CachedKeys::asked(copies.copy(source), now), 0);
    let (read, bytes) = match fetch::get(outside, source.url(), asked.room).await {
        Ok(text) => (
            read_keys(&text).map_err(|refusal| refusal.to_string()),
            text.len(),
        ),
        Err(reason) => (Err(reason), 0),
    };
    copies.answered(source, read.map(Rc::new), bytes, outside.now())
}

impl CachedKeys {
    /// What needs no asking; `None` when it is time to ask.
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
                KeyError::Unavailable("they were asked for a moment ago".to_owned())
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

    /// It is being asked for.
    fn asked(before: Option<Self>, now: Timestamp) -> Self {
        let (keys, fetched_at) = before.map_or((None, now), |copy| (copy.keys, copy.fetched_at));
        Self {
            keys,
            fetched_at,
            asked_at: now,
            is_under_way: true,
        }
    }

    /// Whether another request asks for it now. One that was cut off asks no more when its time is over.
    fn is_asked_for(&self, now: Timestamp) -> bool {
        let is_in_time = now.since(self.asked_at) < fetch::TIMEOUT;
        self.keys.is_none() && self.is_under_way && is_in_time
    }
}

impl KeyCache {
    fn table(&self, source: &KeySource) -> &KeyTable {
        match source {
            KeySource::Published(_) => &self.published,
            KeySource::Named(_) => &self.named,
        }
    }

    fn copy(&self, source: &KeySource) -> Option<CachedKeys> {
        let address = source.url().as_str();
        let with_keys = self.table(source).borrow_mut().get(address).cloned();
        with_keys.or_else(|| self.without.borrow_mut().get(address).cloned())
    }

    fn keep(&self, source: &KeySource, copy: CachedKeys, bytes: usize) {
        let address = source.url().as_str();
        let copies = match copy.keys {
            Some(_) => self.table(source),
            None => &self.without,
        };
        let bytes = address.len().saturating_add(bytes);
        copies.borrow_mut().put(address.to_owned(), bytes, copy);
    }

    /// Notes what came, and says what counts now.
    fn answered(
        &self,
        source: &KeySource,
        read: Result<Keys, String>,
        bytes: usize,
        now: Timestamp,
    ) -> Result<Keys, KeyError> {
        let mut copy = CachedKeys {
            is_under_way: false,
            ..CachedKeys::asked(self.copy(source), now)
        };
        let stale = copy.stale(now);
        if let Ok(keys) = &read {
            (copy.keys, copy.fetched_at) = (Some(Rc::clone(keys)), now);
            self.without.borrow_mut().remove(source.url().as_str());
        }
        self.keep(source, copy, bytes);
        match (read, source) {
            (Ok(keys), _) => Ok(keys),
            (Err(_), KeySource::Named(_)) => Err(KeyError::Refused),
            (Err(reason), KeySource::Published(url)) => {
                stale.ok_or_else(|| KeyError::Unavailable(format!("{url}: {reason}")))
            }
        }
    }

    /// Counts an address that a request names.
    fn may_ask(&self, owner: &str, now: Timestamp) -> bool {
        let minute = now.as_millis() / 60_000;
        let mut all = self.asked.borrow_mut();
        let before = all.get(owner).filter(|(of, _)| *of == minute);
        let asked = before.map_or(0, |(_, asked)| *asked) + 1;
        all.put(owner.to_owned(), owner.len(), (minute, asked));
        asked <= NAMED_A_MINUTE
    }
}
