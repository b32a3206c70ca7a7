//! `link_header`: `Link: <…>; rel="next"` (RFC 8288). The crates that read it split at every comma, or have
//! not been kept for years; the grammar is small (appendix B.2 of the RFC).

use http::HeaderMap;
use http::header::LINK;

use super::link::{self, LinkParts};
use super::{PageAnswer, PageContext, PageError, PageLinks, PageParameters, PagePlace, Position};
use crate::config::pagination::LinkHeader;
use crate::header_text;

pub(super) fn ask(config: &LinkHeader, position: &Position) -> Result<PageParameters, PageError> {
    let mut ask = PageParameters::default();
    match &position.at {
        PagePlace::Link(link) => ask.link = Some(link.clone()),
        PagePlace::Start => {
            if let (Some(key), Some(limit)) = (&config.limit_key, position.limit) {
                ask.put_in_query(key, limit.to_string());
            }
        }
        _ => return Err(PageError::Foreign),
    }
    if let Some(limit) = position.limit {
        ask.tell("limit", limit);
    }
    Ok(ask)
}

pub(super) fn next(
    position: &Position,
    request: &PageContext,
    answer: &PageAnswer,
) -> Result<PageLinks, PageError> {
    let place = |rel: &str| match find(answer.headers, rel) {
        None => Ok(None),
        Some(target) if !header_text::is_known(&target) => {
            Err(PageError::NotUtf8(LINK.to_string()))
        }
        Some(target) => link::resolve(&target, request.url, LinkParts::Whole)
            .map(|link| Some(PagePlace::Link(link))),
    };
    let here = position.named(Some(link::own(request.url)));
    let next = place("next")?.map(|at| here.onward(at, answer));
    // An unusable link to the page before does not make this page fail.
    let back = |rel| place(rel).ok().flatten();
    let prev = back("prev").or_else(|| back("previous"));
    let prev = prev.map(|at| position.back(at));
    Ok(PageLinks {
        next,
        prev,
        ..PageLinks::default()
    })
}

/// The target of the first link that has this relation and is about the page itself.
fn find(headers: &HeaderMap, rel: &str) -> Option<String> {
    let values = headers.get_all(LINK).iter();
    let links = values.flat_map(|value| links(&header_text::text(value)));
    let mut fitting = links.filter(|link| link.has(rel));
    fitting.next().map(|link| link.target)
}

#[derive(Debug, PartialEq, Eq)]
struct HeaderLink {
    target: String,
    parameters: Vec<(String, String)>,
}

impl HeaderLink {
    /// Only the first `rel` counts (§3.3). A link with an `anchor` is about something else (§3.2).
    fn has(&self, wanted: &str) -> bool {
        let first = |name: &str| self.parameters.iter().find(|(own, _)| own == name);
        let rel = first("rel").map_or("", |(_, value)| value.as_str());
        let mut words = rel.split_ascii_whitespace();
        first("anchor").is_none() && words.any(|word| word.eq_ignore_ascii_case(wanted))
    }
}

/// The links of one field value. What cannot be read ends it.
fn links(value: &str) -> Vec<HeaderLink> {
    let mut links = Vec::new();
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let Some((target, behind)) = rest
            .strip_prefix('<')
            .and_then(|inner| inner.split_once('>'))
        else {
            return links;
        };
        let (parameters, behind) = parameters(behind);
        links.push(HeaderLink {
            target: target.to_owned(),
            parameters,
        });
        rest = behind;
    }
}

/// The parameters up to the comma that ends the link, and what is behind it.
fn parameters(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some(inner) = rest.strip_prefix(';') else {
            return (found, rest);
        };
        let inner = inner.trim_start();
        let end = inner.find(['=', ';', ',']).unwrap_or(inner.len());
        let (name, behind) = inner.split_at_checked(end).unwrap_or((inner, ""));
        let (value, behind) = match behind.strip_prefix('=') {
            Some(behind) => parameter_value(behind.trim_start()),
            None => (String::new(), behind),
        };
        if !name.trim().is_empty() {
            found.push((name.trim().to_ascii_lowercase(), value));
        }
        rest = behind;
    }
}

/// A token, or a quoted string with its escapes taken out (RFC 9110 §5.6.4).
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            other => value.push(other),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str, rel: &str) -> Option<String> {
        find(&[(LINK, value.parse().unwrap())].into_iter().collect(), rel)
    }

    #[test]
    fn the_next_link_is_found_however_it_is_written() {
        for value in [
            r#"<https://a.example/?page=2>; rel="next", <https://a.example/?page=9>; rel="last""#,
            r"<https://a.example/?page=1>; rel=first,<https://a.example/?page=2>;rel=next",
            r#"<https://a.example/?page=2>; title="a, \"b\"; <c>"; REL="prefetch Next""#,
            r#"<https://a.example/?page=2> ; crossorigin; rel = "next""#,
            r#", ,<https://a.example/?page=3>; anchor="/x"; rel="next",  <https://a.example/?page=2>; rel="next""#,
            r#"<https://a.example/?page=2>; rel="next"; rel="last""#,
            r#"<https://a.example/?page=2>;;rel="next";"#,
        ] {
            assert_eq!(
                found(value, "next").as_deref(),
                Some("https://a.example/?page=2"),
                "{value}"
            );
        }
    }

    #[test]
    fn a_target_may_hold_commas_and_semicolons() {
        let value = r#"</x?ids=1,2;3>; rel="next""#;
        assert_eq!(found(value, "next").as_deref(), Some("/x?ids=1,2;3"));
    }

    #[test]
    fn several_fields_are_one() {
        let headers: HeaderMap = ["</1>; rel=prev", "</2>; rel=next"]
            .into_iter()
            .map(|value| (LINK, value.parse().unwrap()))
            .collect();
        assert_eq!(find(&headers, "next").as_deref(), Some("/2"));
    }

    #[test]
    fn what_cannot_be_read_is_no_link() {
        for value in [
            "",
            "next",
            "<x",
            "<x>",
            "<x> rel=next",
            r#"<x>; rel="last"; rel="next""#,
            r#"<x>; rel="nextish""#,
            r#"<x>; rel="ne"#,
            "<x>; title=next",
        ] {
            assert_eq!(found(value, "next"), None, "{value}");
        }
    }
}
