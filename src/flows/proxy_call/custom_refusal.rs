//! A refusal on a path of the caller's own. It goes on as it came, but for the account's secrets in it: it is held for
//! that, as far as it is small. A good answer is not looked into.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

use super::Work;
use crate::flows::body;
use crate::flows::once::hold;
use crate::ports::{Body, Outside, Reply, Storage};

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// The refusal without the secrets that it repeats. One that is longer than what is held, or compressed in a way that is
    /// not undone, goes on unread.
    pub(super) async fn without_secrets(&self, reply: Reply<O::Stream>) -> Reply<O::Stream> {
        let (mut reply, held) = hold(self.object, reply, self.deadline).await;
        let Some(bytes) = held else { return reply };
        let room = self.object.isolate.room();
        let decoded = body::decoded(&reply.headers, bytes, room.answer_bytes(), &room);
        let Ok(bytes) = decoded else { return reply };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let told = self.redactor().answer(text.clone());
        if told != text {
            reply.headers.remove(CONTENT_LENGTH);
            reply.headers.remove(CONTENT_ENCODING);
            reply.body = Body::from_bytes(told);
        }
        reply
    }
}
