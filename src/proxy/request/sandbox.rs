//! Requests of sandbox accounts. They only read, so a parameter that could make a server treat a read as a write is not forwarded.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Draft, Payload};
use crate::config::method_override::overrides;
use crate::proxy::is_read;
use crate::proxy::query::without_pairs;

/// The same request, a read that stays one: without a caller's body, in which a form could name another method.
pub fn that_only_reads(mut draft: Draft) -> Draft {
    if !is_read(&draft.method) {
        return draft;
    }
    draft.headers = without_override(&draft.headers);
    let query = draft
        .url
        .query()
        .map(|query| without_pairs(query, &overrides));
    let query = query.filter(|query| !query.is_empty());
    draft.url.set_query(query.as_deref());
    if draft.body == Payload::Callers {
        draft.body = Payload::Nothing;
    }
    draft
}

fn without_override(headers: &HeaderMap) -> HeaderMap {
    let names_another = |name: &HeaderName, value: &HeaderValue| {
        overrides(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))
    };
    let others = headers
        .iter()
        .filter(|(name, value)| !names_another(name, value));
    others
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
