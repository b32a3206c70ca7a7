//! What a caller gets of a write that was made where its answer cannot be used: the provider's status, with the words there
//! are, so that nothing asks for a second write.

use http::header::LOCATION;

use crate::error::{Code, Failure};
use crate::flows::proxy_call::Work;
use crate::flows::proxy_call::held::{NotText, Reading, Wanted};
use crate::header_text;
use crate::ports::{Outside, Reply, Storage};
use crate::proxy::reply;

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// The failure to follow a redirect that answered a write, with its words and its `Location`.
    pub(in crate::flows) async fn of_redirect(
        &self,
        failure: Failure,
        reply: Reply<O::Stream>,
    ) -> Failure {
        let location = reply.headers.get(LOCATION);
        let location = location.map(|value| header_text::text(value).into_owned());
        let failure = match location {
            Some(location) => failure.with_location(&self.redactor().text(&location)),
            None => failure,
        };
        self.behind_write(failure, reply).await
    }

    /// The answer of a path of the caller's own, where a redirect has answered the write and the page that it leads to
    /// cannot be had: its status would say that the write was not made.
    pub(in crate::flows) async fn of_page(&self, reply: Reply<O::Stream>) -> Failure {
        let status = reply.status.as_u16();
        let code = match status {
            429 => Code::RateLimited,
            400..500 => Code::Rejected,
            _ => Code::Failed,
        };
        let words = format!("The page behind its redirect was answered with {status}.");
        self.behind_write(Failure::new(code, words), reply).await
    }

    /// A failure to use an answer, with its words where it answers a write that was made.
    pub(in crate::flows) fn unusable(
        &self,
        failure: Failure,
        words: impl FnOnce() -> String,
    ) -> Failure {
        let Some(status) = self.trace.made_write() else {
            return failure;
        };
        if failure.remote.is_some() {
            return failure;
        }
        let failure = failure.with_words(status, words()).of_made_write(status);
        self.redactor().failure(failure)
    }

    async fn behind_write(&self, failure: Failure, reply: Reply<O::Stream>) -> Failure {
        let reading = Reading {
            kind: reply::kind(&reply.headers, None),
            list: None,
            wanted: Wanted::Words,
        };
        let words = match self.held(&reply.headers, reply.body, reading).await {
            Ok(mut held) => held.take_words(),
            Err(NotText::Bytes(bytes, _)) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(NotText::Failed(_)) => String::new(),
        };
        self.unusable(failure, || words)
    }
}
