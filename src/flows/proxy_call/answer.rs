//! What the caller gets of a provider's answer.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::held::{Held, NotText, Reading, Wanted};
use super::{Pages, Plan, Work};
use crate::config::resource::Method;
use crate::error::{Code, Failure, Remote};
use crate::flows::isolate::Room;
use crate::json;
use crate::pagination::{Answer, Position, Standing};
use crate::ports::{Body, Outside, Reply, Storage};
use crate::proxy::headers;
use crate::proxy::reply::{self, FoundError, Kind, Look};
use crate::settings::RATE_LIMIT_WAIT;
use crate::time::retry_after;

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// Passes the answer on, cut and wrapped as the file says.
    pub(super) async fn answer(
        &self,
        reply: Reply<O::Stream>,
    ) -> Result<Outcome<O::Stream>, Failure> {
        let mut outcome = self.outcome(reply).await?;
        self.drop_echoes(outcome.headers());
        Ok(outcome)
    }

    async fn outcome(&self, reply: Reply<O::Stream>) -> Result<Outcome<O::Stream>, Failure> {
        let Plan::Method { method, is_list } = self.plan else {
            return Ok(Outcome::Reply(self.passed_on(reply)));
        };
        let kind = reply::kind(&reply.headers, method.api_response_format);
        let reply = self.as_empty_page(reply);
        if reply.status.as_u16() >= 400 {
            return Err(self.refusal(method, reply).await?);
        }
        if is_list && reply.status.is_redirection() && reply.status != StatusCode::NOT_MODIFIED {
            let words = format!(
                "The provider answered {} where a list was expected.",
                reply.status.as_u16()
            );
            return Err(Failure::new(Code::UnexpectedAnswer, words));
        }
        if is_list && reply.status.is_success() {
            return self.list(method, reply).await.map(Outcome::List);
        }
        match reply::look(
            method,
            self.config().error_expression_of(method).is_some(),
            kind,
        ) {
            Look::Inside if reply.status.is_success() => {
                let reply = self.looked_into(method, kind, reply).await?;
                Ok(Outcome::Reply(reply))
            }
            _ => Ok(Outcome::Reply(self.passed_on(reply))),
        }
    }

    /// The provider's own words, when the account needs its customer.
    pub(super) async fn refused(
        &self,
        reply: Reply<O::Stream>,
    ) -> Result<Outcome<O::Stream>, Failure> {
        self.answer(reply).await.map_err(|mut failure| {
            if failure.remote.is_some() {
                failure.code = Code::NeedsReauth;
            }
            failure
        })
    }

    async fn list(&self, method: &Method, reply: Reply<O::Stream>) -> Result<Listed, Failure> {
        let reading = Reading {
            kind: reply::kind(&reply.headers, method.api_response_format),
            list: method.response_path.as_ref(),
            wanted: Wanted::Value,
        };
        let mut held = self.held(&reply.headers, reply.body, reading).await?;
        self.check_for_error(method, &mut held, &reply.headers, reply.status)?;
        let value = self.value_for_turning(&mut held)?;
        held.room.take(held.text.len())?;
        let path = method.response_path.as_ref();
        let records = reply::records(&held.text, path)?;
        let (lines, count) = match self.pages {
            Pages::One => (
                String::new(),
                reply::of_list(json::count_elements(records), path)?,
            ),
            Pages::All => reply::of_list(json::lines(records), path)?,
        };
        let turn = self.turn(&Answer {
            status: reply.status,
            headers: &reply.headers,
            text: &held.text,
            value: value.as_ref(),
            records,
            count: count as u64,
        })?;
        let text = match (self.pages, turn.standing) {
            (Pages::One, Standing::New) => self.envelope(records, count, &turn)?,
            (Pages::One, Standing::Again) => self.envelope(reply::EMPTY, 0, &turn)?,
            (Pages::All, Standing::New) => lines,
            (Pages::All, Standing::Again) => String::new(),
        };
        Ok(Listed {
            headers: reply.headers,
            text,
            room: held.room,
            next: turn.next,
        })
    }

    async fn looked_into(
        &self,
        method: &Method,
        kind: Kind,
        reply: Reply<O::Stream>,
    ) -> Result<Reply<O::Stream>, Failure> {
        let is_rewritten = reply::is_rewritten(method, kind);
        if !is_rewritten && !headers::is_decoded(&reply.headers) {
            return Ok(self.passed_on(reply));
        }
        let Reply {
            status,
            headers,
            body,
        } = reply;
        let wanted = if is_rewritten {
            Wanted::Value
        } else {
            Wanted::Words
        };
        let reading = Reading {
            kind,
            list: None,
            wanted,
        };
        let mut held = match self.held(&headers, body, reading).await {
            Ok(held) => held,
            // What cannot be read can be passed on, if it need not be cut.
            Err(NotText::Bytes(bytes, _)) if !is_rewritten => {
                return Ok(read_through(status, &headers, bytes));
            }
            Err(other) => return Err(other.into()),
        };
        self.check_for_error(method, &mut held, &headers, status)?;
        if !is_rewritten || held.text.trim().is_empty() {
            return Ok(read_through(status, &headers, held.into_bytes()));
        }
        let cut = reply::cut(&held.text, method.response_path.as_ref())?.to_owned();
        Ok(rewritten(status, &headers, cut))
    }

    /// The answer unread. To a caller who did not ask for the head alone, the length of a body that is not there
    /// would be a promise.
    fn passed_on(&self, reply: Reply<O::Stream>) -> Reply<O::Stream> {
        let is_head = matches!(self.plan, Plan::Method { method, .. } if method.method.0 == http::Method::HEAD);
        if is_head || matches!(reply.status.as_u16(), 204 | 205 | 304) {
            return Reply {
                status: reply.status,
                headers: headers::of_empty_answer(&reply.headers),
                body: Body::Empty,
            };
        }
        Reply {
            headers: headers::of_answer(&reply.headers),
            ..reply
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
        let reading = Reading {
            kind: reply::kind(&headers, method.api_response_format),
            list: None,
            wanted: Wanted::Words,
        };
        let is_unreadable = |failure: &Failure| {
            matches!(failure.code, Code::AnswerTooLarge | Code::UnexpectedAnswer)
        };
        let mut held = match self.held(&headers, body, reading).await {
            Ok(held) => held,
            Err(NotText::Bytes(..)) => self.nothing(),
            Err(NotText::Failed(failure)) if is_unreadable(&failure) => self.nothing(),
            Err(NotText::Failed(failure)) => return Err(failure),
        };
        let found = self
            .find_error(method, &mut held, &headers, status)
            .unwrap_or_default();
        Ok(self.remote(status, &headers, held.take_words(), found))
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
        let text = held.take_words();
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
        let mut kept = headers::of_rewritten_answer(headers);
        self.drop_echoes(&mut kept);
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
                headers: kept,
            })),
            ..Failure::new(code, message)
        }
    }

    /// Redirects and the way to the next page were found by then: only the caller does without.
    fn drop_echoes(&self, headers: &mut HeaderMap) {
        if let Some(secret) = self.sent_in_url.borrow().as_deref() {
            headers::drop_echoes(headers, secret);
        }
    }

    pub(super) fn log(&self, event: &str, reason: &str) {
        let account = &self.loaded.account;
        self.object.outside.log(&serde_json::json!({
            "level": "error", "event": event, "integration": self.effective.integration.name, "integrated_account_id": account.id, "reason": reason,
        }));
    }
}

/// What a provider's answer comes to.
pub(super) enum Outcome<S> {
    /// An answer as it goes to the caller.
    Reply(Reply<S>),
    /// A page of a list.
    List(Listed),
}

/// A page of a list.
pub(super) struct Listed {
    /// Those of the provider's answer.
    pub(super) headers: HeaderMap,
    /// The envelope; of a walk the records alone, as lines.
    pub(super) text: String,
    /// What it takes in memory.
    pub(super) room: Room,
    /// The page behind it.
    pub(super) next: Option<Position>,
}

impl<S> Outcome<S> {
    fn headers(&mut self) -> &mut HeaderMap {
        match self {
            Self::Reply(reply) => &mut reply.headers,
            Self::List(list) => &mut list.headers,
        }
    }

    pub(super) fn into_reply(self) -> Reply<S> {
        match self {
            Self::Reply(reply) => reply,
            Self::List(mut list) => {
                // The cursor stands for it; it would lead around us.
                list.headers.remove(LINK);
                rewritten(StatusCode::OK, &list.headers, list.text)
            }
        }
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
fn read_through<S>(status: StatusCode, headers: &HeaderMap, bytes: Bytes) -> Reply<S> {
    Reply {
        status,
        headers: headers::of_read_answer(headers),
        body: Body::from_bytes(bytes),
    }
}
