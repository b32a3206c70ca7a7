//! The operator's words that the file says for all its methods. Each is taken out by the first request that sends
//! it where it must not go, so that twenty thousand methods do not look at each one.

use std::collections::BTreeSet;

use crate::config::{Config, Method, Setting};

use super::words::{self, Word};

/// What of the file it stands in, as far as a method can put something in its place.
enum Section<'c> {
    Header(&'c str),
    Parameter(&'c str),
    Authorization,
    Pagination,
    BaseUrl,
}

/// What a method says of its own, looked up once for all that is shared.
struct Own<'m> {
    method: &'m Method,
    headers: BTreeSet<String>,
}

impl<'m> Own<'m> {
    fn of(method: &'m Method) -> Self {
        let names = method.headers.keys();
        Self {
            method,
            headers: names.map(|name| name.to_ascii_lowercase()).collect(),
        }
    }

    /// Whether the method sends what stands in this section of the file.
    fn leaves(&self, section: &Section) -> bool {
        let method = self.method;
        match section {
            Section::Header(name) => !self.headers.contains(&name.to_ascii_lowercase()),
            Section::Parameter(name) => !method.query.contains_key(*name),
            Section::Authorization => !method.no_auth && method.authorization.is_none(),
            Section::Pagination => matches!(method.pagination, Setting::Inherit),
            Section::BaseUrl => method.base_url.is_none(),
        }
    }
}

pub(super) struct Shared<'c>(Vec<(Section<'c>, Word)>);

impl<'c> Shared<'c> {
    pub(super) fn of(config: &'c Config) -> Self {
        let mut shared: Vec<(Section, Word)> = Vec::new();
        let headers = words::of_entries(&config.headers, "config.headers");
        shared.extend(
            headers
                .into_iter()
                .map(|(name, word)| (Section::Header(name), word)),
        );
        let query = words::of_entries(&config.query, "config.query");
        shared.extend(
            query
                .into_iter()
                .map(|(name, word)| (Section::Parameter(name), word)),
        );
        if let Some(authorization) = &config.authorization {
            let words = words::of_authorization(authorization, "config.authorization");
            shared.extend(words.into_iter().map(|word| (Section::Authorization, word)));
        }
        let pagination = words::of_pagination(&config.pagination, "config.pagination");
        shared.extend(
            pagination
                .into_iter()
                .map(|word| (Section::Pagination, word)),
        );
        let base = config.base_url.as_ref();
        let base = base.and_then(|base| words::of_url(base.template(), "config.base_url"));
        shared.extend(base.map(|word| (Section::BaseUrl, word)));
        Self(shared)
    }

    /// Those that this method sends.
    pub(super) fn take_for(&mut self, method: &Method) -> Vec<Word> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let own = Own::of(method);
        self.take(|section| own.leaves(section))
    }

    /// Those that a call of the provider's own path sends.
    pub(super) fn take_custom(&mut self) -> Vec<Word> {
        self.take(|section| !matches!(section, Section::Pagination))
    }

    /// Those that are left.
    pub(super) fn take_rest(&mut self) -> Vec<Word> {
        self.take(|_| true)
    }

    fn take(&mut self, is_wanted: impl Fn(&Section) -> bool) -> Vec<Word> {
        let (taken, left) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|(section, _)| is_wanted(section));
        self.0 = left;
        let taken: Vec<(Section, Word)> = taken;
        taken.into_iter().map(|(_, word)| word).collect()
    }
}
