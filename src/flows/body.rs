//! Reading bodies, never more than allowed.

use bytes::{Bytes, BytesMut};

use crate::error::{Code, Failure};
use crate::flows::isolate::Room;
use crate::ports::{Body, ByteStream};
use crate::settings::REPLAYABLE_BODY_BYTES;

/// Reads a caller's body of at most `limit` bytes.
pub async fn read<S: ByteStream>(body: Body<S>, limit: usize) -> Result<Bytes, Failure> {
    let mut stream = match body {
        Body::Empty => return Ok(Bytes::new()),
        Body::Bytes(bytes) if bytes.len() <= limit => return Ok(bytes),
        Body::Bytes(_) => return Err(Failure::body_too_large(limit)),
        Body::Stream(stream) => stream,
    };
    if stream.length().is_some_and(|length| length > limit as u64) {
        return Err(Failure::body_too_large(limit));
    }
    let mut read = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let piece = piece
            .map_err(|_| Failure::new(Code::Malformed, "The body broke off before its end."))?;
        if read.len() + piece.len() > limit {
            return Err(Failure::body_too_large(limit));
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.freeze())
}

/// Reads a body of at most `limit` bytes, which count as held by the isolate.
pub async fn read_held<S: ByteStream>(
    body: Body<S>,
    limit: usize,
    room: &mut Room,
) -> Result<Bytes, Failure> {
    let length = match &body {
        Body::Empty => Some(0),
        Body::Bytes(bytes) => Some(bytes.len()),
        Body::Stream(stream) => stream
            .length()
            .and_then(|length| usize::try_from(length).ok()),
    };
    // Of a body that does not say how long it is, it may be as long as it may.
    room.take(length.unwrap_or(limit).min(limit))?;
    read(body, limit).await
}

/// Holds a body of known, small length, so that it can be sent again; any other stays a handle.
pub async fn hold_small<S: ByteStream>(body: Body<S>) -> Result<Body<S>, Failure> {
    match body {
        Body::Stream(stream)
            if stream
                .length()
                .is_some_and(|length| length <= REPLAYABLE_BODY_BYTES as u64) =>
        {
            Ok(Body::from_bytes(
                read(Body::Stream(stream), REPLAYABLE_BODY_BYTES).await?,
            ))
        }
        other => Ok(other),
    }
}

/// Reads a provider's answer to look into it, within its own limit and the isolate's.
pub async fn read_answer<S: ByteStream>(body: Body<S>, room: &mut Room) -> Result<Bytes, Failure> {
    let mut stream = match body {
        Body::Empty => return Ok(Bytes::new()),
        Body::Bytes(bytes) => {
            room.take(bytes.len())?;
            return Ok(bytes);
        }
        Body::Stream(stream) => stream,
    };
    let limit = room.answer_bytes();
    if stream.length().is_some_and(|length| length > limit as u64) {
        return Err(answer_too_large(limit));
    }
    // Room is taken before what needs it, where that is known.
    let mut taken = 0;
    if let Some(length) = stream
        .length()
        .and_then(|length| usize::try_from(length).ok())
    {
        room.take(length)?;
        taken = length;
    }
    let mut read = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|_| {
            Failure::new(
                Code::Unreachable,
                "The provider's answer broke off before its end.",
            )
        })?;
        if read.len() + piece.len() > limit {
            return Err(answer_too_large(limit));
        }
        let whole = read.len() + piece.len();
        if whole > taken {
            room.take(whole - taken)?;
            taken = whole;
        }
        if read.is_empty() && whole == taken && stream.length() == Some(whole as u64) {
            return Ok(piece);
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.freeze())
}

fn answer_too_large(limit: usize) -> Failure {
    let words = format!(
        "The provider's answer is over {}, too large to be looked into. Fetch it unread, by /custom or by a get without response_path.",
        in_words(limit)
    );
    Failure::new(Code::AnswerTooLarge, words)
        .with_details(serde_json::json!({ "limit_bytes": limit }))
}

fn in_words(bytes: usize) -> String {
    const MIB: usize = 1024 * 1024;
    match bytes % MIB {
        0 => format!("{} MiB", bytes / MIB),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_named_as_it_is_set() {
        for (limit, words) in [
            (8 * 1024 * 1024, "over 8 MiB,"),
            (16 * 1024 * 1024, "over 16 MiB,"),
            (8 * 1024 * 1024 - 1, "over 8388607 bytes,"),
        ] {
            assert!(answer_too_large(limit).message.contains(words), "{words}");
        }
    }
}
