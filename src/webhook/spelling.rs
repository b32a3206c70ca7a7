//! A URL is signed as it was called, and may be shown otherwise: on its way a URL parser escapes `'`, `"`, `<` and `>` of a
//! query (WHATWG URL, the special-query percent-encode set). What is one URL to a parser is one here, too: a signature over
//! any of these spellings is good. There are no others.

use std::borrow::Cow;

use crate::config::webhook::{RequestPart, SignatureConfig};
use crate::expression::Placeholder;

use super::request::query_in;

/// Escaped characters of a query, as a parser writes them; the first alone is one that clients leave as it is.
const ESCAPED: [(&str, &str); 4] = [("%27", "'"), ("%22", "\""), ("%3C", "<"), ("%3E", ">")];

/// The URL, as it is shown and as it may have been signed. Only that, where the scheme does not sign it.
pub(super) fn of<'u>(config: &SignatureConfig, url: &'u str) -> Vec<Cow<'u, str>> {
    let mut spellings = vec![Cow::Borrowed(url)];
    let query = query_in(url);
    if query.is_empty() || !signs_url(config) {
        return spellings;
    }
    let before = url.strip_suffix(query).unwrap_or(url);
    for count in [1, ESCAPED.len()] {
        let escaped = ESCAPED.iter().take(count);
        let query = escaped.fold(query.to_owned(), |query, (escape, plain)| {
            query.replace(escape, plain)
        });
        let spelt = Cow::Owned(format!("{before}{query}"));
        if !spellings.contains(&spelt) {
            spellings.push(spelt);
        }
    }
    spellings
}

fn signs_url(config: &SignatureConfig) -> bool {
    let of_claim = config.claim_hash.iter().flat_map(|hash| &hash.parts);
    let mut parts = config.parts.iter().chain(of_claim);
    let in_text = config.verification_content.as_ref().is_some_and(|text| {
        let mut paths = text.placeholders().flat_map(Placeholder::paths);
        paths.any(|path| path.first() == Some("url"))
    });
    let of_url = [
        RequestPart::Url,
        RequestPart::UrlDecoded,
        RequestPart::RawQuery,
    ];
    in_text || parts.any(|part| of_url.iter().any(|own| part.holds(own)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_url_is_spelt_otherwise_only_where_it_is_signed() {
        let config = |value| serde_json::from_value::<SignatureConfig>(value).unwrap();
        let shown = "https://g.example/%27?a=%27&b=%22%27&c=%2F";
        let signed = [
            shown,
            "https://g.example/%27?a='&b=%22'&c=%2F",
            "https://g.example/%27?a='&b=\"'&c=%2F",
        ];
        for config in [
            config(json!({ "parts": ["$url"] })),
            config(json!({ "parts": ["a", ["$query"]] })),
            config(json!({ "parts": ["$method", "$url_decoded"] })),
            config(json!({ "verification_content": "{{url}}" })),
        ] {
            assert_eq!(of(&config, shown), signed);
            assert_eq!(
                of(&config, "https://g.example/x?a=b"),
                ["https://g.example/x?a=b"]
            );
        }
        let body = config(json!({ "parts": ["$body", "$path", "$query.a"] }));
        assert_eq!(of(&body, shown), [shown]);
    }
}
