//! What to do with a redirect (RFC 9110 §15.4). Credentials stay with the origin they belong to.

use http::{Method, StatusCode};
use url::Url;

use crate::header_text;
use crate::settings::MAX_REDIRECTS;

/// The next step after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectDecision {
    /// It is no redirect: this is the answer.
    Answer,
    /// Ask there.
    Follow(RedirectTarget),
    /// It leads where this request must not go.
    Refuse(&'static str),
}

/// A request that a redirect asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectTarget {
    /// Where to.
    pub url: Url,
    /// With this method.
    pub method: Method,
    /// Whether the body is sent along.
    pub body: Forward,
    /// Whether the credentials are sent along.
    pub credentials: Forward,
}

/// What happens to a part of the request when a redirect is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forward {
    /// It is sent to the new URL, too.
    Keep,
    /// It is left out.
    Strip,
}

/// Whether an answer with a `Location` leads from a write to a page that is read (RFC 9110 §15.4.2 to 15.4.4): the write
/// was made. The other redirects ask for the same request elsewhere: it was not.
pub fn becomes_get(status: StatusCode, method: &Method) -> bool {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    !is_read
        && (status == StatusCode::SEE_OTHER
            || (*method == Method::POST && matches!(status.as_u16(), 301 | 302)))
}

/// Decides, for the answer to `method url` after `hops` redirects.
pub fn decide(
    status: StatusCode,
    location: Option<&str>,
    method: &Method,
    url: &Url,
    hops: usize,
) -> RedirectDecision {
    let is_redirect = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = location.filter(|_| is_redirect) else {
        return RedirectDecision::Answer;
    };
    if !header_text::is_known(location) {
        return RedirectDecision::Refuse("its Location has bytes that are not UTF-8");
    }
    let Ok(mut target) = url.join(location) else {
        return RedirectDecision::Refuse("its Location is not a URL");
    };
    target.set_fragment(None);
    if hops >= MAX_REDIRECTS {
        return RedirectDecision::Refuse("it is the sixth in a row");
    }
    if !matches!(target.scheme(), "http" | "https")
        || !target.username().is_empty()
        || target.password().is_some()
    {
        return RedirectDecision::Refuse("its Location is not a plain http or https URL");
    }
    if url.scheme() == "https" && target.scheme() == "http" {
        return RedirectDecision::Refuse("it leads from https to http");
    }
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let is_same_origin = target.origin() == url.origin();
    let becomes_get = becomes_get(status, method);
    // What is read there needs neither the body nor the credential.
    if !is_same_origin && !is_read && !becomes_get {
        return RedirectDecision::Refuse("it leads a write to another origin");
    }
    RedirectDecision::Follow(RedirectTarget {
        url: target,
        method: if becomes_get {
            Method::GET
        } else {
            method.clone()
        },
        body: if becomes_get {
            Forward::Strip
        } else {
            Forward::Keep
        },
        credentials: if is_same_origin {
            Forward::Keep
        } else {
            Forward::Strip
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(status: u16, location: &str, method: &Method) -> RedirectDecision {
        let url = Url::parse("https://api.example.com/a/b?c=d").unwrap();
        decide(
            StatusCode::from_u16(status).unwrap(),
            Some(location),
            method,
            &url,
            0,
        )
    }

    fn follow(url: &str, method: Method, body: Forward, credentials: Forward) -> RedirectDecision {
        RedirectDecision::Follow(RedirectTarget {
            url: Url::parse(url).unwrap(),
            method,
            body,
            credentials,
        })
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        use Forward::{Keep, Strip};
        assert_eq!(
            at(302, "/x", &Method::GET),
            follow("https://api.example.com/x", Method::GET, Keep, Keep)
        );
        assert_eq!(
            at(302, "https://cdn.example.com/x", &Method::GET),
            follow("https://cdn.example.com/x", Method::GET, Keep, Strip)
        );
        assert_eq!(
            at(302, "https://api.example.com:8443/x", &Method::HEAD),
            follow("https://api.example.com:8443/x", Method::HEAD, Keep, Strip)
        );
    }

    #[test]
    fn a_write_keeps_its_method_only_where_the_rfc_says_so() {
        use Forward::{Keep, Strip};
        let here = "https://api.example.com/x";
        for (status, method, next, body) in [
            (301, Method::POST, Method::GET, Strip),
            (302, Method::POST, Method::GET, Strip),
            (303, Method::PUT, Method::GET, Strip),
            (303, Method::DELETE, Method::GET, Strip),
            (301, Method::DELETE, Method::DELETE, Keep),
            (307, Method::POST, Method::POST, Keep),
            (308, Method::PATCH, Method::PATCH, Keep),
        ] {
            assert_eq!(
                at(status, "/x", &method),
                follow(here, next, body, Keep),
                "{status} {method}"
            );
        }
    }

    #[test]
    fn what_becomes_a_read_goes_anywhere_a_read_may_and_nothing_else_of_a_write_does() {
        use Forward::Strip;
        let there = "https://other.example.com/x";
        for (status, method) in [
            (301, Method::POST),
            (302, Method::POST),
            (303, Method::POST),
            (303, Method::PUT),
            (303, Method::PATCH),
            (303, Method::DELETE),
        ] {
            let followed = follow(there, Method::GET, Strip, Strip);
            assert_eq!(at(status, there, &method), followed, "{status} {method}");
        }
        for (status, method) in [
            (301, Method::PUT),
            (302, Method::DELETE),
            (307, Method::POST),
            (308, Method::PATCH),
        ] {
            let next = at(status, there, &method);
            assert!(
                matches!(next, RedirectDecision::Refuse(_)),
                "{status} {method}"
            );
        }
    }

    #[test]
    fn dangerous_ones_are_refused() {
        for (location, method) in [
            ("http://api.example.com/x", Method::GET),
            ("https://other.example.com/", Method::PUT),
            ("https://user@api.example.com/", Method::GET),
            ("ftp://api.example.com/", Method::GET),
            ("https://[::1", Method::GET),
        ] {
            assert!(
                matches!(at(302, location, &method), RedirectDecision::Refuse(_)),
                "{location}"
            );
        }
    }

    #[test]
    fn five_are_followed_the_sixth_is_not() {
        let url = Url::parse("https://a.example/").unwrap();
        let after = |hops| decide(StatusCode::FOUND, Some("/x"), &Method::GET, &url, hops);
        assert!(matches!(after(4), RedirectDecision::Follow(_)));
        assert!(matches!(after(5), RedirectDecision::Refuse(_)));
    }

    #[test]
    fn everything_else_is_an_answer() {
        for status in [200, 304, 300, 404] {
            assert_eq!(at(status, "/x", &Method::GET), RedirectDecision::Answer);
        }
        let url = Url::parse("https://a.example/").unwrap();
        assert_eq!(
            decide(StatusCode::FOUND, None, &Method::GET, &url, 0),
            RedirectDecision::Answer
        );
    }
}
