//! The operator's values that the file sends with all its methods. The first request that sends one where it must
//! not go removes it from the list, so that twenty thousand methods do not check each value.

use std::collections::BTreeSet;

use crate::config::{BodyEntries, Config, Method, Setting};

use super::operator_values::{self, OperatorValue};

/// What of the file it is in, as far as a method can put something in its place.
enum SharedSection<'c> {
    Header(&'c str),
    Parameter(&'c str),
    /// An entry of the body.
    Entry(&'c str),
    Authorization,
    Pagination,
    BaseUrl,
}

/// What a method declares itself, looked up once for all shared sections.
struct OwnSections<'m> {
    method: &'m Method,
    headers: BTreeSet<String>,
}

impl<'m> OwnSections<'m> {
    fn of(method: &'m Method) -> Self {
        let names = method.headers.keys();
        Self {
            method,
            headers: names.map(|name| name.to_ascii_lowercase()).collect(),
        }
    }

    /// Whether the method sends what is in this section of the file.
    fn leaves(&self, section: &SharedSection) -> bool {
        let method = self.method;
        match section {
            SharedSection::Header(name) => !self.headers.contains(&name.to_ascii_lowercase()),
            SharedSection::Parameter(name) => !method.query.contains_key(*name),
            SharedSection::Entry(name) => method.sends_file_entry(name),
            SharedSection::Authorization => !method.no_auth && method.authorization.is_none(),
            SharedSection::Pagination => matches!(method.pagination, Setting::Inherit),
            SharedSection::BaseUrl => method.base_url.is_none(),
        }
    }
}

pub(super) struct Shared<'c>(Vec<(SharedSection<'c>, OperatorValue)>);

impl<'c> Shared<'c> {
    pub(super) fn of(config: &'c Config) -> Self {
        let mut shared: Vec<(SharedSection, OperatorValue)> = Vec::new();
        let headers = operator_values::of_entries(&config.headers, "config.headers");
        shared.extend(
            headers
                .into_iter()
                .map(|(name, value)| (SharedSection::Header(name), value)),
        );
        let query = operator_values::of_entries(&config.query, "config.query");
        shared.extend(
            query
                .into_iter()
                .map(|(name, value)| (SharedSection::Parameter(name), value)),
        );
        let body = config.body.iter().flat_map(BodyEntries::entries);
        for (name, tree) in body {
            let values = operator_values::of_entry(name, tree, "config.body");
            let values = values.into_iter();
            shared.extend(values.map(|value| (SharedSection::Entry(name), value)));
        }
        if let Some(authorization) = &config.authorization {
            let values = operator_values::of_authorizations(authorization, "config.authorization");
            shared.extend(
                values
                    .into_iter()
                    .map(|value| (SharedSection::Authorization, value)),
            );
        }
        let pagination = operator_values::of_pagination(&config.pagination, "config.pagination");
        shared.extend(
            pagination
                .into_iter()
                .map(|value| (SharedSection::Pagination, value)),
        );
        let base = config.base_url.as_ref();
        let base =
            base.and_then(|base| operator_values::of_url(base.template(), "config.base_url"));
        shared.extend(base.map(|value| (SharedSection::BaseUrl, value)));
        Self(shared)
    }

    /// Those that this method sends.
    pub(super) fn take_for(&mut self, method: &Method) -> Vec<OperatorValue> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let own = OwnSections::of(method);
        self.take(|section| own.leaves(section))
    }

    /// Those that a call of the provider's own path sends.
    pub(super) fn take_custom(&mut self) -> Vec<OperatorValue> {
        self.take(|section| !matches!(section, SharedSection::Pagination))
    }

    /// Those that are left.
    pub(super) fn take_rest(&mut self) -> Vec<OperatorValue> {
        self.take(|_| true)
    }

    fn take(&mut self, is_wanted: impl Fn(&SharedSection) -> bool) -> Vec<OperatorValue> {
        let (taken, left) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|(section, _)| is_wanted(section));
        self.0 = left;
        let taken: Vec<(SharedSection, OperatorValue)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }
}
