//! Answers that are made here, until their readers have them.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};

use crate::error::Failure;
use crate::flows::base::memory::Room;
use crate::ports::{Body, HttpClient, Reply};
use crate::settings::PIECE_BYTES;

/// An answer on its way out: what is held of it counts until its reader has it, or is gone. The platform takes a whole
/// body from us at once and does not say when it is sent, so a large one is handed on in pieces, as it asks for them. A
/// small one fits into the buffers of its connection.
pub fn until_drained<O: HttpClient>(
    outside: &O,
    room: Room,
    reply: Reply<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    let bytes = match reply.body {
        Body::Bytes(bytes) if bytes.len() > PIECE_BYTES => bytes,
        body => return Ok(Reply { body, ..reply }),
    };
    room.take(bytes.len())?;
    let pieces = stream::unfold((bytes, room), |(mut bytes, room)| async move {
        let piece: Bytes = bytes.split_to(bytes.len().min(PIECE_BYTES));
        (!piece.is_empty()).then_some((piece, (bytes, room)))
    });
    let body = Body::Stream(outside.stream(pieces.boxed_local()));
    Ok(Reply { body, ..reply })
}
