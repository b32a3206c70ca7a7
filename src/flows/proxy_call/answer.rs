//! What the caller gets of a provider's answer.

use std::pin::pin;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

use super::{Plan, Work};
use crate::config::resource::Method;
use crate::error::{Code, Failure, Remote};
use crate::flows::body;
use crate::flows::isolate::Room;
use crate::json;
use crate::ports::{Body, Outside, Reply, SendError, Storage};
use crate::proxy::headers;
use crate::proxy::reply::{self, FoundError, Kind, Look};
use crate::settings::{EXPRESSION_VALUES, RATE_LIMIT_WAIT, VALUE_BYTES};
use crate::time::retry_after;

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// Passes the answer on, cut and wrapped as the file says.
    pub(super) async fn answer(
        &self,
        reply: Reply<O::Stream>,
    ) -> Result<Reply<O::Stream>, Failure> {
        let Plan::Method { method, is_list } = self.plan else {
            return Ok(passed_on(reply));
        };
        let kind = reply::kind(&reply.headers, method.api_response_format);
        if reply.status.as_u16() >= 400 {
            return Err(self.refusal(method, reply).await?);
        }
        if is_list && reply.status.is_success() {
            return self.list(method, reply).await;
        }
        match reply::look(
            method,
            self.config().error_expression_of(method).is_some(),
            kind,
        ) {
            Look::Inside if reply.status.is_success() => {
                self.looked_into(method, kind, reply).await
            }
            _ => Ok(passed_on(reply)),
        }
    }

    /// The provider's own words, when the account needs its customer.
    pub(super) async fn refused(
        &self,
        reply: Reply<O::Stream>,
    ) -> Result<Reply<O::Stream>, Failure> {
        self.answer(reply).await.map_err(|mut failure| {
            if failure.remote.is_some() {
                failure.code = Code::NeedsReauth;
            }
            failure
        })
    }

    async fn list(
        &self,
        method: &Method,
        reply: Reply<O::Stream>,
    ) -> Result<Reply<O::Stream>, Failure> {
        let mut held = self.text(reply.body).await?;
        self.check_for_error(method, &mut held, &reply.headers, reply.status)?;
        held.room.take(held.text.len())?;
        let envelope = reply::list(&held.text, method.response_path.as_ref())?;
        Ok(rewritten(StatusCode::OK, &reply.headers, envelope))
    }

    async fn looked_into(
        &self,
        method: &Method,
        kind: Kind,
        reply: Reply<O::Stream>,
    ) -> Result<Reply<O::Stream>, Failure> {
        let Reply {
            status,
            headers,
            body,
        } = reply;
        if kind == Kind::Xml && method.response_path.is_some() {
            return Err(Failure::new(
                Code::Unsupported,
                "This version cannot cut XML. Leave response_path out to have the answer as it is.",
            ));
        }
        let mut held = match self.text(body).await {
            Ok(held) => held,
            // Text in another encoding can be passed on, if it need not be cut.
            Err(NotText::Bytes(bytes)) if method.response_path.is_none() => {
                return Ok(read_through(status, &headers, bytes));
            }
            Err(other) => return Err(other.into()),
        };
        self.check_for_error(method, &mut held, &headers, status)?;
        match (&method.response_path, kind) {
            (Some(path), Kind::Json) if !held.text.is_empty() => {
                let cut = reply::cut(&held.text, Some(path))?.to_owned();
                Ok(rewritten(status, &headers, cut))
            }
            _ => Ok(read_through(status, &headers, held.text.into_bytes())),
        }
    }

    /// The failure for an answer of 400 and above.
    pub(super) async fn refusal(
        &self,
        method: &Method,
        reply: Reply<O::Stream>,
    ) -> Result<Failure, Failure> {
        let Reply {
            status,
            headers,
            body,
        } = reply;
        let mut held = match self.text(body).await {
            Ok(held) => held,
            Err(NotText::Bytes(_)) => self.nothing(),
            Err(NotText::Failed(failure)) if failure.code == Code::AnswerTooLarge => self.nothing(),
            Err(NotText::Failed(failure)) => return Err(failure),
        };
        let found = self
            .find_error(method, &mut held, &headers, status)
            .unwrap_or_default();
        Ok(self.remote(status, &headers, held.text, found))
    }

    pub(super) fn check_for_error(
        &self,
        method: &Method,
        held: &mut Held,
        headers: &HeaderMap,
        status: StatusCode,
    ) -> Result<(), Failure> {
        let Some(found) = self.find_error(method, held, headers, status)? else {
            return Ok(());
        };
        let own = found
            .status
            .and_then(|status| StatusCode::from_u16(status).ok());
        let text = std::mem::take(&mut held.text);
        let mut failure = self.remote(
            own.unwrap_or(StatusCode::BAD_GATEWAY),
            headers,
            text,
            Some(found),
        );
        if own.is_none() {
            failure.code = Code::ErrorInBody;
        }
        Err(failure)
    }

    fn find_error(
        &self,
        method: &Method,
        held: &mut Held,
        headers: &HeaderMap,
        status: StatusCode,
    ) -> Result<Option<FoundError>, Failure> {
        let Some(expression) = self.config().error_expression_of(method) else {
            return Ok(None);
        };
        let body = held.value()?;
        reply::find_error(expression, &body, headers, status.as_u16(), &self.moment).map_err(
            |error| {
                self.log("error_expression_failed", &error.to_string());
                Failure::from(error)
            },
        )
    }

    pub(super) async fn text(&self, body: Body<O::Stream>) -> Result<Held, NotText> {
        let mut room = self.object.isolate.room();
        let bytes = self.read(body, &mut room).await?;
        let text =
            String::from_utf8(bytes.into()).map_err(|error| NotText::Bytes(error.into_bytes()))?;
        Ok(Held { text, room })
    }

    async fn read(&self, body: Body<O::Stream>, room: &mut Room) -> Result<Bytes, Failure> {
        let wait = self.deadline.since(self.object.outside.now());
        let (read, too_late) = (
            pin!(body::read_answer(body, room)),
            pin!(self.object.outside.sleep(wait)),
        );
        match select(read, too_late).await {
            Either::Left((read, _)) => read,
            Either::Right(_) => Err(SendError::Timeout.into()),
        }
    }

    fn nothing(&self) -> Held {
        Held {
            text: String::new(),
            room: self.object.isolate.room(),
        }
    }

    fn remote(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        text: String,
        found: Option<FoundError>,
    ) -> Failure {
        let status = found
            .as_ref()
            .and_then(|found| found.status)
            .unwrap_or(status.as_u16());
        let code = match status {
            429 => Code::RateLimited,
            400..500 => Code::Rejected,
            _ => Code::Failed,
        };
        let said = found.and_then(|found| found.message);
        let message = said.unwrap_or_else(|| {
            format!("The provider answered {status}; raw_response has its words.")
        });
        let asked = retry_after(headers, self.object.outside.now()).map(|wait| wait.as_secs());
        Failure {
            retry_after: asked.or((status == 429).then_some(RATE_LIMIT_WAIT.as_secs())),
            remote: Some(Box::new(Remote {
                status,
                raw_response: text,
                headers: headers::of_rewritten_answer(headers),
            })),
            ..Failure::new(code, message)
        }
    }

    pub(super) fn log(&self, event: &str, reason: &str) {
        let account = &self.loaded.account;
        self.object.outside.log(&serde_json::json!({
            "level": "error", "event": event, "integration": self.effective.integration.name, "integrated_account_id": account.id, "reason": reason,
        }));
    }
}

fn passed_on<S>(reply: Reply<S>) -> Reply<S> {
    Reply {
        headers: headers::of_answer(&reply.headers),
        ..reply
    }
}

fn rewritten<S>(status: StatusCode, headers: &HeaderMap, json: String) -> Reply<S> {
    let mut headers = headers::of_rewritten_answer(headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Reply {
        status,
        headers,
        body: Body::from_bytes(json),
    }
}

/// The body was read and goes on as it was.
fn read_through<S>(status: StatusCode, headers: &HeaderMap, bytes: Vec<u8>) -> Reply<S> {
    Reply {
        status,
        headers: headers::of_read_answer(headers),
        body: Body::from_bytes(bytes),
    }
}

/// An answer in memory, and the room it takes there until it is passed on.
pub(super) struct Held {
    pub(super) text: String,
    pub(super) room: Room,
}

impl Held {
    /// What expressions see of it: JSON, or the text itself.
    pub(super) fn value(&mut self) -> Result<Value, Failure> {
        let text = self.text.trim_start_matches('\u{feff}');
        let Ok(values) = json::count_values(text) else {
            return Ok(Value::String(text.to_owned()));
        };
        if values > EXPRESSION_VALUES {
            let words = format!(
                "The provider's answer has more than {EXPRESSION_VALUES} values, too many for the integration's expressions."
            );
            return Err(Failure::new(Code::AnswerTooLarge, words));
        }
        self.room.take(values * VALUE_BYTES)?;
        Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
    }
}

/// Why there is no text to look into.
pub(super) enum NotText {
    /// It is not UTF-8.
    Bytes(Vec<u8>),
    /// It could not be read at all.
    Failed(Failure),
}

impl From<Failure> for NotText {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<NotText> for Failure {
    fn from(reason: NotText) -> Self {
        match reason {
            NotText::Failed(failure) => failure,
            NotText::Bytes(_) => Self::new(
                Code::UnexpectedAnswer,
                "The provider's answer is not UTF-8 text.",
            ),
        }
    }
}
