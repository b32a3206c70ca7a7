//! A provider as a sync sees it: records that change, the pages of its lists, and what goes wrong in between.

use std::collections::BTreeMap;

use causeway::ports::{Body, Reply};
use causeway::time::Timestamp;
use serde_json::{Value, json};
use url::Url;

use crate::account::JSON;
use crate::outside::{Pieces, Sent, reply};

/// Records of a page, for every request.
pub const PAGE: usize = 3;

/// A record, or one that is gone.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: String,
    pub value: Value,
    /// Milliseconds since 1970.
    pub changed_at: i64,
    /// The number of its last change.
    pub change: u64,
}

/// What happens at a request for a page.
pub enum Event {
    /// The records change before the answer.
    Changes(Box<dyn Fn(&mut Twin)>),
    /// The answer has this status in place of the page.
    Fails(u16, Vec<(&'static str, &'static str)>),
    /// The access token is over.
    TokenEnds,
    /// The page has the records of the page before, too.
    Repeats,
}

/// A request that a provider reads.
pub struct Request {
    pub url: Url,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub body: Value,
}

/// What a provider answers.
pub struct Page {
    pub status: u16,
    pub link: Option<String>,
    pub body: Value,
}

/// How a provider speaks.
pub struct Provider {
    pub file: &'static str,
    pub sync: &'static str,
    pub method: &'static str,
    pub context: fn() -> Value,
    /// A record with this id and text that changed at this time.
    pub record: fn(&str, &str, i64) -> Value,
    /// The sync whose records this one follows.
    pub parent: Option<&'static str>,
    /// What the feed shows of it.
    pub kept: fn(&Value) -> Value,
    pub answer: fn(&mut Twin, &Request) -> Page,
    /// Whether a run that reads only what changed finds out what is gone.
    pub reports_deletions: bool,
    /// Whether its tokens of changes end some day.
    pub has_change_tokens: bool,
}

pub struct Twin {
    pub live: BTreeMap<String, Entry>,
    pub gone: BTreeMap<String, Entry>,
    pub now: i64,
    /// Requests for pages so far.
    pub pages: usize,
    pub happens: BTreeMap<usize, Event>,
    pub refreshes: usize,
    /// Tokens of changes before this one are over.
    pub oldest_token: u64,
    /// Answers that are given away in pieces.
    pub snapshots: Vec<Vec<Value>>,
    changes: u64,
    is_repeated: bool,
    record: fn(&str, &str, i64) -> Value,
}

impl Page {
    pub fn of(body: Value) -> Self {
        Self {
            status: 200,
            link: None,
            body,
        }
    }

    pub fn error(status: u16) -> Self {
        Self {
            status,
            link: None,
            body: json!({ "error": { "message": "no" } }),
        }
    }
}

impl Request {
    fn of(sent: &Sent) -> Self {
        let url = Url::parse(&sent.url).unwrap();
        Self {
            path: url.path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
            body: serde_json::from_slice(&sent.body).unwrap_or_default(),
            url,
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

pub fn iso(millis: i64) -> String {
    Timestamp::from_millis(millis).to_string()
}

pub fn millis(text: &str) -> i64 {
    let time = Timestamp::parse(text);
    time.unwrap_or_else(|| panic!("{text} is no time"))
        .as_millis()
}

impl Twin {
    pub fn new(provider: &Provider) -> Self {
        Self {
            live: BTreeMap::new(),
            gone: BTreeMap::new(),
            now: 0,
            pages: 0,
            happens: BTreeMap::new(),
            refreshes: 0,
            oldest_token: 0,
            snapshots: Vec::new(),
            changes: 0,
            is_repeated: false,
            record: provider.record,
        }
    }

    fn entry(&mut self, id: &str, value: Value) -> Entry {
        self.changes += 1;
        Entry {
            id: id.to_owned(),
            value,
            changed_at: self.now,
            change: self.changes,
        }
    }

    pub fn put(&mut self, id: &str, text: &str) {
        let value = (self.record)(id, text, self.now);
        let entry = self.entry(id, value);
        self.gone.remove(id);
        self.live.insert(id.to_owned(), entry);
    }

    pub fn remove(&mut self, id: &str) {
        let entry = self.live.remove(id).unwrap();
        let entry = self.entry(id, entry.value);
        self.gone.insert(id.to_owned(), entry);
    }

    /// Every token of changes so far is over, and what it would have led to is forgotten.
    pub fn end_change_tokens(&mut self) {
        self.gone.clear();
        self.changes += 1;
        self.oldest_token = self.changes;
    }

    /// A token of what changes from now on.
    pub fn change_token(&self) -> u64 {
        self.changes
    }

    pub fn by_id(&self) -> Vec<Entry> {
        self.live.values().cloned().collect()
    }

    /// Those that `is_wanted`, the oldest change first.
    pub fn by_change(&self, is_wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let wanted = self.live.values().filter(|entry| is_wanted(entry));
        let mut entries: Vec<Entry> = wanted.cloned().collect();
        entries.sort_by_key(|entry| entry.change);
        entries
    }

    /// What changed behind this change, the oldest first; whether it is gone.
    pub fn changes_after(&self, change: u64) -> Vec<(Entry, bool)> {
        let live = self.live.values().map(|entry| (entry.clone(), false));
        let gone = self.gone.values().map(|entry| (entry.clone(), true));
        let mut all: Vec<(Entry, bool)> = live.chain(gone).collect();
        all.retain(|(entry, _)| entry.change > change);
        all.sort_by_key(|(entry, _)| entry.change);
        all
    }

    /// Where the first of these rows is that changed behind this change.
    pub fn place_after<'e>(rows: impl IntoIterator<Item = &'e Entry>, change: u64) -> usize {
        let mut rows = rows.into_iter();
        let before = |entry: &&Entry| entry.change <= change;
        rows.by_ref().take_while(before).count()
    }

    /// The page that begins at `offset`, and where the next one does.
    pub fn page<T: Clone>(&mut self, rows: &[T], offset: usize) -> (Vec<T>, Option<usize>) {
        let end = rows.len().min(offset + PAGE);
        let begin = if std::mem::take(&mut self.is_repeated) {
            offset.saturating_sub(PAGE)
        } else {
            offset
        };
        let page = rows.get(begin..end).unwrap_or_default().to_vec();
        (page, Some(end).filter(|end| *end < rows.len()))
    }

    fn access_token(&self) -> String {
        format!("access-token-{}", self.refreshes)
    }

    pub fn answers(&mut self, provider: &Provider, sent: &Sent) -> Reply<Pieces> {
        let body = String::from_utf8_lossy(&sent.body);
        if body.contains("refresh_token") {
            self.refreshes += 1;
            let token = json!({ "access_token": self.access_token(), "refresh_token": "refresh-token", "token_type": "bearer" });
            return reply(200, &JSON, Body::from_bytes(token.to_string()));
        }
        if sent.url.ends_with("/introspect") {
            let token = json!({ "active": true, "exp": self.now / 1_000 + 3_600 });
            return reply(200, &JSON, Body::from_bytes(token.to_string()));
        }
        let number = self.pages;
        self.pages += 1;
        match self.happens.remove(&number) {
            Some(Event::Changes(change)) => change(self),
            Some(Event::Fails(status, mut headers)) => {
                headers.extend(JSON);
                return reply(status, &headers, Body::from_bytes("{}"));
            }
            Some(Event::TokenEnds) if provider.method == "oauth2" => {
                return reply(401, &JSON, Body::from_bytes("{}"));
            }
            Some(Event::TokenEnds) | None => {}
            Some(Event::Repeats) => self.is_repeated = true,
        }
        if provider.method == "oauth2" {
            let expected = format!("Bearer {}", self.access_token());
            assert_eq!(sent.header("authorization"), Some(expected.as_str()));
        }
        let page = (provider.answer)(self, &Request::of(sent));
        let mut headers = JSON.to_vec();
        headers.extend(page.link.as_deref().map(|link| ("link", link)));
        reply(
            page.status,
            &headers,
            Body::from_bytes(page.body.to_string()),
        )
    }
}
