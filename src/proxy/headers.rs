//! Which header fields go on: from the caller to the provider, and from the answer to the caller.

use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE,
    HOST, RANGE, SET_COOKIE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

const FORWARD: &str = "x-forward-";

/// Connection-bound fields (RFC 9110 §7.6.1) and the old ones that some still send.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    let old = [
        "connection",
        "keep-alive",
        "proxy-connection",
        "proxy-authenticate",
        "proxy-authorization",
    ];
    [TE, TRAILER, TRANSFER_ENCODING, UPGRADE].contains(name) || old.contains(&name.as_str())
}

/// Fields that never leave for a provider, whoever asks for it.
fn is_never_sent(name: &HeaderName) -> bool {
    let own = name.as_str().starts_with("cf-") || name.as_str().starts_with("x-causeway-");
    own || is_hop_by_hop(name) || [AUTHORIZATION, COOKIE, HOST, CONTENT_LENGTH].contains(name)
}

fn is_forwarded(name: &HeaderName) -> bool {
    let listed = [ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, RANGE].contains(name);
    listed || name.as_str() == "idempotency-key" || name.as_str().starts_with("if-")
}

/// `*/*` and `*` say no more than silence, which clients do not know how to keep.
fn says_nothing(name: &HeaderName, value: &HeaderValue) -> bool {
    [ACCEPT, ACCEPT_LANGUAGE].contains(name) && matches!(value.as_bytes(), b"*/*" | b"*")
}

/// The caller's fields that go to the provider.
pub fn from_caller(headers: &HeaderMap) -> HeaderMap {
    let mut sent = HeaderMap::new();
    for (name, value) in headers {
        let explicit = name
            .as_str()
            .strip_prefix(FORWARD)
            .and_then(|rest| rest.parse::<HeaderName>().ok());
        let name = match explicit {
            Some(name) => name,
            None if is_forwarded(name) && !says_nothing(name, value) => name.clone(),
            None => continue,
        };
        if !is_never_sent(&name) {
            sent.append(name, value.clone());
        }
    }
    sent
}

/// What is left of the caller's fields for the account's object: everything but what names or
/// authorizes the caller, and what only the front Worker may say.
pub fn for_hand_over(headers: &HeaderMap) -> HeaderMap {
    let keeps = |name: &HeaderName| !is_never_sent(name) || *name == CONTENT_LENGTH;
    headers
        .iter()
        .filter(|(name, _)| keeps(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The same of a provider's webhook: what proves it may stand in `authorization`.
pub fn of_webhook(headers: &HeaderMap) -> HeaderMap {
    let mut kept = for_hand_over(headers);
    for proof in headers.get_all(AUTHORIZATION) {
        kept.append(AUTHORIZATION, proof.clone());
    }
    kept
}

/// Whether the runtime hands the body of an answer on decoded where it is read: it knows these two encodings, by
/// exactly these names.
pub fn is_decoded(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    let only = encodings.next().map(HeaderValue::as_bytes);
    let is_known = matches!(only, None | Some(b"gzip" | b"br" | b"identity" | b""));
    is_known && encodings.next().is_none()
}

/// The same of an answer that has no body, though its request was not one for the head alone.
pub fn of_empty_answer(headers: &HeaderMap) -> HeaderMap {
    let mut kept = of_answer(headers);
    kept.remove(CONTENT_LENGTH);
    kept
}

/// Says that an answer was given before: our word, no provider's.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The answer's fields that go to the caller, when the body goes on unread.
pub fn of_answer(headers: &HeaderMap) -> HeaderMap {
    let mut kept: HeaderMap = headers
        .iter()
        .filter(|(name, _)| !is_hop_by_hop(name) && ![SET_COOKIE, REPLAYED].contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // The runtime may hand the body on decoded: its length then is not what was said.
    if kept.contains_key(CONTENT_ENCODING) {
        kept.remove(CONTENT_LENGTH);
    }
    kept
}

/// The same when the body was read and goes on as it was: decoded, so of another length.
pub fn of_read_answer(headers: &HeaderMap) -> HeaderMap {
    let mut kept = of_answer(headers);
    kept.remove(CONTENT_LENGTH);
    kept.remove(CONTENT_ENCODING);
    kept
}

/// The same when we wrote the body anew: nothing that describes the old one stays.
pub fn of_rewritten_answer(headers: &HeaderMap) -> HeaderMap {
    let mut kept = of_answer(headers);
    for name in [
        "content-length",
        "content-encoding",
        "content-type",
        "content-range",
        "content-md5",
        "accept-ranges",
        "digest",
        "repr-digest",
        "etag",
    ] {
        kept.remove(name);
    }
    kept
}

/// Leaves out the fields in which a secret stands that was sent in the URL, however it is encoded there: some providers
/// give the whole of it back in `Link` or `Location`.
pub fn drop_echoes(headers: &mut HeaderMap, secret: &str) {
    if secret.is_empty() {
        return;
    }
    let echoes = |value: &HeaderValue| {
        let text = String::from_utf8_lossy(value.as_bytes());
        // In a query a space may be a plus.
        let spaced = text.replace('+', " ");
        let decoded =
            [text.as_ref(), &spaced].map(|text| percent_decode_str(text).decode_utf8_lossy());
        text.contains(secret) || decoded.iter().any(|text| text.contains(secret))
    };
    let names: Vec<HeaderName> = headers
        .iter()
        .filter(|(name, value)| !describes_body(name) && echoes(value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in names {
        headers.remove(name);
    }
}

/// Without these nobody could read the body; no URL stands in them.
fn describes_body(name: &HeaderName) -> bool {
    [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE].contains(name)
}

/// What may follow a redirect to a stranger: nothing that could sign the request in.
pub fn without_credentials(headers: &HeaderMap) -> HeaderMap {
    let harmless = |name: &HeaderName| {
        [ACCEPT, ACCEPT_LANGUAGE, RANGE, USER_AGENT].contains(name)
            || name.as_str().starts_with("if-")
    };
    headers
        .iter()
        .filter(|(name, _)| harmless(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn only_listed_fields_go_to_the_provider() {
        let caller = map(&[
            ("accept", "application/json"),
            ("content-type", "text/plain"),
            ("if-match", "\"a\""),
            ("range", "bytes=0-1"),
            ("idempotency-key", "k"),
            ("accept-language", "de"),
            ("authorization", "Bearer ours"),
            ("cookie", "a=b"),
            ("user-agent", "curl"),
            ("cf-ray", "x"),
            ("x-other", "y"),
        ]);
        assert_eq!(
            names(&from_caller(&caller)),
            [
                "accept",
                "accept-language",
                "content-type",
                "idempotency-key",
                "if-match",
                "range"
            ]
        );
    }

    #[test]
    fn x_forward_carries_any_name_but_the_forbidden_ones() {
        let forbidden = [
            "authorization",
            "cookie",
            "host",
            "content-length",
            "connection",
            "transfer-encoding",
            "te",
            "cf-ray",
            "x-causeway-ask",
            "upgrade",
            "proxy-authorization",
        ];
        for name in forbidden {
            let caller = map(&[(&format!("x-forward-{name}"), "v")]);
            assert!(from_caller(&caller).is_empty(), "{name}");
        }
        assert_eq!(
            from_caller(&map(&[("x-forward-x-trace", "v")])),
            map(&[("x-trace", "v")])
        );
        assert_eq!(
            from_caller(&map(&[("x-forward-user-agent", "me")])),
            map(&[("user-agent", "me")])
        );
    }

    #[test]
    fn an_accept_that_says_nothing_does_not_hide_the_configured_one() {
        assert!(from_caller(&map(&[("accept", "*/*"), ("accept-language", "*")])).is_empty());
    }

    #[test]
    fn the_answer_keeps_all_but_hop_by_hop_and_cookies() {
        let answer = map(&[
            ("link", "<x>"),
            ("etag", "\"a\""),
            ("set-cookie", "s=1"),
            ("connection", "close"),
            ("transfer-encoding", "chunked"),
            ("content-length", "3"),
        ]);
        assert_eq!(
            names(&of_answer(&answer)),
            ["content-length", "etag", "link"]
        );
        assert_eq!(names(&of_rewritten_answer(&answer)), ["link"]);
        let packed = map(&[("content-encoding", "gzip"), ("content-length", "3")]);
        assert_eq!(names(&of_answer(&packed)), ["content-encoding"]);
    }

    #[test]
    fn only_what_the_runtime_decodes_can_be_looked_into() {
        for (encoding, expected) in [
            ("gzip", true),
            ("br", true),
            ("identity", true),
            ("deflate", false),
            ("zstd", false),
            ("gzip, br", false),
            ("GZIP", false),
        ] {
            let headers = map(&[("content-encoding", encoding)]);
            assert_eq!(is_decoded(&headers), expected, "{encoding}");
        }
        assert!(is_decoded(&map(&[])));
    }

    #[test]
    fn a_field_that_tells_the_secret_of_the_url_is_dropped() {
        let secret = "a b+c/ä-1";
        for echo in [
            "https://x.example/?key=a%20b%2Bc%2F%C3%A4-1&page=2",
            "https://x.example/?key=a+b%2bc%2f%c3%a4%2D1",
            "/?key=a%20b+c/%C3%A4-1",
        ] {
            let mut headers = map(&[("link", "<other>"), ("etag", "\"a\"")]);
            headers.append("link", format!("<{echo}>; rel=\"next\"").parse().unwrap());
            headers.insert("location", echo.parse().unwrap());
            drop_echoes(&mut headers, secret);
            assert_eq!(names(&headers), ["etag"], "{echo}");
        }
        let plain = [
            ("content-location", "/?key=k-123"),
            ("x-of-another", "k-12"),
            ("content-type", "text/k-123"),
        ];
        let mut headers = map(&plain);
        let raw = HeaderValue::from_bytes(b"\xff k-123").unwrap();
        headers.insert("x-raw", raw);
        drop_echoes(&mut headers, "");
        assert_eq!(headers.len(), 4, "nothing was sent");
        drop_echoes(&mut headers, "k-123");
        assert_eq!(names(&headers), ["content-type", "x-of-another"]);
    }

    #[test]
    fn nothing_that_signs_in_follows_to_a_stranger() {
        let sent = map(&[
            ("accept", "a"),
            ("authorization", "b"),
            ("x-api-key", "c"),
            ("private-token", "d"),
            ("user-agent", "e"),
        ]);
        assert_eq!(names(&without_credentials(&sent)), ["accept", "user-agent"]);
    }

    #[test]
    fn the_hand_over_is_built_anew() {
        let caller = map(&[
            ("authorization", "b"),
            ("x-causeway-hand-over", "forged"),
            ("content-length", "3"),
            ("x-forward-a", "1"),
            ("x-timeout-ms", "5"),
        ]);
        assert_eq!(
            names(&for_hand_over(&caller)),
            ["content-length", "x-forward-a", "x-timeout-ms"]
        );
    }
}
