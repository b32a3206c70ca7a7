//! The header fields that report a provider's limits to callers, the same from every provider.

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName};

use super::{Limits, wait};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Whether a field reports the remaining quota, which is true only for the moment of the answer.
pub fn is_quota_field(name: &HeaderName) -> bool {
    [LIMIT, REMAINING, RESET].contains(name)
}

/// The fields of an answer that report its limits.
pub fn limit_fields(headers: &HeaderMap) -> HeaderMap {
    let is_limit_field = |name: &HeaderName| is_quota_field(name) || *name == RETRY_AFTER;
    let fields = headers.iter().filter(|(name, _)| is_limit_field(name));
    fields
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Writes the known limits into the answer. A field of these names that could not be read is removed: it does not have
/// the format that callers are promised.
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
