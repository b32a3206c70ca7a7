//! Which header fields go on: from the caller to the provider, and from the answer to the caller.

use http::header::{
    ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE,
    HOST, RANGE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::description;
use crate::header_text;

mod origin;

pub use origin::keep_harmless;
use origin::speaks_for_origin;

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

/// Fields that never leave for a provider, no matter who asks for it.
fn is_never_sent(name: &HeaderName) -> bool {
    let is_of_edge = name.as_str().starts_with("cf-");
    let is_callers = [AUTHORIZATION, COOKIE, HOST, CONTENT_LENGTH].contains(name);
    is_of_edge || is_ours(name) || is_hop_by_hop(name) || is_callers
}

/// Fields by which the gateway speaks to itself.
fn is_ours(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-causeway-")
}

fn is_forwarded(name: &HeaderName) -> bool {
    let listed = [ACCEPT, ACCEPT_LANGUAGE, RANGE].contains(name);
    let named = matches!(name.as_str(), "idempotency-key" | "prefer");
    listed || named || name.as_str().starts_with("if-") || description::describes(name)
}

/// A field of the caller's that goes on, or is read, and whose bytes are not known: to send something else in its place
/// could make another request of it.
pub fn unknown_of_caller(headers: &HeaderMap) -> Option<&HeaderName> {
    let goes_on = |name: &&HeaderName| is_forwarded(name) || name.as_str().starts_with(FORWARD);
    header_text::unknown(headers).find(goes_on)
}

/// `*/*` and `*` say no more than silence, which clients do not know how to keep.
fn says_nothing(name: &HeaderName, value: &HeaderValue) -> bool {
    [ACCEPT, ACCEPT_LANGUAGE].contains(name) && matches!(value.as_bytes(), b"*/*" | b"*")
}

/// Fields of which there is one (RFC 9110 §5.3).
const SINGLE: [HeaderName; 2] = [CONTENT_TYPE, RANGE];

/// The caller's fields that go to the provider. What is sent by `x-forward-` takes the place of the plain one.
pub fn from_caller(headers: &HeaderMap) -> HeaderMap {
    let (mut plain, mut explicit) = (HeaderMap::new(), HeaderMap::new());
    for (name, value) in headers {
        let forwarded = name.as_str().strip_prefix(FORWARD);
        match forwarded.and_then(|rest| rest.parse::<HeaderName>().ok()) {
            Some(name) => add(&mut explicit, name, value),
            None if is_forwarded(name) && !says_nothing(name, value) => {
                add(&mut plain, name.clone(), value);
            }
            None => {}
        }
    }
    // `extend` replaces what has the same name, and keeps the further values of one that comes.
    plain.extend(explicit);
    plain
}

fn add(sent: &mut HeaderMap, name: HeaderName, value: &HeaderValue) {
    let is_second = SINGLE.contains(&name) && sent.contains_key(&name);
    if !is_never_sent(&name) && !is_second {
        sent.append(name, value.clone());
    }
}

/// What is left of the caller's fields for the account's object: everything but what names or
/// authorizes the caller, and what only the front Worker may say.
pub fn for_hand_over(headers: &HeaderMap) -> HeaderMap {
    kept(headers, |name| {
        !is_never_sent(name) || *name == CONTENT_LENGTH
    })
}

fn kept(headers: &HeaderMap, keeps: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| keeps(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What is left of a provider's webhook for the account's object: it goes to no provider, so a field that proves it, such as
/// `authorization`, stays.
pub fn of_webhook(headers: &HeaderMap) -> HeaderMap {
    kept(headers, |name| !is_hop_by_hop(name) && !is_ours(name))
}

/// The same of an answer that has no body, though its request was not one for the head alone.
pub fn of_empty_answer(headers: &HeaderMap) -> HeaderMap {
    let mut kept = of_answer(headers);
    kept.remove(CONTENT_LENGTH);
    kept
}

/// Says that an answer is a stored one. The gateway sets it; a provider's field of this name is removed.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The answer's fields that go to the caller, when the body goes on unread.
pub fn of_answer(headers: &HeaderMap) -> HeaderMap {
    let mut kept = kept(headers, |name| {
        !is_hop_by_hop(name) && !speaks_for_origin(name) && *name != REPLAYED
    });
    // The runtime may hand the body on decoded: its length then is not what was said.
    if kept.contains_key(CONTENT_ENCODING) {
        kept.remove(CONTENT_LENGTH);
    }
    keep_harmless(&mut kept);
    kept
}

/// The same when the body was read and goes on as it was: decoded, so of another length.
pub fn of_read_answer(headers: &HeaderMap) -> HeaderMap {
    let mut kept = of_answer(headers);
    kept.remove(CONTENT_LENGTH);
    kept.remove(CONTENT_ENCODING);
    kept
}

/// The same when we wrote the body again: nothing that describes the old one stays.
pub fn of_rewritten_answer(headers: &HeaderMap) -> HeaderMap {
    let mut kept = of_answer(headers);
    for name in [
        "content-length",
        "content-encoding",
        "content-type",
        "content-range",
        "content-digest",
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

/// Leaves out the fields in which a secret is that was sent in the URL, however it is encoded there: some providers
/// give the whole of it back in `Link` or `Location`.
pub fn drop_echoes(headers: &mut HeaderMap, secret: &str) {
    if secret.is_empty() {
        return;
    }
    let echoes = |value: &HeaderValue| {
        let text = header_text::text(value);
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

/// Without these the body could not be read; no URL is in them.
pub fn describes_body(name: &HeaderName) -> bool {
    [CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE].contains(name)
}

/// The fields that may follow a redirect to another origin: none that could authenticate the request.
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
mod tests;
