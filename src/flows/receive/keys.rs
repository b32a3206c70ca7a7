//! Published keys, kept by the isolate. An address of the file is asked once a minute at most; addresses that a
//! request names, which the file's pattern fits, so many a minute, for whoever names them may be unknown.

use std::cell::{Cell, RefCell};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use lru::LruCache;

use super::fetch;
use crate::ports::Outside;
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
/// Addresses named by requests that are asked in a minute.
const NAMED_A_MINUTE: u32 = 20;
/// Who finds keys being fetched looks again after so long, so often.
const LOOK: Duration = Duration::from_millis(200);
const LOOKS: u32 = 20;

const COPIES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(199);

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
struct Copy {
    keys: Option<Keys>,
    fetched_at: Timestamp,
    asked_at: Timestamp,
    is_under_way: bool,
}

type Shelf = RefCell<Option<LruCache<String, Copy>>>;

/// The isolate's copies, by address. Those that requests name never push out those of files.
#[derive(Default)]
pub struct KeyCopies {
    published: Shelf,
    named: Shelf,
    /// The minute, and how many were asked in it.
    asked: Cell<(i64, u32)>,
}

/// Why there are no keys.
#[derive(Debug)]
pub enum NoKeys {
    /// What the request names holds none.
    Refused,
    /// Not for the moment.
    Unavailable(String),
}

/// The keys of a source; or why there are none.
pub async fn keys(
    outside: &impl Outside,
    copies: &KeyCopies,
    source: &KeySource,
    age: Age,
) -> Result<Keys, NoKeys> {
    let address = source.url().as_str();
    for _ in 0..LOOKS {
        let now = outside.now();
        match copies.copy(source) {
            Some(copy) if copy.keys.is_none() && copy.is_under_way => outside.sleep(LOOK).await,
            Some(copy) => match copy.usable(source, age, now) {
                Some(known) => return known,
                None => break,
            },
            None => break,
        }
    }
    let now = outside.now();
    if matches!(source, KeySource::Named(_)) && !copies.may_ask(now) {
        return Err(NoKeys::Unavailable(
            "too many addresses of keys are named".to_owned(),
        ));
    }
    copies.note(
        source,
        |copy| (copy.asked_at, copy.is_under_way) = (now, true),
        now,
    );
    let fetched = fetch::get(outside, source.url()).await;
    let read = fetched.and_then(|bytes| read_keys(&bytes).map_err(|refusal| refusal.to_string()));
    let now = outside.now();
    let keys = read.map(Rc::new);
    copies.note(source, |copy| copy.take(keys.as_ref().ok(), now), now);
    match (keys, source) {
        (Ok(keys), _) => Ok(keys),
        (Err(_), KeySource::Named(_)) => Err(NoKeys::Refused),
        (Err(reason), KeySource::Published(_)) => {
            let stale = copies.copy(source).and_then(|copy| copy.stale(now));
            stale.ok_or_else(|| NoKeys::Unavailable(format!("{address}: {reason}")))
        }
    }
}

impl Copy {
    /// What needs no asking; `None` when it is time to ask.
    fn usable(&self, source: &KeySource, age: Age, now: Timestamp) -> Option<Result<Keys, NoKeys>> {
        let since = now.since(self.asked_at);
        let is_named = matches!(source, KeySource::Named(_));
        let Some(keys) = self.stale(now) else {
            let none = if is_named {
                NoKeys::Refused
            } else {
                NoKeys::Unavailable("they were asked for a moment ago".to_owned())
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

    fn take(&mut self, keys: Option<&Keys>, now: Timestamp) {
        self.is_under_way = false;
        if let Some(keys) = keys {
            (self.keys, self.fetched_at) = (Some(Rc::clone(keys)), now);
        }
    }
}

impl KeyCopies {
    fn shelf(&self, source: &KeySource) -> &Shelf {
        match source {
            KeySource::Published(_) => &self.published,
            KeySource::Named(_) => &self.named,
        }
    }

    fn copy(&self, source: &KeySource) -> Option<Copy> {
        let mut copies = self.shelf(source).borrow_mut();
        copies.as_mut()?.get(source.url().as_str()).cloned()
    }

    fn note(&self, source: &KeySource, change: impl FnOnce(&mut Copy), now: Timestamp) {
        let mut copies = self.shelf(source).borrow_mut();
        let copies = copies.get_or_insert_with(|| LruCache::new(COPIES));
        let new = || Copy {
            keys: None,
            fetched_at: now,
            asked_at: now,
            is_under_way: false,
        };
        change(copies.get_or_insert_mut(source.url().as_str().to_owned(), new));
    }

    /// Counts an address that a request names.
    fn may_ask(&self, now: Timestamp) -> bool {
        let minute = now.as_millis() / 60_000;
        let (of, asked) = self.asked.get();
        let asked = if of == minute { asked + 1 } else { 1 };
        self.asked.set((minute, asked));
        asked <= NAMED_A_MINUTE
    }
}
