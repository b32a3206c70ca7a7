//! What a provider refuses: by its status, or in an answer that looks well.

use std::rc::Rc;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::config::resource::Method;
use crate::error::{Code, Failure, Remote};
use crate::flows::config::redaction::Redactor;
use crate::flows::proxy_call::Work;
use crate::flows::proxy_call::held::{Held, NotText, Reading, Wanted};
use crate::ports::{Outside, Reply, Storage};
use crate::proxy::headers;
use crate::proxy::reply::{self, FoundError, Kind};
use crate::settings::RATE_LIMIT_WAIT;
use crate::time::retry_after;

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// The failure for an answer of 400 and above.
    pub(in crate::flows) async fn refusal(
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
            .find_in(method, &mut held, &headers, status)
            .unwrap_or_default();
        Ok(self.remote(status, &headers, held.take_words(), found))
    }

    pub(in crate::flows) fn check_for_error(
        &self,
        method: &Method,
        held: &mut Held,
        headers: &HeaderMap,
        status: StatusCode,
    ) -> Result<(), Failure> {
        let Some(found) = self.find_in(method, held, headers, status)? else {
            return Ok(());
        };
        let text = held.take_words();
        Err(self.found(headers, text, found))
    }

    /// An error that was found in status and header fields alone, with the words of its text.
    pub(in crate::flows) async fn found_in_head(
        &self,
        kind: Kind,
        reply: Reply<O::Stream>,
        found: FoundError,
    ) -> Failure {
        let reading = Reading {
            kind,
            list: None,
            wanted: Wanted::Words,
        };
        let words = match kind {
            Kind::Binary => None,
            _ => self.held(&reply.headers, reply.body, reading).await.ok(),
        };
        let words = words.map(|mut held| held.take_words());
        self.found(&reply.headers, words.unwrap_or_default(), found)
    }

    /// The failure for an error that was found in an answer that looks well.
    fn found(&self, headers: &HeaderMap, text: String, found: FoundError) -> Failure {
        let own = found
            .status
            .and_then(|status| StatusCode::from_u16(status).ok());
        let mut failure = self.remote(
            own.unwrap_or(StatusCode::BAD_GATEWAY),
            headers,
            text,
            Some(found),
        );
        if own.is_none() {
            failure.code = Code::ErrorInBody;
        }
        failure
    }

    fn find_in(
        &self,
        method: &Method,
        held: &mut Held,
        headers: &HeaderMap,
        status: StatusCode,
    ) -> Result<Option<FoundError>, Failure> {
        if self.config().error_expression_of(method).is_none() {
            return Ok(None);
        }
        let body = held.seen()?;
        self.find_error(method, Some(&body), headers, status)
    }

    /// What the file's `error_expression` finds in an answer; of one that streams it sees no body.
    pub(in crate::flows) fn find_error(
        &self,
        method: &Method,
        body: Option<&Value>,
        headers: &HeaderMap,
        status: StatusCode,
    ) -> Result<Option<FoundError>, Failure> {
        let Some(expression) = self.config().error_expression_of(method) else {
            return Ok(None);
        };
        let found = reply::find_error(expression, body, headers, status.as_u16(), &self.moment);
        found.map_err(|error| {
            self.log("error_expression_failed", &error.to_string());
            Failure::from(error)
        })
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
        self.redactor().failure(Failure {
            retry_after: asked.or((status == 429).then_some(RATE_LIMIT_WAIT.as_secs())),
            remote: Some(Box::new(Remote {
                status,
                raw_response: text,
                headers: kept,
                speaker: self.speaker.get(),
            })),
            ..Failure::new(code, message)
        })
    }

    /// What finds the secrets that went into the request, and the others of the account and its install.
    pub(in crate::flows) fn redactor(&self) -> Rc<Redactor> {
        self.object
            .redactor(&self.resolved.compiled, self.present.context())
    }

    /// Redirects and the way to the next page were found by then: only the caller does without.
    pub(in crate::flows) fn drop_echoes(&self, headers: &mut HeaderMap) {
        if let Some(secret) = self.sent_in_url.borrow().as_deref() {
            headers::drop_echoes(headers, secret);
        }
    }

    /// An expression's own words (`$error`) may be the provider's.
    pub(in crate::flows) fn log(&self, event: &str, reason: &str) {
        let reason = self.redactor().text(reason);
        let account = &self.loaded().account;
        self.object.outside.log(&serde_json::json!({
            "level": "error", "event": event, "integration": self.resolved.integration.name, "integrated_account_id": account.id, "reason": reason,
        }));
    }
}
