//! A compressed body as it is read. What it decodes to counts like a body that came so.

use std::cell::OnceCell;

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use crate::error::Failure;
use crate::flows::memory::Room;
use crate::media::coding::{self, CodingError, Stopped};
use crate::webhook::Request;

/// A body without its codings.
#[derive(Debug)]
pub struct Plain {
    headers: HeaderMap,
    body: Vec<u8>,
}

/// The request with its body decoded, of at most `limit` bytes; itself where it has no coding. `plain` is where the decoded
/// body is held.
pub fn plain_of<'r>(
    request: &Request<'r>,
    plain: &'r OnceCell<Plain>,
    limit: usize,
    room: &Room,
) -> Result<Option<Request<'r>>, Stopped<Failure>> {
    let (_, _, headers) = request.head();
    let codings = coding::of(headers)?;
    if codings.is_empty() {
        return Ok(None);
    }
    let body = coding::undo(&codings, request.body(), limit, &|more| room.take(more))?;
    let made = || {
        let mut headers = headers.clone();
        headers.remove(CONTENT_ENCODING);
        Plain { headers, body }
    };
    let Plain { headers, body } = plain.get_or_init(made);
    Ok(Some(request.decoded(headers, body)))
}

/// Why a body that is not proved is not decoded, where its sender is told: a larger one would be told so.
pub fn refused(stopped: Stopped<Failure>, limit: usize) -> Option<Failure> {
    match stopped {
        Stopped::NoRoom(failure) => Some(failure),
        Stopped::Coding(CodingError::TooLarge(_)) => Some(Failure::body_too_large(limit)),
        Stopped::Coding(_) => None,
    }
}
