//! Buffers small answers, to store them for a replay or to search them for secrets. Larger answers stay streams.

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

use crate::flows::base::body;
use crate::flows::base::within::within;
use crate::flows::call::account::{LiveAccount, StreamOf};
use crate::media::coding;
use crate::ports::{Body, ByteStream, Reply, System};
use crate::settings::KEPT_ANSWER_BYTES;
use crate::time::Timestamp;

/// Buffers an answer if it is small enough.
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

/// Removes the header fields that do not describe the buffered body.
pub(in crate::flows) fn describe_buffered(headers: &mut HeaderMap) {
    headers.remove(CONTENT_LENGTH);
    // A coding that the platform does not decode stays.
    if coding::is_undone_by_platform(headers) {
        headers.remove(CONTENT_ENCODING);
    }
}

/// The bytes of a small body, or the body itself if it is larger or does not arrive in time.
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
    let read = body::read_uncounted(look, KEPT_ANSWER_BYTES);
    let read = within(account.system(), wait, read).await;
    read.flatten().ok_or(pass)
}
