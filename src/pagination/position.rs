//! The position of a page in a list. It is small, since it travels inside the caller's cursor, sealed.

use std::hash::{DefaultHasher, Hasher};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::visited::Visited;
use super::{DeadEnd, PageAnswer};

/// So many equal pages in a row mean that the provider does not advance.
const SAME_PAGES: u8 = 2;
/// The same of pages with one record each: two records may well be alike.
const SAME_RECORDS: u8 = 3;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Which page.
    pub at: PagePlace,
    /// The records wanted of a page, clamped; absent: as many as the provider likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The records of the pages before.
    #[serde(default)]
    pub seen: u64,
    /// The pages before.
    #[serde(default)]
    pub pages: u32,
    /// Whether the page before said by a total that there are more records.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_announced: bool,
    /// What the page before held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<PageTrace>,
    /// Places that were asked for already, by which a provider that leads back to one is recognised.
    #[serde(default, skip_serializing_if = "Visited::is_empty")]
    pub(super) visited: Box<Visited>,
}

/// How a page is named to the provider.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PagePlace {
    /// The first page, where it needs no name.
    Start,
    /// A cursor, as JSON text, so that a number keeps all its digits.
    Cursor(String),
    /// Path and query of a link. Never its host: that is always the account's own.
    Link(String),
    /// A page's number.
    Page(u64),
    /// The records to skip.
    Offset(u64),
    /// What an expression computed.
    Values(Value),
    /// No page: the page before gave its records, and its way on cannot be used.
    DeadEnd(DeadEnd),
}

/// A mark of a page's records, and how many pages in a row had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageTrace {
    hash: u64,
    times: u8,
}

impl Position {
    pub(super) fn new(at: PagePlace, limit: Option<u64>) -> Self {
        Self {
            at,
            limit,
            seen: 0,
            pages: 0,
            is_announced: false,
            before: None,
            visited: Box::default(),
        }
    }

    /// Whether it is the first page of a list, which a method may ask for in another way.
    pub fn is_first(&self) -> bool {
        match self.at {
            PagePlace::Start => true,
            PagePlace::Cursor(_) | PagePlace::Link(_) | PagePlace::DeadEnd(_) => false,
            PagePlace::Page(_) | PagePlace::Offset(_) | PagePlace::Values(_) => self.pages == 0,
        }
    }

    /// What it takes to write it down.
    pub(super) fn size(&self) -> usize {
        serde_json::to_string(self).map_or(usize::MAX, |text| text.len())
    }

    /// Whether the page holds what the one before it held.
    pub(super) fn is_same_again(&self, answer: &PageAnswer) -> bool {
        let hash = hash(answer.records);
        answer.count > 0 && self.before.is_some_and(|before| before.hash == hash)
    }

    /// Whether as many pages in a row as prove it held the same records.
    pub(super) fn is_stuck(&self, answer: &PageAnswer) -> bool {
        let same = if answer.count == 1 {
            SAME_RECORDS
        } else {
            SAME_PAGES
        };
        answer.count > 0 && self.trace(answer).is_some_and(|trace| trace.times >= same)
    }

    /// The same, where the first page has the name that a later page would have.
    pub(super) fn named(&self, first: Option<PagePlace>) -> Self {
        let at = match (&self.at, first) {
            (PagePlace::Start, Some(first)) => first,
            (own, _) => own.clone(),
        };
        Self { at, ..self.clone() }
    }

    /// Whether this page, or one before it as far as is known, was asked for by this name.
    pub(super) fn has_visited(&self, place: &PagePlace) -> bool {
        self.at == *place || self.visited.has(place)
    }

    /// The next page, named `at`, after this one gave `answer`. Where that page was asked for before, a dead end.
    pub(super) fn onward(&self, at: PagePlace, answer: &PageAnswer) -> Self {
        let mut visited = self.visited.clone();
        visited.add(&self.at);
        let at = if visited.has(&at) {
            PagePlace::DeadEnd(DeadEnd::repeats())
        } else {
            at
        };
        Self {
            at,
            limit: self.limit,
            seen: self.seen.saturating_add(answer.count),
            pages: self.pages.saturating_add(1),
            is_announced: false,
            before: self.trace(answer),
            visited,
        }
    }

    /// The same, where the page before says whether there are more records.
    pub(super) fn announced(self, is_announced: bool) -> Self {
        Self {
            is_announced,
            ..self
        }
    }

    /// What follows a page whose way on cannot be used.
    pub(super) fn dead_end(&self, end: DeadEnd) -> Self {
        Self {
            at: PagePlace::DeadEnd(end),
            limit: self.limit,
            seen: self.seen,
            pages: self.pages,
            is_announced: false,
            before: None,
            visited: Box::default(),
        }
    }

    /// The page before, named `at`.
    pub(super) fn back(&self, at: PagePlace) -> Self {
        Self {
            at,
            limit: self.limit,
            seen: self.seen.saturating_sub(self.limit.unwrap_or(self.seen)),
            pages: self.pages.saturating_sub(1),
            is_announced: false,
            before: None,
            visited: Box::default(),
        }
    }

    fn trace(&self, answer: &PageAnswer) -> Option<PageTrace> {
        if answer.count == 0 {
            return self.before;
        }
        let hash = hash(answer.records);
        let times = self
            .before
            .filter(|before| before.hash == hash)
            .map_or(1, |before| before.times.saturating_add(1));
        Some(PageTrace { hash, times })
    }
}

/// The same on every machine, for this version of the toolchain; a cursor that outlives it loses a page's mark.
pub(super) fn hash(records: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(records.as_bytes());
    hasher.finish()
}
