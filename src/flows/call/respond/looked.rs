//! An answer that the file reads: it is cut, or an expression searches it for an error.

use crate::config::ErrorExpression;
use crate::config::resource::Method;
use crate::flows::call::account::CallAccount;
use crate::flows::call::buffered_body::{BodyNeed, BufferedBody, Reading, TextError};
use crate::flows::call::engine::Head;
use crate::flows::call::engine::protocol::Answer;
use crate::flows::call::engine_response::{EngineResponse, read_through, rewritten};
use crate::flows::call::respond::{AnswerKind, Look, Responded, Responder, message_reading};
use crate::media::coding;
use crate::proxy::reply::{self, MediaKind};

impl<'a, A: CallAccount> Responder<'_, 'a, A> {
    pub(in crate::flows) fn look_inside(
        &self,
        method: &Method,
        kind: MediaKind,
        answer: Answer,
    ) -> Look<'a> {
        let is_rewritten = reply::is_rewritten(method, kind);
        if !is_rewritten && coding::of_answer(&answer.headers).is_err() {
            return self.look_at_head(kind, answer);
        }
        let reading = Reading {
            kind,
            list: None,
            wanted: if is_rewritten {
                BodyNeed::Value
            } else {
                BodyNeed::Text
            },
        };
        Look::Read(AnswerKind::Read { is_rewritten }, reading, answer)
    }

    /// An answer that streams on after expressions have read its status and header fields, without the body. An
    /// expression that reads neither is not evaluated.
    pub(in crate::flows) fn look_at_head(&self, kind: MediaKind, answer: Answer) -> Look<'a> {
        let expression = self.prepared.subject().error_expression();
        if !expression.is_some_and(ErrorExpression::may_see_head) {
            return Look::reply(self.passed_on(answer));
        }
        match self.find_error(None, &answer.headers, answer.status) {
            Err(failure) => Look::fail(failure),
            Ok(None) => Look::reply(self.passed_on(answer)),
            Ok(Some(found)) if kind == MediaKind::Binary => {
                Look::fail(self.found(&answer.headers, String::new(), found))
            }
            Ok(Some(found)) => Look::Read(
                AnswerKind::ErrorInHead(found),
                message_reading(kind),
                answer,
            ),
        }
    }

    pub(in crate::flows) fn looked_into(
        &self,
        method: &Method,
        is_rewritten: bool,
        head: Head,
        buffered: Result<BufferedBody, TextError>,
    ) -> Responded {
        let Head { status, headers } = head;
        let mut body = match buffered {
            Ok(body) => body,
            // An unreadable answer is passed on if it does not have to be cut.
            Err(TextError::Bytes(bytes, _)) if !is_rewritten => {
                return Ok(EngineResponse::Single(read_through(
                    status, &headers, bytes,
                )));
            }
            Err(TextError::Bytes(bytes, error)) => {
                let message = || String::from_utf8_lossy(&bytes).into_owned();
                return Err(self.unusable(error.into(), message));
            }
            Err(TextError::Failed(failure)) => return Err(failure),
        };
        self.check_for_error(&mut body, &headers, status)
            .map_err(|failure| self.unusable(failure, || body.take_text()))?;
        if !is_rewritten || body.text.trim().is_empty() {
            let reply = read_through(status, &headers, body.into_bytes());
            return Ok(EngineResponse::Single(reply));
        }
        let cut = match reply::cut(&body.text, method.response_path.as_ref()) {
            Ok(cut) => cut.to_owned(),
            Err(error) => return Err(self.unusable(error.into(), || body.take_text())),
        };
        Ok(EngineResponse::Single(rewritten(status, &headers, cut)))
    }
}
