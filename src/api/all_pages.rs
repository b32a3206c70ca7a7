//! `x-all-pages: true`: a list from here to its end.

use http::{HeaderMap, HeaderValue};

use crate::error::{Code, Failure};
use crate::ports::Pages;

/// How much of a list a caller wants.
pub(super) fn wanted(headers: &HeaderMap) -> Result<Pages, Failure> {
    match headers.get("x-all-pages").map(HeaderValue::as_bytes) {
        None | Some(b"false") => Ok(Pages::One),
        Some(b"true") => Ok(Pages::All),
        Some(_) => Err(Failure::new(
            Code::Malformed,
            "x-all-pages is neither `true` nor `false`.",
        )),
    }
}
