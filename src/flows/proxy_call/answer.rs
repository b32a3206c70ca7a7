//! What the caller gets of a provider's answer.

use http::StatusCode;

use crate::config::ErrorExpression;
use crate::config::resource::Method;
use crate::error::{Code, Failure};
use crate::flows::proxy_call::call::Pages;
use crate::flows::proxy_call::held::{NotText, Reading, Wanted};
use crate::flows::proxy_call::outcome::{Listed, Outcome, read_through, rewritten};
use crate::flows::proxy_call::{Plan, Work};
use crate::json;
use crate::media::coding;
use crate::pagination::{Answer, Standing};
use crate::ports::{Body, Outside, Reply, Storage};
use crate::proxy::headers;
use crate::proxy::reply::{self, Kind, Look};

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// Passes the answer on, cut and wrapped as the file says.
    pub(in crate::flows) async fn answer(
        &self,
        reply: Reply<O::Stream>,
    ) -> Result<Outcome<O::Stream>, Failure> {
        let is_refusal = reply.status.as_u16() >= 400;
        let mut outcome = self.outcome(reply).await?;
        self.drop_echoes(outcome.headers());
        if is_refusal {
            self.redactor().headers(outcome.headers());
        }
        Ok(outcome)
    }

    async fn outcome(&self, reply: Reply<O::Stream>) -> Result<Outcome<O::Stream>, Failure> {
        let Plan::Method { method, is_list } = self.plan else {
            let is_refusal = reply.status.as_u16() >= 400;
            if is_refusal && self.trace.done().is_some() {
                return Err(self.of_page(reply).await);
            }
            let reply = self.passed_on(reply);
            return Ok(Outcome::Reply(if is_refusal {
                self.without_secrets(reply).await
            } else {
                reply
            }));
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
        if !reply.status.is_success() {
            return Ok(Outcome::Reply(self.passed_on(reply)));
        }
        let has_error = self.config().error_expression_of(method).is_some();
        let reply = match reply::look(method, has_error, kind) {
            Look::Inside => self.looked_into(method, kind, reply).await?,
            Look::Unread if has_error => self.looked_at(method, kind, reply).await?,
            Look::Unread => self.passed_on(reply),
        };
        Ok(Outcome::Reply(reply))
    }

    /// What streams on once its status and header fields were looked at: for expressions it has no body. One that reads
    /// neither of them has nothing to look at.
    async fn looked_at(
        &self,
        method: &Method,
        kind: Kind,
        reply: Reply<O::Stream>,
    ) -> Result<Reply<O::Stream>, Failure> {
        let expression = self.config().error_expression_of(method);
        if !expression.is_some_and(ErrorExpression::may_see_head) {
            return Ok(self.passed_on(reply));
        }
        match self.find_error(method, None, &reply.headers, reply.status)? {
            Some(found) => Err(self.found_in_head(kind, reply, found).await),
            None => Ok(self.passed_on(reply)),
        }
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
        });
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
        if !is_rewritten && coding::of_answer(&reply.headers).is_err() {
            return self.looked_at(method, kind, reply).await;
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
            Err(NotText::Bytes(bytes, error)) => {
                let words = || String::from_utf8_lossy(&bytes).into_owned();
                return Err(self.unusable(error.into(), words));
            }
            Err(NotText::Failed(failure)) => return Err(failure),
        };
        self.check_for_error(method, &mut held, &headers, status)
            .map_err(|failure| self.unusable(failure, || held.take_words()))?;
        if !is_rewritten || held.text.trim().is_empty() {
            return Ok(read_through(status, &headers, held.into_bytes()));
        }
        let cut = match reply::cut(&held.text, method.response_path.as_ref()) {
            Ok(cut) => cut.to_owned(),
            Err(error) => return Err(self.unusable(error.into(), || held.take_words())),
        };
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
}
