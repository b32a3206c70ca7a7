//! The response to a write that was made but whose answer cannot be used: the provider's status with its message, so
//! that the caller does not repeat the write.

use http::header::LOCATION;
use http::{HeaderMap, StatusCode};

use crate::error::Failure;
use crate::flows::call::account::CallAccount;
use crate::flows::call::buffered_body::{BufferedBody, Reading, TextError};
use crate::flows::call::engine::protocol::Answer;
use crate::flows::call::respond::refusal::code_of;
use crate::flows::call::respond::{Responder, message_reading};
use crate::header_text;
use crate::proxy::reply;

/// How to read the message of an answer to a write.
pub(in crate::flows) fn message_reading_of<'a>(headers: &HeaderMap) -> Reading<'a> {
    message_reading(reply::kind(headers, None))
}

impl<A: CallAccount> Responder<'_, '_, A> {
    /// The failure to follow a redirect that answered a write, with its `Location`.
    pub(in crate::flows) fn of_redirect(&self, failure: Failure, answer: &Answer) -> Failure {
        let location = answer.headers.get(LOCATION);
        let location = location.map(|value| header_text::text(value).into_owned());
        match location {
            Some(location) => failure.with_location(&self.redactor().text(&location)),
            None => failure,
        }
    }

    /// The response of `/custom`, if a redirect answered the write and its page failed. The page's status would say
    /// that the write was not made.
    pub(in crate::flows) fn of_page(
        &self,
        status: StatusCode,
        buffered: Result<BufferedBody, TextError>,
    ) -> Failure {
        let status = status.as_u16();
        let message = format!("The page after its redirect was answered with {status}.");
        self.behind_write(Failure::new(code_of(status), message), buffered)
    }

    /// The failure for an unusable answer, with the answer's message if the write was made.
    pub(in crate::flows) fn unusable(
        &self,
        failure: Failure,
        message: impl FnOnce() -> String,
    ) -> Failure {
        let Some(status) = self.trace.made_write() else {
            return failure;
        };
        if failure.remote.is_some() {
            return failure;
        }
        let failure = failure
            .with_raw_response(status, message())
            .of_made_write(status);
        self.redactor().failure(failure)
    }

    /// The same with the part of the body that was read.
    pub(in crate::flows) fn behind_write(
        &self,
        failure: Failure,
        buffered: Result<BufferedBody, TextError>,
    ) -> Failure {
        let message = match buffered {
            Ok(mut body) => body.take_text(),
            Err(TextError::Bytes(bytes, _)) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(TextError::Failed(_)) => String::new(),
        };
        self.unusable(failure, || message)
    }
}
