//! Query strings of admin calls. An unknown parameter is refused: a misspelt filter must not list all.

use data_encoding::BASE64URL_NOPAD;
use url::Url;

use crate::error::{Code, Failure};
use crate::flows::records::Page;

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

    /// `limit` (default 100, clamped to 1,000) and `next_cursor`.
    pub(crate) fn page(&self) -> Result<Page, Failure> {
        let limit = match self.get("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| malformed("`limit` is not a whole number."))?,
        };
        let after = self.get("next_cursor").map(read_cursor).transpose()?;
        Ok(Page {
            limit: limit.clamp(1, MAX_LIMIT),
            after,
        })
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
        Query::read(&url, &["limit", "next_cursor"])?.page()
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
