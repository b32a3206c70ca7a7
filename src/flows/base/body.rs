//! Reads bodies within their limits of size and time and the memory budget of the isolate.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use crate::error::{Code, Failure};
use crate::flows::base::memory::Room;
use crate::flows::base::within::within;
use crate::media::coding::{self, Undecoded};
use crate::ports::{Body, ByteStream, Outside};
use crate::proxy::reply::ReplyError;
use crate::settings::REPLAYABLE_BODY_BYTES;
use crate::time::Timestamp;

/// A body of known length up to this is read at once, which costs half as much as in pieces. Memory is reserved for it when it
/// is there.
const READ_AT_ONCE_BYTES: u64 = 16 * 1024;

/// Reads a caller's body of at most `limit` bytes. Memory is reserved for each piece as it arrives, not for the
/// announced length. The read fails when the room's patience or the call's time ends.
pub async fn read<O: Outside>(
    outside: &O,
    body: Body<O::Stream>,
    limit: usize,
    room: &Room,
) -> Result<Bytes, Failure> {
    read_until(outside, body, limit, room, None).await
}

/// Reads a body like [`read`], and gives up at `deadline`.
pub async fn read_until<O: Outside>(
    outside: &O,
    body: Body<O::Stream>,
    limit: usize,
    room: &Room,
    deadline: Option<Timestamp>,
) -> Result<Bytes, Failure> {
    let stream = match body {
        Body::Empty => return Ok(Bytes::new()),
        Body::Bytes(bytes) if bytes.len() <= limit => {
            room.take_body(bytes.len())?;
            return Ok(bytes);
        }
        Body::Bytes(_) => return Err(Failure::body_too_large(limit)),
        Body::Stream(stream) => cheaply_read(stream),
    };
    if stream.length().is_some_and(|length| length > limit as u64) {
        return Err(Failure::body_too_large(limit));
    }
    let left = deadline.map(|deadline| deadline.since(outside.now()));
    let patience = left.map_or(room.patience(), |left| left.min(room.patience()));
    let received = within(outside, patience, arrive(stream, limit, room)).await;
    match received.unwrap_or(Err(ReadError::Late)) {
        Ok(bytes) => Ok(bytes),
        Err(ReadError::TooLarge) => Err(Failure::body_too_large(limit)),
        Err(ReadError::Early) => {
            let message = "The body ended early.";
            Err(Failure::new(Code::Malformed, message))
        }
        Err(ReadError::Late) => Err(too_slow(patience)),
        Err(ReadError::NoRoom(failure)) => Err(failure),
    }
}

fn cheaply_read<S: ByteStream>(stream: S) -> S {
    match stream.length() {
        Some(length) if length <= READ_AT_ONCE_BYTES => stream,
        _ => stream.in_pieces(),
    }
}

fn too_slow(patience: Duration) -> Failure {
    let message = format!(
        "The body did not arrive within {} ms.",
        patience.as_millis()
    );
    Failure::new(Code::BodyTimeout, message)
}

/// Why a body was not read to its end.
enum ReadError {
    TooLarge,
    Early,
    Late,
    NoRoom(Failure),
}

async fn arrive(
    mut stream: impl ByteStream,
    limit: usize,
    room: &Room,
) -> Result<Bytes, ReadError> {
    let buffer = room.body_buffer();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|_| ReadError::Early)?;
        if buffer.bytes() + piece.len() > limit {
            return Err(ReadError::TooLarge);
        }
        if buffer.bytes() == 0 && stream.length() == Some(piece.len() as u64) {
            room.take_body(piece.len()).map_err(ReadError::NoRoom)?;
            return Ok(piece);
        }
        buffer.push(&piece).map_err(ReadError::NoRoom)?;
    }
    buffer.whole().map_err(ReadError::NoRoom)
}

/// Buffers a body of known, small length, so that it can be sent again. Any other body stays a handle.
pub async fn hold_small<O: Outside>(
    outside: &O,
    body: Body<O::Stream>,
    room: &Room,
) -> Result<Body<O::Stream>, Failure> {
    let most = REPLAYABLE_BODY_BYTES;
    match body {
        Body::Stream(stream) if stream.length().is_some_and(|length| length <= most as u64) => {
            let body = read(outside, Body::Stream(stream), most, room).await?;
            Ok(Body::from_bytes(body))
        }
        Body::Bytes(bytes) => {
            room.take_body(bytes.len())?;
            Ok(Body::Bytes(bytes))
        }
        other => Ok(other),
    }
}

/// Reads a provider's response within its own limit and the isolate's budget; [`decoded`] decodes it. The caller bounds
/// the time.
pub async fn read_encoded<S: ByteStream>(body: Body<S>, room: &Room) -> Result<Bytes, Failure> {
    let limit = room.answer_bytes();
    match read_small(body, limit, room).await {
        Ok(bytes) => Ok(bytes),
        Err(ReadError::TooLarge) => Err(answer_too_large(limit)),
        Err(ReadError::NoRoom(failure)) => Err(failure),
        Err(ReadError::Early | ReadError::Late) => {
            let message = "The provider's response ended early.";
            Err(Failure::new(Code::Unreachable, message))
        }
    }
}

/// The bytes of a stream, at most `limit`; `None` where it has more, or ends early. No memory is reserved for them: they
/// are few, or their reader has reserved it.
pub async fn read_uncounted(mut stream: impl ByteStream, limit: usize) -> Option<Bytes> {
    let mut read = BytesMut::new();
    while let Some(piece) = stream.next().await {
        read.extend_from_slice(&piece.ok()?);
        if read.len() > limit {
            return None;
        }
    }
    Some(read.freeze())
}

/// Takes the room of an answer that is in memory already.
pub fn take_answer(bytes: &Bytes, room: &Room) -> Result<(), Failure> {
    let limit = room.answer_bytes();
    if bytes.len() > limit {
        return Err(answer_too_large(limit));
    }
    room.take(bytes.len())
}

/// Reads and decodes a response of at most `limit` bytes. `None` where it is larger, ends early, or does not fit into the
/// memory budget.
pub async fn read_at_most<S: ByteStream>(
    headers: &HeaderMap,
    body: Body<S>,
    limit: usize,
    room: &Room,
) -> Option<Bytes> {
    let bytes = read_small(body, limit, room).await.ok()?;
    decoded(headers, bytes, limit, room).ok()
}

/// Undoes the content codings that the platform leaves. The result has at most `limit` bytes.
pub fn decoded(
    headers: &HeaderMap,
    bytes: Bytes,
    limit: usize,
    room: &Room,
) -> Result<Bytes, Failure> {
    if bytes.is_empty() {
        return Ok(bytes);
    }
    let codings = coding::of_answer(headers).map_err(|_| ReplyError::Compressed)?;
    if codings.is_empty() {
        return Ok(bytes);
    }
    match coding::undo(&codings, &bytes, limit, &mut |more| room.take(more)) {
        Ok(decoded) => Ok(decoded.into()),
        Err(Undecoded::TooLarge(_)) => Err(answer_too_large(limit)),
        Err(Undecoded::Broken(_)) => Err(ReplyError::NotCompressed.into()),
        Err(Undecoded::NotUndone(_)) => Err(ReplyError::Compressed.into()),
        Err(Undecoded::NoRoom(failure)) => Err(failure),
    }
}

async fn read_small<S: ByteStream>(
    body: Body<S>,
    limit: usize,
    room: &Room,
) -> Result<Bytes, ReadError> {
    let stream = match body {
        Body::Empty => return Ok(Bytes::new()),
        Body::Bytes(bytes) if bytes.len() <= limit => {
            room.take(bytes.len()).map_err(ReadError::NoRoom)?;
            return Ok(bytes);
        }
        Body::Bytes(_) => return Err(ReadError::TooLarge),
        Body::Stream(stream) => stream,
    };
    if stream.length().is_some_and(|length| length > limit as u64) {
        return Err(ReadError::TooLarge);
    }
    arrive(stream, limit, room).await
}

fn answer_too_large(limit: usize) -> Failure {
    let message = format!(
        "The provider's response is over {}, too large to be read. Fetch it unread, by /custom or by a get without response_path.",
        size_text(limit)
    );
    Failure::new(Code::AnswerTooLarge, message)
        .with_details(serde_json::json!({ "limit_bytes": limit }))
}

fn size_text(bytes: usize) -> String {
    const MIB: usize = 1024 * 1024;
    match bytes % MIB {
        0 => format!("{} MiB", bytes / MIB),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use crate::ports::BrokenStream;

    use super::*;

    /// A body of this length, and whether it is read in pieces.
    struct Announced(Option<u64>, bool);

    impl ByteStream for Announced {
        fn length(&self) -> Option<u64> {
            self.0
        }

        async fn next(&mut self) -> Option<Result<Bytes, BrokenStream>> {
            None
        }

        fn in_pieces(self) -> Self {
            Self(self.0, true)
        }

        fn tee(self) -> (Self, Self) {
            (Self(self.0, self.1), self)
        }
    }

    #[test]
    fn only_a_body_of_a_small_known_length_is_read_at_once() {
        let most = 16 * 1024;
        for (length, is_in_pieces) in [
            (Some(0), false),
            (Some(most - 1), false),
            (Some(most), false),
            (Some(most + 1), true),
            (Some(u64::MAX), true),
            (None, true),
        ] {
            let Announced(_, read) = cheaply_read(Announced(length, false));
            assert_eq!(read, is_in_pieces, "{length:?}");
        }
    }

    #[test]
    fn the_message_names_the_limit_as_it_is_configured() {
        for (limit, text) in [
            (8 * 1024 * 1024, "over 8 MiB,"),
            (16 * 1024 * 1024, "over 16 MiB,"),
            (8 * 1024 * 1024 - 1, "over 8388607 bytes,"),
        ] {
            assert!(answer_too_large(limit).message.contains(text), "{text}");
        }
    }
}
