//! Counts the gateway's own responses until their readers have them.

use crate::error::Failure;
use crate::flows::base::memory::Room;
use crate::ports::{Body, HttpClient, Reply};
use crate::settings::PIECE_BYTES;

/// Counts what is held of a response until its reader has received it or has gone. The platform takes a whole body at
/// once and does not report when it is sent. So a large body is a stream. A small one fits into the buffers of its
/// connection.
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
    let body = Body::Stream(outside.held(bytes, Box::new(room)));
    Ok(Reply { body, ..reply })
}
