//! Small answers are buffered: to be given again, or to be searched. Any other goes on as it came.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

use crate::flows::base::within::within;
use crate::flows::call::account::{LiveAccount, StreamOf};
use crate::media::coding;
use crate::ports::{Body, ByteStream, Reply, System};
use crate::settings::KEPT_ANSWER_BYTES;
use crate::time::Timestamp;

/// Buffers an answer that is small enough.
pub(in crate::flows) async fn buffer<A: LiveAccount>(
    account: &A,
    mut reply: Reply<StreamOf<A>>,
    deadline: Timestamp,
) -> (Reply<StreamOf<A>>, Option<Bytes>) {
    let stream = match std::mem::replace(&mut reply.body, Body::Empty) {
        Body::Empty => return (reply, Some(Bytes::new())),
        Body::Bytes(bytes) => {
            let buffered = Some(bytes.clone()).filter(|bytes| bytes.len() <= KEPT_ANSWER_BYTES);
            reply.body = Body::Bytes(bytes);
            return (reply, buffered);
        }
        Body::Stream(stream) => stream,
    };
    match read(account, stream, deadline).await {
        Ok(bytes) => {
            describe_buffered(&mut reply.headers);
            reply.body = Body::from_bytes(bytes.clone());
            (reply, Some(bytes))
        }
        Err(pass) => {
            reply.body = Body::Stream(pass);
            (reply, None)
        }
    }
}

/// The header fields that are still true of a stream that was read.
pub(in crate::flows) fn describe_buffered(headers: &mut HeaderMap) {
    headers.remove(CONTENT_LENGTH);
    // What the platform does not undo stays as it came.
    if coding::is_undone_by_platform(headers) {
        headers.remove(CONTENT_ENCODING);
    }
}

/// The bytes of a small body; or the body, where it is larger, or does not come in time.
pub(in crate::flows) async fn read<A: LiveAccount>(
    account: &A,
    stream: StreamOf<A>,
    deadline: Timestamp,
) -> Result<Bytes, StreamOf<A>> {
    let room = account.room();
    let length = stream.length().map(usize::try_from);
    let length = length.map_or(Ok(KEPT_ANSWER_BYTES), |length| length);
    let fits = length.is_ok_and(|length| length <= KEPT_ANSWER_BYTES && room.take(length).is_ok());
    if !fits {
        return Err(stream);
    }
    let (look, pass) = stream.tee();
    let wait = deadline.since(account.system().now());
    let read = within(account.system(), wait, read_small(look)).await;
    read.flatten().ok_or(pass)
}

/// All of a body; nothing when it is larger than what is kept, or breaks off.
async fn read_small(mut stream: impl ByteStream) -> Option<Bytes> {
    let mut read = BytesMut::new();
    while let Some(piece) = stream.next().await {
        read.extend_from_slice(&piece.ok()?);
        if read.len() > KEPT_ANSWER_BYTES {
            return None;
        }
    }
    Some(read.freeze())
}
