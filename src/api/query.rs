//! Query strings of admin calls. An unknown parameter is refused: a misspelt filter must not list all.

use data_encoding::BASE64URL_NOPAD;
use url::Url;

use crate::error::{Code, Failure};
use crate::flows::records::{Comparison, Filter, FilterValue, Page};
use crate::time::Timestamp;

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

/// The parameters of one request, each at most once.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the query of `url`; only `known` names may stand there.
    pub(crate) fn read(url: &Url, known: &[&str]) -> Result<Self, Failure> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url.query_pairs() {
            if !known.contains(&name.as_ref()) {
                return Err(malformed(&format!(
                    "There is no query parameter `{name}` here; there are: {}.",
                    known.join(", ")
                )));
            }
            if pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(malformed(&format!(
                    "The query parameter `{name}` stands twice."
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
        fields: &[Field],
    ) -> Result<(Self, Page), Failure> {
        let filters: Vec<_> = fields.iter().flat_map(Field::parameters).collect();
        let named = filters.iter().map(|(name, ..)| name.as_str());
        let known: Vec<&str> = ["limit", "next_cursor"]
            .into_iter()
            .chain(others.iter().copied())
            .chain(named)
            .collect();
        let query = Self::read(url, &known)?;
        let page = query.page(&filters)?;
        Ok((query, page))
    }

    fn page(&self, known: &[(String, &Field, Comparison)]) -> Result<Page, Failure> {
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
                    malformed(&format!("`{name}` is not {}.", field.kind.words()))
                })?;
                filters.push(Filter {
                    field: field.key.to_owned(),
                    comparison: *comparison,
                    value,
                });
            }
        }
        let after = self.get("next_cursor").map(read_cursor).transpose()?;
        Ok(Page {
            limit: limit.clamp(1, MAX_LIMIT),
            after,
            filters,
        })
    }
}

/// A field that a list can be narrowed by.
pub(crate) struct Field {
    name: &'static str,
    key: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Flag,
    Time,
}

impl Field {
    /// A text, equal or not.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self {
            name,
            key: name,
            kind: Kind::Text,
        }
    }

    /// `true` or `false`.
    pub(crate) const fn flag(name: &'static str) -> Self {
        Self {
            name,
            key: name,
            kind: Kind::Flag,
        }
    }

    /// A time, also with `[gt]`, `[gte]`, `[lt]`, `[lte]`.
    pub(crate) const fn time(name: &'static str) -> Self {
        Self {
            name,
            key: name,
            kind: Kind::Time,
        }
    }

    /// Stored under another key than it is asked by.
    pub(crate) const fn stored_as(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    fn parameters(&self) -> Vec<(String, &Self, Comparison)> {
        let ranges: &[(&str, Comparison)] = match self.kind {
            Kind::Time => &[
                ("[gt]", Comparison::Above),
                ("[gte]", Comparison::From),
                ("[lt]", Comparison::Below),
                ("[lte]", Comparison::To),
            ],
            Kind::Text | Kind::Flag => &[],
        };
        let exact = (self.name.to_owned(), self, Comparison::Is);
        let ranges = ranges
            .iter()
            .map(|(suffix, comparison)| (format!("{}{suffix}", self.name), self, *comparison));
        [exact].into_iter().chain(ranges).collect()
    }
}

impl Kind {
    fn read(self, text: &str) -> Option<FilterValue> {
        match self {
            Self::Text => Some(FilterValue::Text(text.to_owned())),
            Self::Flag => text.parse().ok().map(FilterValue::Flag),
            Self::Time => Timestamp::parse(text).map(|time| FilterValue::Text(time.to_string())),
        }
    }

    fn words(self) -> &'static str {
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

fn read_cursor(text: &str) -> Result<String, Failure> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let id = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    id.filter(|id| uuid::Uuid::try_parse(id).is_ok())
        .ok_or_else(|| {
            malformed("`next_cursor` is not one of ours; use it as the last answer gave it.")
        })
}

fn malformed(message: &str) -> Failure {
    Failure::new(Code::Malformed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Result<Page, Failure> {
        let url = Url::parse(&format!("http://x/y?{query}")).unwrap();
        let fields = [
            Field::flag("is_beta"),
            Field::time("created_at"),
            Field::text("integration.name").stored_as("integration_name"),
        ];
        Ok(Query::of_list(&url, &[], &fields)?.1)
    }

    #[test]
    fn the_limit_is_clamped_not_refused() {
        for (query, limit) in [
            ("", 100),
            ("limit=7", 7),
            ("limit=1000", 1000),
            ("limit=1001", 1000),
            ("limit=0", 1),
        ] {
            assert_eq!(page(query).unwrap().limit, limit, "{query}");
        }
        assert_eq!(page("limit=many").unwrap_err().status(), 400);
    }

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let id = "018bcfe5-6800-8000-8000-000000000000";
        assert_eq!(
            page(&format!("next_cursor={}", cursor(id)))
                .unwrap()
                .after
                .as_deref(),
            Some(id)
        );
        for wrong in ["abc", "***", "JyBPUiAx"] {
            assert_eq!(
                page(&format!("next_cursor={wrong}")).unwrap_err().status(),
                400,
                "{wrong}"
            );
        }
    }

    #[test]
    fn filters_are_read_by_their_kind() {
        let page =
            page("is_beta=true&created_at%5Bgt%5D=2026-01-31T01:00:00%2B01:00&integration.name=a")
                .unwrap();
        let read: Vec<_> = page
            .filters
            .iter()
            .map(|one| (one.field.as_str(), one.comparison, one.value.clone()))
            .collect();
        let expected = [
            ("is_beta", Comparison::Is, FilterValue::Flag(true)),
            (
                "created_at",
                Comparison::Above,
                FilterValue::Text("2026-01-31T00:00:00.000Z".into()),
            ),
            (
                "integration_name",
                Comparison::Is,
                FilterValue::Text("a".into()),
            ),
        ];
        assert_eq!(read, expected);
        for wrong in ["is_beta=yes", "created_at=today", "is_beta[gt]=true"] {
            assert_eq!(
                super::tests::page(wrong).unwrap_err().status(),
                400,
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_misspelt_or_doubled_parameter_is_refused() {
        assert!(page("limitt=1").unwrap_err().message.contains("limitt"));
        assert!(
            page("limit=1&limit=2")
                .unwrap_err()
                .message
                .contains("twice")
        );
    }
}
