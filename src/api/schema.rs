//! The JSON Schema of integration files, for editors. It holds no secret and is the same for all until
//! the next deployment, so it may be kept in between.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::ports::{Body, Reply};

/// As the repository has it; a test holds it to the types.
const SCHEMA: &str = include_str!("../../integration.schema.json");

/// `GET /integration.schema.json`
pub(super) fn get<S>() -> Reply<S> {
    let headers = [
        (CONTENT_TYPE, "application/schema+json"),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Reply {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter(headers),
        body: Body::from_bytes(SCHEMA),
    }
}
