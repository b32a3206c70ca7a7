//! Turns a provider's answer into the caller's response: passed on, cut, wrapped, or a failure.

pub(in crate::flows) mod credential;
pub(in crate::flows) mod custom_refusal;
pub(in crate::flows) mod list;
pub(in crate::flows) mod looked;
pub(in crate::flows) mod refusal;
pub(in crate::flows) mod value;
pub(in crate::flows) mod written;

use std::rc::Rc;

use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::flows::call::respond::written::message_reading_of;

use crate::error::{AnsweredBy, Code, Failure};
use crate::flows::call::account::CallAccount;
use crate::flows::call::buffered_body::{BodyNeed, BufferedBody, Reading, TextError};
use crate::flows::call::build::Prepared;
use crate::flows::call::current::Current;
use crate::flows::call::engine::Head;
use crate::flows::call::engine::protocol::{Answer, Streamed};
use crate::flows::call::engine_response::EngineResponse;
use crate::flows::call::subject::{Errand, Plan};
use crate::flows::call::trace::Trace;
use crate::flows::config::redaction::Redactor;
use crate::ports::{Body, Reply, System};
use crate::proxy::headers;
use crate::proxy::reply::{self, FoundError, MediaKind};

/// The facts of the exchange with the provider that a response depends on.
#[derive(Default)]
pub(in crate::flows) struct Exchange {
    /// The source of the last answer.
    pub(in crate::flows) answered_by: AnsweredBy,
    /// The credentials that were sent in the URL. The response must not repeat them.
    pub(in crate::flows) sent_in_url: Vec<String>,
}

/// Turns answers into the caller's response.
pub(in crate::flows) struct Responder<'e, 'a, A> {
    account: &'e A,
    prepared: &'e Prepared<'a>,
    current: &'e Current<'a>,
    exchange: &'e Exchange,
    trace: &'e Trace,
}

/// The result of looking at the head of an answer.
pub(in crate::flows) enum Look<'a> {
    Done(Box<Result<EngineResponse<Streamed>, Failure>>),
    /// The body has to be read first.
    Read(AnswerKind, Reading<'a>, Answer),
    /// The same for a small body.
    ReadSmall(Answer),
}

/// The kind of an answer whose body was read.
pub(in crate::flows) enum AnswerKind {
    /// A status of 400 or above.
    Refusal,
    /// The file finds an error by status and header fields alone.
    ErrorInHead(FoundError),
    /// The page of `/custom` after a redirect that answered a write.
    PageBehindWrite,
    List,
    /// An answer that the file reads, and whether it is also cut.
    Read {
        is_rewritten: bool,
    },
    /// The answer to an action's step.
    Value,
}

type Responded = Result<EngineResponse<Streamed>, Failure>;

impl<'e, 'a, A: CallAccount> Responder<'e, 'a, A> {
    pub(in crate::flows) fn new(
        account: &'e A,
        prepared: &'e Prepared<'a>,
        current: &'e Current<'a>,
        exchange: &'e Exchange,
        trace: &'e Trace,
    ) -> Self {
        Self {
            account,
            prepared,
            current,
            exchange,
            trace,
        }
    }

    /// The response, or what has to be read before it.
    pub(in crate::flows) fn look(&self, answer: Answer) -> Look<'a> {
        let subject = self.prepared.subject();
        let (method, is_list) = match subject.plan {
            Plan::Custom { .. } => return self.look_at_custom(answer),
            Plan::Method { method, .. } if subject.errand != Errand::Call => {
                return self.look_at_value(method, answer);
            }
            Plan::Method { method, is_list } => (method, is_list),
        };
        let kind = reply::kind(&answer.headers, method.api_response_format);
        let answer = match self.prepared.page() {
            Some(page) => page.as_empty(answer),
            None => answer,
        };
        let (status, is_success) = (answer.status, answer.status.is_success());
        if status.as_u16() >= 400 {
            return Look::Read(AnswerKind::Refusal, message_reading(kind), answer);
        }
        if is_list && status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            return Look::fail(crate::flows::call::respond::list::not_a_list(status));
        }
        if is_list && is_success {
            let reading = Reading {
                kind: reply::kind(&answer.headers, method.api_response_format),
                list: method.response_path.as_ref(),
                wanted: BodyNeed::Value,
            };
            return Look::Read(AnswerKind::List, reading, answer);
        }
        if !is_success {
            return Look::reply(self.passed_on(answer));
        }
        let has_error = subject.error_expression().is_some();
        match reply::look(method, has_error, kind) {
            reply::BodyHandling::Inside => self.look_inside(method, kind, answer),
            reply::BodyHandling::Unread if has_error => self.look_at_head(kind, answer),
            reply::BodyHandling::Unread => Look::reply(self.passed_on(answer)),
        }
    }

    /// The response, once the body was read.
    pub(in crate::flows) fn finish(
        &self,
        what: AnswerKind,
        head: Head,
        buffered: Result<BufferedBody, TextError>,
    ) -> Responded {
        match (what, self.prepared.subject().plan) {
            (AnswerKind::PageBehindWrite, _) => Err(self.of_page(head.status, buffered)),
            (AnswerKind::ErrorInHead(found), _) => {
                let message = buffered.ok().map(|mut body| body.take_text());
                Err(self.found(&head.headers, message.unwrap_or_default(), found))
            }
            (AnswerKind::Refusal, Plan::Method { .. }) => Err(self.refusal(&head, buffered)?),
            (AnswerKind::List, Plan::Method { method, .. }) => self.list(method, head, buffered),
            (AnswerKind::Read { is_rewritten }, Plan::Method { method, .. }) => {
                self.looked_into(method, is_rewritten, head, buffered)
            }
            (AnswerKind::Value, Plan::Method { method, .. }) => self.value(method, &head, buffered),
            (_, Plan::Custom { .. }) => Err(Failure::new(Code::Internal, "Nothing is read of it.")),
        }
    }

    fn look_at_custom(&self, answer: Answer) -> Look<'a> {
        let is_refusal = answer.status.as_u16() >= 400;
        if is_refusal && self.trace.done().is_some() {
            let reading = message_reading_of(&answer.headers);
            return Look::Read(AnswerKind::PageBehindWrite, reading, answer);
        }
        let reply = self.passed_on(answer);
        if is_refusal {
            return crate::flows::call::respond::custom_refusal::look(reply);
        }
        Look::reply(reply)
    }

    /// The unread answer. An answer without a body loses its `Content-Length`, since a caller who did not send HEAD
    /// would expect that body.
    fn passed_on(&self, answer: Answer) -> Answer {
        let is_head = matches!(self.prepared.subject().plan, Plan::Method { method, .. } if method.method.0 == http::Method::HEAD);
        if is_head || matches!(answer.status.as_u16(), 204 | 205 | 304) {
            return Answer {
                status: answer.status,
                headers: headers::of_empty_answer(&answer.headers),
                body: Body::Empty,
            };
        }
        Answer {
            headers: headers::of_answer(&answer.headers),
            ..answer
        }
    }

    /// A redactor for the secrets of the request, the account and its install.
    fn redactor(&self) -> Rc<Redactor> {
        let compiled = &self.prepared.subject().resolved.compiled;
        self.account.redactor(compiled, self.current.context())
    }

    /// Removes the credential of the URL from the caller's header fields; from a refusal it removes all secrets.
    pub(in crate::flows) fn clean(&self, headers: &mut HeaderMap, status: StatusCode) {
        self.drop_echoes(headers);
        if status.as_u16() >= 400 {
            self.redactor().headers(headers);
        }
    }

    /// Redirects and the next page were read before, so only the caller loses these fields.
    fn drop_echoes(&self, headers: &mut HeaderMap) {
        for secret in &self.exchange.sent_in_url {
            headers::drop_echoes(headers, secret);
        }
    }

    /// Logs a reason without secrets: the message of `$error` may repeat the provider's text.
    pub(in crate::flows) fn log(&self, event: &str, reason: &str) {
        let reason = self.redactor().text(reason);
        let integration = &self.prepared.subject().resolved.integration.name;
        let id = self.current.loaded().account.id;
        self.account.system().log(&json!({
            "level": "error", "event": event, "integration": integration, "integrated_account_id": id, "reason": reason,
        }));
    }
}

impl Look<'_> {
    fn reply(reply: Reply<Streamed>) -> Self {
        Self::Done(Box::new(Ok(EngineResponse::Single(reply))))
    }

    fn fail(failure: Failure) -> Self {
        Self::Done(Box::new(Err(failure)))
    }
}

/// How to read the message of an answer for an error.
fn message_reading<'a>(kind: MediaKind) -> Reading<'a> {
    Reading {
        kind,
        list: None,
        wanted: BodyNeed::Text,
    }
}
