//! Published keys, kept by the isolate. A stranger cannot make us fetch: one address is asked once a minute.

use std::cell::RefCell;
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

struct Copy {
    keys: Option<Keys>,
    fetched_at: Timestamp,
    asked_at: Timestamp,
}

/// The isolate's copies, by address.
#[derive(Default)]
pub struct KeyCopies(RefCell<Option<LruCache<String, Copy>>>);

/// The keys of a source; or why there are none.
pub async fn keys(
    outside: &impl Outside,
    copies: &KeyCopies,
    source: &KeySource,
    age: Age,
) -> Result<Keys, String> {
    let now = outside.now();
    let address = source.url().as_str();
    if let Some(known) = copies.known(address, source, age, now) {
        return known;
    }
    copies.note_asked(address, now);
    let fetched = fetch::get(outside, source.url()).await;
    let read = fetched.and_then(|bytes| read_keys(&bytes).map_err(|refusal| refusal.to_string()));
    match read {
        Ok(keys) => Ok(copies.keep(address, Rc::new(keys), outside.now())),
        Err(reason) => copies.stale(address, outside.now()).ok_or(reason),
    }
}

impl KeyCopies {
    /// What needs no asking; `None` when it is time to ask.
    fn known(
        &self,
        address: &str,
        source: &KeySource,
        age: Age,
        now: Timestamp,
    ) -> Option<Result<Keys, String>> {
        let mut copies = self.0.borrow_mut();
        let copy = copies.as_mut()?.get(address)?;
        let since = now.since(copy.asked_at);
        let Some(keys) = &copy.keys else {
            let asked = "it was asked for a moment ago and there are no keys yet".to_owned();
            return (since < RETRY).then_some(Err(asked));
        };
        let is_named = matches!(source, KeySource::Named(_));
        let is_fresh = age == Age::Any && now.since(copy.fetched_at) < FRESH;
        (is_named || is_fresh || since < PAUSE).then(|| Ok(Rc::clone(keys)))
    }

    fn note_asked(&self, address: &str, now: Timestamp) {
        let mut copies = self.0.borrow_mut();
        let copies = copies.get_or_insert_with(|| LruCache::new(COPIES));
        match copies.get_mut(address) {
            Some(copy) => copy.asked_at = now,
            None => drop(copies.put(
                address.to_owned(),
                Copy {
                    keys: None,
                    fetched_at: now,
                    asked_at: now,
                },
            )),
        }
    }

    fn keep(&self, address: &str, keys: Keys, now: Timestamp) -> Keys {
        let copy = Copy {
            keys: Some(Rc::clone(&keys)),
            fetched_at: now,
            asked_at: now,
        };
        let mut copies = self.0.borrow_mut();
        copies
            .get_or_insert_with(|| LruCache::new(COPIES))
            .put(address.to_owned(), copy);
        keys
    }

    fn stale(&self, address: &str, now: Timestamp) -> Option<Keys> {
        let mut copies = self.0.borrow_mut();
        let copy = copies.as_mut()?.get(address)?;
        let keys = copy.keys.clone()?;
        (now.since(copy.fetched_at) < STALE).then_some(keys)
    }
}
