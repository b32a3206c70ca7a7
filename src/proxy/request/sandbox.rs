//! Requests of sandbox accounts. They only read; so no word goes on by which a server would take a read for a write.

use http::{HeaderMap, HeaderName};

use super::last_word::{is_kept, plain_header};
use super::{Draft, Payload};
use crate::proxy::is_read;
use crate::proxy::query::without_pairs;

/// Headers that name another method. No standard has them.
const HEADERS: [&str; 5] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-method",
    "x-original-method",
];

/// Parameters that do.
const PARAMETERS: [&str; 5] = [
    "_method",
    "_httpmethod",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

/// The same request, a read that stays one: without a caller's body, in which a form could name another method.
pub fn that_only_reads(mut draft: Draft) -> Draft {
    if !is_read(&draft.method) {
        return draft;
    }
    draft.headers = without_override(&draft.headers);
    let names = PARAMETERS.map(str::to_owned);
    let query = draft
        .url
        .query()
        .map(|query| without_pairs(query, &|name| is_kept(&names, name)));
    let query = query.filter(|query| !query.is_empty());
    draft.url.set_query(query.as_deref());
    if draft.body == Payload::Callers {
        draft.body = Payload::Nothing;
    }
    draft
}

fn without_override(headers: &HeaderMap) -> HeaderMap {
    let is_other = |name: &HeaderName| !HEADERS.contains(&plain_header(name.as_str()).as_str());
    let others = headers.iter().filter(|(name, _)| is_other(name));
    others
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
