//! What the caller gets of a provider's answer.

use std::pin::pin;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::{Plan, Work};
use crate::config::ErrorExpression;
use crate::config::resource::Method;
use crate::error::{Code, Failure, Remote};
use crate::flows::body;
use crate::ports::{Body, Outside, Reply, SendError, Storage};
use crate::proxy::headers;
use crate::proxy::reply::{self, FoundError, Kind, Look};

/// What a caller of a rate-limited provider waits when the provider does not say.
const DEFAULT_RETRY_AFTER: u64 = 30;

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
        match reply::look(method, self.error_expression(method).is_some(), kind) {
            Look::Inside if reply.status.is_success() => {
                self.looked_into(method, kind, reply).await
            }
            _ => Ok(passed_on(reply)),
        }
    }

    async fn list(
        &self,
        method: &Method,
        reply: Reply<O::Stream>,
    ) -> Result<Reply<O::Stream>, Failure> {
        let text = self.text(reply.body).await?;
        self.check_for_error(method, &text, &reply.headers, reply.status)?;
        let envelope = reply::list(&text, method.response_path.as_ref())?;
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
        let text = self.text(body).await?;
        self.check_for_error(method, &text, &headers, status)?;
        match (&method.response_path, kind) {
            (Some(path), Kind::Json) if !text.is_empty() => {
                let cut = reply::cut(&text, Some(path))?.to_owned();
                Ok(rewritten(status, &headers, cut))
            }
            _ => Ok(Reply {
                status,
                headers: headers::of_read_answer(&headers),
                body: Body::from_bytes(text),
            }),
        }
    }

    /// The failure for an answer of 400 and above.
    async fn refusal(&self, method: &Method, reply: Reply<O::Stream>) -> Result<Failure, Failure> {
        let Reply {
            status,
            headers,
            body,
        } = reply;
        let text = match self.text(body).await {
            Ok(text) => text,
            Err(failure)
                if matches!(failure.code, Code::AnswerTooLarge | Code::UnexpectedAnswer) =>
            {
                String::new()
            }
            Err(failure) => return Err(failure),
        };
        let found = self
            .find_error(method, &text, &headers, status)
            .unwrap_or_default();
        Ok(remote(status, &headers, text, found))
    }

    fn check_for_error(
        &self,
        method: &Method,
        text: &str,
        headers: &HeaderMap,
        status: StatusCode,
    ) -> Result<(), Failure> {
        match self.find_error(method, text, headers, status)? {
            None => Ok(()),
            Some(found) => {
                let own = found
                    .status
                    .and_then(|status| StatusCode::from_u16(status).ok());
                let mut failure = remote(
                    own.unwrap_or(StatusCode::BAD_GATEWAY),
                    headers,
                    text.to_owned(),
                    Some(found),
                );
                if own.is_none() {
                    failure.code = Code::ErrorInBody;
                }
                Err(failure)
            }
        }
    }

    fn find_error(
        &self,
        method: &Method,
        text: &str,
        headers: &HeaderMap,
        status: StatusCode,
    ) -> Result<Option<FoundError>, Failure> {
        let Some(expression) = self.error_expression(method) else {
            return Ok(None);
        };
        let body: Value =
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        reply::find_error(expression, &body, headers, status.as_u16(), &self.moment).map_err(
            |error| {
                self.log("error_expression_failed", &error.to_string());
                Failure::from(error)
            },
        )
    }

    fn error_expression<'m>(&'m self, method: &'m Method) -> Option<&'m ErrorExpression> {
        self.config().error_expression_of(method)
    }

    async fn text(&self, body: Body<O::Stream>) -> Result<String, Failure> {
        let bytes = self.read(body).await?;
        String::from_utf8(bytes.into()).map_err(|_| {
            Failure::new(
                Code::UnexpectedAnswer,
                "The provider's answer is not UTF-8 text.",
            )
        })
    }

    async fn read(&self, body: Body<O::Stream>) -> Result<Bytes, Failure> {
        let mut room = self.object.isolate.room();
        let wait = self.deadline.since(self.object.outside.now());
        let (read, too_late) = (
            pin!(body::read_answer(body, &mut room)),
            pin!(self.object.outside.sleep(wait)),
        );
        match select(read, too_late).await {
            Either::Left((read, _)) => read,
            Either::Right(_) => Err(SendError::Timeout.into()),
        }
    }

    pub(super) fn log(&self, event: &str, reason: &str) {
        let account = &self.loaded.account;
        self.object.outside.log(&json!({
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

fn remote(
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
    let message = said
        .unwrap_or_else(|| format!("The provider answered {status}; raw_response has its words."));
    let asked = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse().ok());
    Failure {
        retry_after: asked.or((status == 429).then_some(DEFAULT_RETRY_AFTER)),
        remote: Some(Box::new(Remote {
            status,
            raw_response: text,
            headers: headers::of_rewritten_answer(headers),
        })),
        ..Failure::new(code, message)
    }
}
