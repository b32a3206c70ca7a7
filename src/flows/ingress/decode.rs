//! Decodes a compressed body. The decoded bytes count like a body that was sent so.

use std::cell::OnceCell;

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use crate::error::Failure;
use crate::flows::base::memory::Room;
use crate::media::coding::{self, Undecoded};
use crate::webhook::WebhookRequest;

#[derive(Debug)]
pub struct DecodedRequest {
    headers: HeaderMap,
    body: Vec<u8>,
}

/// The request with its decoded body of at most `limit` bytes. `None` where it has no coding. `plain` holds the decoded
/// body.
pub fn decoded_request<'r>(
    request: &WebhookRequest<'r>,
    plain: &'r OnceCell<DecodedRequest>,
    limit: usize,
    room: &Room,
) -> Result<Option<WebhookRequest<'r>>, Undecoded<Failure>> {
    let (_, _, headers) = request.head();
    let codings = coding::named(headers)?;
    if codings.is_empty() {
        return Ok(None);
    }
    let body = match request.body() {
        [] => Vec::new(),
        body => coding::undo(&codings, body, limit, &mut |more| room.take(more))?,
    };
    let decoded = || {
        let mut headers = headers.clone();
        headers.remove(CONTENT_ENCODING);
        DecodedRequest { headers, body }
    };
    let DecodedRequest { headers, body } = plain.get_or_init(decoded);
    Ok(Some(request.decoded(headers, body)))
}

/// The failure for an unverified body that cannot be decoded, where its sender learns it: a larger plain body would get
/// the same.
pub fn refused(error: Undecoded<Failure>) -> Option<Failure> {
    match error {
        Undecoded::NoRoom(failure) => Some(failure),
        Undecoded::TooLarge(limit) => Some(Failure::body_too_large(limit)),
        Undecoded::NotUndone(_) | Undecoded::Broken(_) => None,
    }
}
