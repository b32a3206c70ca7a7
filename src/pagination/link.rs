//! Links to other pages (RFC 3986 §5): they stay with the provider, and are used as they are.

use url::Url;

use super::{PageError, PagePlace};

/// Which parts of a link count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkParts {
    /// Path and query.
    Whole,
    /// Its query, behind the path that was asked for; all of it, where it has no query.
    Query,
}

/// The page's own address, as a link to it would be remembered.
pub(super) fn own(page: &Url) -> PagePlace {
    PagePlace::Link(match page.query() {
        Some(query) => format!("{}?{query}", page.path()),
        None => page.path().to_owned(),
    })
}

/// Path and query of `link`, read relative to the page's own address. A server behind a proxy often writes
/// `http:` for itself: on the same host that is taken for the scheme that was asked.
pub(super) fn resolve(link: &str, page: &Url, parts: LinkParts) -> Result<String, PageError> {
    let url = page.join(link.trim()).map_err(|_| PageError::NotALink)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(PageError::NotALink);
    }
    let is_plain = url.scheme() == "http" && url.port().is_none() && page.port().is_none();
    let is_same_place = url.origin() == page.origin() || (is_plain && url.host() == page.host());
    if !is_same_place || !url.username().is_empty() || url.password().is_some() {
        return Err(PageError::LeavesHost);
    }
    let path = match (parts, url.query()) {
        (LinkParts::Query, Some(_)) => page.path(),
        _ => url.path(),
    };
    Ok(match url.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(link: &str, parts: LinkParts) -> Result<String, PageError> {
        let page = Url::parse("https://api.example.com/v1/things?filter=a&page=1").unwrap();
        resolve(link, &page, parts)
    }

    #[test]
    fn a_link_is_used_as_it_is() {
        for (link, expected) in [
            (
                "https://api.example.com/v2/x?page=2&a=%27b%2Fc",
                "/v2/x?page=2&a=%27b%2Fc",
            ),
            ("/v2/x/01g-2000", "/v2/x/01g-2000"),
            ("?after=b", "/v1/things?after=b"),
            ("more?x=1#top", "/v1/more?x=1"),
            ("//api.example.com/y", "/y"),
            (" https://API.example.com:443//z ", "//z"),
            ("http://api.example.com/y?b", "/y?b"),
        ] {
            assert_eq!(
                resolved(link, LinkParts::Whole).as_deref(),
                Ok(expected),
                "{link}"
            );
        }
    }

    #[test]
    fn without_its_path_only_the_query_counts() {
        for (link, expected) in [
            (
                "https://api.example.com/inner/things?page=2",
                "/v1/things?page=2",
            ),
            ("/v2/x/01g-2000", "/v2/x/01g-2000"),
        ] {
            assert_eq!(
                resolved(link, LinkParts::Query).as_deref(),
                Ok(expected),
                "{link}"
            );
        }
    }

    #[test]
    fn a_link_that_leaves_the_host_is_refused() {
        for link in [
            "https://evil.example.com/v1/things?page=2",
            "https://api.example.com.evil.com/",
            "https://api.example.com@evil.com/",
            "https://me@api.example.com/",
            "https://api.example.com:8443/",
            "http://api.example.com:8080/",
            "//evil.com/x",
            "\\\\evil.com/x",
        ] {
            assert_eq!(
                resolved(link, LinkParts::Whole),
                Err(PageError::LeavesHost),
                "{link}"
            );
            assert_eq!(
                resolved(link, LinkParts::Query),
                Err(PageError::LeavesHost),
                "{link}"
            );
        }
        for link in ["https://", "javascript:alert(1)", "data:,x", "http://[::1"] {
            assert_eq!(
                resolved(link, LinkParts::Whole),
                Err(PageError::NotALink),
                "{link}"
            );
        }
    }
}
