//! Reads the answer to an action's step, which becomes the next result.

use http::HeaderMap;
use serde_json::Value;

use crate::config::resource::Method;
use crate::error::Failure;
use crate::flows::call::account::CallAccount;
use crate::flows::call::buffered_body::{BodyNeed, BufferedBody, Reading, TextError};
use crate::flows::call::engine::Head;
use crate::flows::call::engine::protocol::Answer;
use crate::flows::call::engine_response::EngineResponse;
use crate::flows::call::respond::{AnswerKind, Look, Responded, Responder};
use crate::flows::call::step::{Answered, ExpectedAnswer};
use crate::header_text;
use crate::json::Exact;
use crate::proxy::reply::{self, MediaKind, ReplyError};

impl<'a, A: CallAccount> Responder<'_, 'a, A> {
    pub(in crate::flows) fn look_at_value(&self, method: &'a Method, answer: Answer) -> Look<'a> {
        let kind = reply::kind(&answer.headers, method.api_response_format);
        if answer.status.as_u16() >= 400 {
            return Look::Read(
                AnswerKind::Refusal,
                crate::flows::call::respond::message_reading(kind),
                answer,
            );
        }
        let reading = reading(method, self.prepared.whole(), &answer.headers);
        Look::Read(AnswerKind::Value, reading, answer)
    }

    pub(in crate::flows) fn value(
        &self,
        method: &Method,
        head: &Head,
        buffered: Result<BufferedBody, TextError>,
    ) -> Responded {
        let mut body = match buffered {
            Ok(body) => body,
            Err(TextError::Bytes(bytes, error)) => {
                let message = || String::from_utf8_lossy(&bytes).into_owned();
                return Err(self.unusable(error.into(), message));
            }
            Err(TextError::Failed(failure)) => return Err(failure),
        };
        if head.status.is_success() {
            self.check_for_error(&mut body, &head.headers, head.status)
                .map_err(|failure| self.unusable(failure, || body.take_text()))?;
        }
        let value = result(&mut body, method, self.prepared.whole())
            .map_err(|failure| self.unusable(failure, || body.take_text()))?;
        let room = body.room;
        let headers = header_text::object_of(&head.headers);
        Ok(EngineResponse::Value(Answered {
            value,
            headers,
            room,
        }))
    }
}

/// The result of a step.
fn result(
    body: &mut BufferedBody,
    method: &Method,
    whole: ExpectedAnswer,
) -> Result<Exact, Failure> {
    let value = match cut(&body.text, method, whole)? {
        None => absent(whole),
        Some(_) if is_text(body.kind, method) => {
            Value::String(std::mem::take(&mut body.text)).into()
        }
        Some(text) => {
            body.text = text;
            body.exact()?
        }
    };
    if body.kind == MediaKind::Json && value.is_text() && !body.text.starts_with('"') {
        return Err(ReplyError::NotJson.into());
    }
    Ok(if value.is_null() {
        absent(whole)
    } else {
        value
    })
}

/// XML is read as JSON. If the file does not require a format, the plain text is accepted, too.
fn reading<'m>(method: &'m Method, whole: ExpectedAnswer, headers: &HeaderMap) -> Reading<'m> {
    let path = method.response_path.as_ref();
    let is_said =
        path.is_some() || method.api_response_format.is_some() || whole == ExpectedAnswer::List;
    Reading {
        kind: reply::kind(headers, method.api_response_format),
        list: path.filter(|_| whole == ExpectedAnswer::List),
        wanted: if is_said {
            BodyNeed::Value
        } else {
            BodyNeed::Text
        },
    }
}

/// The part of an answer at `response_path`; `None` if it is empty.
fn cut(text: &str, method: &Method, whole: ExpectedAnswer) -> Result<Option<String>, ReplyError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match reply::cut(text, method.response_path.as_ref()) {
        Ok(cut) => Ok(Some(cut.to_owned())),
        Err(ReplyError::NothingAt(_)) if whole == ExpectedAnswer::List => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the answer is text, even if it would parse as JSON.
fn is_text(kind: MediaKind, method: &Method) -> bool {
    matches!(kind, MediaKind::Text | MediaKind::Form) && method.response_path.is_none()
}

fn absent(whole: ExpectedAnswer) -> Exact {
    match whole {
        ExpectedAnswer::List => Value::Array(Vec::new()).into(),
        ExpectedAnswer::Any => Exact::default(),
    }
}
