//! A compressed body as it is read. What it decodes to counts like a body that came so.

use std::cell::OnceCell;

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use crate::error::Failure;
use crate::flows::base::memory::Room;
use crate::media::coding::{self, Undecoded};
use crate::webhook::WebhookRequest;

/// A body without its codings.
#[derive(Debug)]
pub struct Plain {
    headers: HeaderMap,
    body: Vec<u8>,
}

/// The request with its body decoded, of at most `limit` bytes; itself where it has no coding. `plain` is where the decoded
/// body is held.
pub fn plain_of<'r>(
    request: &WebhookRequest<'r>,
    plain: &'r OnceCell<Plain>,
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
    let made = || {
        let mut headers = headers.clone();
        headers.remove(CONTENT_ENCODING);
        Plain { headers, body }
    };
    let Plain { headers, body } = plain.get_or_init(made);
    Ok(Some(request.decoded(headers, body)))
}

/// Why a body that is not proved is not decoded, where its sender is told: a larger one would be told so.
pub fn refused(error: Undecoded<Failure>) -> Option<Failure> {
    match error {
        Undecoded::NoRoom(failure) => Some(failure),
        Undecoded::TooLarge(limit) => Some(Failure::body_too_large(limit)),
        Undecoded::NotUndone(_) | Undecoded::Broken(_) => None,
    }
}
