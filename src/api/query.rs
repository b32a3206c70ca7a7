//! Query strings of admin calls. An unknown parameter is refused: a misspelt filter must not list all.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use url::Url;

use crate::error::{Code, Failure};
use crate::flows::base::records::{Comparison, Filter, FilterValue, PageRequest};
use crate::time::Timestamp;

/// Records of a page where the caller names no `limit`.
pub(super) const DEFAULT_LIMIT: usize = 100;
/// The most records of a page.
pub(super) const MAX_LIMIT: usize = 1_000;
/// Characters of what a cursor holds.
const LONGEST_PLACE: usize = 100;

/// The parameters of one request, each at most once.
pub(crate) struct QueryParameters(Vec<(String, String)>);

impl QueryParameters {
    /// Reads the query of `url`; it may have `known` names only.
    pub(crate) fn read(url: &Url, known: &[&str]) -> Result<Self, Failure> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url.query_pairs() {
            // Generic clients begin each list with an empty cursor, also one that has no pages.
            if name == "next_cursor" && value.is_empty() {
                continue;
            }
            if !known.contains(&name.as_ref()) {
                return Err(malformed(&format!(
                    "There is no query parameter `{name}` here; there are: {}.",
                    known.join(", ")
                )));
            }
            if pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(malformed(&format!(
                    "The query parameter `{name}` is given more than once."
                )));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// A parameter, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// The query of a list: `limit` (default 100, clamped to 1,000), `next_cursor`, filters by `fields`, and
    /// `environment_id` where `others` says so.
    pub(crate) fn of_list(
        url: &Url,
        others: &[&str],
        fields: &[FilterField],
    ) -> Result<(Self, PageRequest), Failure> {
        Self::of_list_with(url, others, fields, |text| {
            uuid::Uuid::try_parse(text).is_ok()
        })
    }

    /// The same for events, which are listed by time: their cursor holds more than an id.
    pub(crate) fn of_events(
        url: &Url,
        others: &[&str],
        fields: &[FilterField],
    ) -> Result<(Self, PageRequest), Failure> {
        Self::of_list_with(url, others, fields, is_place)
    }

    /// The same for records without an id: their cursor holds a name.
    pub(crate) fn of_names(
        url: &Url,
        fields: &[FilterField],
    ) -> Result<(Self, PageRequest), Failure> {
        Self::of_list_with(url, &[], fields, |name| !name.is_empty())
    }

    fn of_list_with(
        url: &Url,
        others: &[&str],
        fields: &[FilterField],
        is_ours: fn(&str) -> bool,
    ) -> Result<(Self, PageRequest), Failure> {
        let filters: Vec<_> = fields.iter().flat_map(FilterField::parameters).collect();
        let named = filters.iter().map(|(name, ..)| name.as_str());
        let known: Vec<&str> = ["limit", "next_cursor"]
            .into_iter()
            .chain(others.iter().copied())
            .chain(named)
            .collect();
        let query = Self::read(url, &known)?;
        let page = query.page(&filters, is_ours)?;
        Ok((query, page))
    }

    fn page(
        &self,
        known: &[(String, &FilterField, Comparison)],
        is_ours: fn(&str) -> bool,
    ) -> Result<PageRequest, Failure> {
        let limit = match self.get("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| malformed("`limit` is not a whole number."))?,
        };
        let mut filters = Vec::new();
        for (name, field, comparison) in known {
            if let Some(text) = self.get(name) {
                let value = field.kind.read(text).ok_or_else(|| {
                    malformed(&format!("`{name}` is not {}.", field.kind.description()))
                })?;
                filters.push(Filter {
                    field: field.key.to_owned(),
                    comparison: *comparison,
                    value,
                });
            }
        }
        let after = self.get("next_cursor");
        let after = after.map(|text| read_cursor(text, is_ours)).transpose()?;
        Ok(PageRequest {
            limit: limit.clamp(1, MAX_LIMIT),
            after,
            filters,
        })
    }
}

/// What a list shows, and the fields it can be narrowed by.
pub(crate) trait Filtered {
    /// The fields.
    const FILTERS: &'static [FilterField];
}

/// A field that a list can be narrowed by.
pub(crate) struct FilterField {
    name: &'static str,
    key: &'static str,
    kind: FilterKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum FilterKind {
    Text,
    Flag,
    Time,
}

impl FilterField {
    /// A text, equal or not.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self {
            name,
            key: name,
            kind: FilterKind::Text,
        }
    }

    /// `true` or `false`.
    pub(crate) const fn flag(name: &'static str) -> Self {
        Self {
            name,
            key: name,
            kind: FilterKind::Flag,
        }
    }

    /// A time, also with `[gt]`, `[gte]`, `[lt]`, `[lte]`.
    pub(crate) const fn time(name: &'static str) -> Self {
        Self {
            name,
            key: name,
            kind: FilterKind::Time,
        }
    }

    /// Stored under another key than it is asked by.
    pub(crate) const fn stored_as(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    /// The names it is asked by, each with the schema of its value.
    pub(crate) fn documented(&self) -> Vec<(String, Value)> {
        let schema = match self.kind {
            FilterKind::Text => json!({ "type": "string" }),
            FilterKind::Flag => json!({ "type": "boolean" }),
            FilterKind::Time => json!({ "type": "string", "format": "date-time" }),
        };
        let parameters = self.parameters().into_iter();
        parameters
            .map(|(name, ..)| (name, schema.clone()))
            .collect()
    }

    fn parameters(&self) -> Vec<(String, &Self, Comparison)> {
        let ranges: &[(&str, Comparison)] = match self.kind {
            FilterKind::Time => &[
                ("[gt]", Comparison::Above),
                ("[gte]", Comparison::From),
                ("[lt]", Comparison::Below),
                ("[lte]", Comparison::To),
            ],
            FilterKind::Text | FilterKind::Flag => &[],
        };
        let exact = (self.name.to_owned(), self, Comparison::Is);
        let ranges = ranges
            .iter()
            .map(|(suffix, comparison)| (format!("{}{suffix}", self.name), self, *comparison));
        [exact].into_iter().chain(ranges).collect()
    }
}

impl FilterKind {
    fn read(self, text: &str) -> Option<FilterValue> {
        match self {
            Self::Text => Some(FilterValue::Text(text.to_owned())),
            Self::Flag => text.parse().ok().map(FilterValue::Flag),
            Self::Time => Timestamp::parse(text).map(|time| FilterValue::Text(time.to_string())),
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Flag => "true or false",
            Self::Time => "a date and time such as 2026-01-31T12:00:00Z",
        }
    }
}

/// The cursor that goes on after `id`.
pub(crate) fn cursor(id: &str) -> String {
    BASE64URL_NOPAD.encode(id.as_bytes())
}

fn read_cursor(text: &str, is_ours: fn(&str) -> bool) -> Result<String, Failure> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let id = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    id.filter(|id| is_ours(id)).ok_or_else(|| {
        malformed("`next_cursor` is not one of ours; use it as the last answer gave it.")
    })
}

/// A place in a list by time, as the flow that lists writes it: numbers, ids and separators.
fn is_place(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=LONGEST_PLACE).contains(&text.len()) && text.bytes().all(is_word)
}

fn malformed(message: &str) -> Failure {
    Failure::new(Code::Malformed, message)
}

#[cfg(test)]
mod tests;
