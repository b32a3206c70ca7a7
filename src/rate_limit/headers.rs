//! The header fields that tell callers of a provider's limits, the same from every provider.

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName};

use super::{Limits, wait};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Whether a field tells of what is left: it was true when the answer came, and not for long.
pub fn tells_what_is_left(name: &HeaderName) -> bool {
    [LIMIT, REMAINING, RESET].contains(name)
}

/// What an answer tells of a limit, alone.
pub fn told(headers: &HeaderMap) -> HeaderMap {
    let tells = |name: &HeaderName| tells_what_is_left(name) || *name == RETRY_AFTER;
    let fields = headers.iter().filter(|(name, _)| tells(name));
    fields
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Writes what is known into the answer's own fields. One of these names that could not be read goes: it is not
/// what callers are promised.
pub fn write(headers: &mut HeaderMap, limits: &Limits) {
    let quota = &limits.quota;
    for (name, number) in [
        (LIMIT, quota.limit),
        (REMAINING, quota.remaining),
        (RESET, quota.reset.map(wait::seconds)),
        (RETRY_AFTER, limits.retry_after().map(wait::seconds)),
    ] {
        match number {
            Some(number) => drop(headers.insert(name, number.into())),
            None => drop(headers.remove(name)),
        }
    }
}
