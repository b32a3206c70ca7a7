//! Refusals by the provider: by status, or in an answer with a success status.

use http::header::CONTENT_RANGE;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::error::{Code, Failure, Remote};
use crate::files::message_in;
use crate::flows::call::account::CallAccount;
use crate::flows::call::buffered_body::{BufferedBody, TextError};
use crate::flows::call::engine::Head;
use crate::flows::call::respond::Responder;
use crate::ports::System;
use crate::proxy::headers;
use crate::proxy::reply::{self, FoundError};
use crate::rate_limit::{Limits, seconds};
use crate::settings::RATE_LIMIT_WAIT;
use crate::time::retry_after;

impl<A: CallAccount> Responder<'_, '_, A> {
    /// The failure for a status of 400 or above.
    pub(in crate::flows) fn refusal(
        &self,
        head: &Head,
        buffered: Result<BufferedBody, TextError>,
    ) -> Result<Failure, Failure> {
        let is_unreadable = |failure: &Failure| {
            matches!(failure.code, Code::AnswerTooLarge | Code::UnexpectedAnswer)
        };
        let nothing = || BufferedBody::empty(self.account.room());
        let mut body = match buffered {
            Ok(body) => body,
            Err(TextError::Bytes(..)) => nothing(),
            Err(TextError::Failed(failure)) if is_unreadable(&failure) => nothing(),
            Err(TextError::Failed(failure)) => return Err(failure),
        };
        let Head { status, headers } = head;
        if self.prepared.subject().operation().is_some() {
            return Ok(self.refused_file(*status, headers, body.take_text()));
        }
        let found = self
            .find_in(&mut body, headers, *status)
            .unwrap_or_default();
        Ok(self.remote(*status, headers, body.take_text(), found))
    }

    /// The failure for what a server of files refuses, in its words.
    fn refused_file(&self, status: StatusCode, headers: &HeaderMap, text: String) -> Failure {
        let found = message_in(&text).map(|message| FoundError {
            status: None,
            message: Some(message),
        });
        let mut failure = self.remote(status, headers, text, found);
        // RFC 9110 §15.5.17: the length of the file.
        if let (Some(remote), Some(whole)) = (&mut failure.remote, headers.get(CONTENT_RANGE)) {
            remote.headers.insert(CONTENT_RANGE, whole.clone());
        }
        failure
    }

    /// The failure for an answer that means "too many requests", with any status.
    pub(in crate::flows) fn rate_limited(
        &self,
        head: &Head,
        buffered: Result<BufferedBody, TextError>,
        limits: &Limits,
    ) -> Result<Failure, Failure> {
        let mut failure = self.refusal(head, buffered)?;
        failure.code = Code::RateLimited;
        failure.retry_after = limits.retry_after().map(seconds);
        if let Some(remote) = &mut failure.remote {
            remote.status = StatusCode::TOO_MANY_REQUESTS.as_u16();
        }
        Ok(failure)
    }

    pub(in crate::flows) fn check_for_error(
        &self,
        body: &mut BufferedBody,
        headers: &HeaderMap,
        status: StatusCode,
    ) -> Result<(), Failure> {
        let Some(found) = self.find_in(body, headers, status)? else {
            return Ok(());
        };
        let text = body.take_text();
        Err(self.found(headers, text, found))
    }

    /// The failure for an error that the file finds in an answer with a success status.
    pub(in crate::flows) fn found(
        &self,
        headers: &HeaderMap,
        text: String,
        found: FoundError,
    ) -> Failure {
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
        body: &mut BufferedBody,
        headers: &HeaderMap,
        status: StatusCode,
    ) -> Result<Option<FoundError>, Failure> {
        if self.prepared.subject().error_expression().is_none() {
            return Ok(None);
        }
        let body = body.seen()?;
        self.find_error(Some(&body), headers, status)
    }

    /// The error that the file's `error_expression` finds in an answer. It does not see a streamed body.
    pub(in crate::flows) fn find_error(
        &self,
        body: Option<&Value>,
        headers: &HeaderMap,
        status: StatusCode,
    ) -> Result<Option<FoundError>, Failure> {
        let Some(expression) = self.prepared.subject().error_expression() else {
            return Ok(None);
        };
        let (status, moment) = (status.as_u16(), self.prepared.moment());
        let found = reply::find_error(expression, body, headers, status, moment);
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
        let mut kept = headers::of_rewritten_answer(headers);
        self.drop_echoes(&mut kept);
        let said = found.and_then(|found| found.message);
        let message = said.unwrap_or_else(|| {
            format!("The provider answered {status}; raw_response has its words.")
        });
        let now = self.account.system().now();
        let asked = retry_after(headers, now).map(|wait| wait.as_secs());
        self.redactor().failure(Failure {
            retry_after: asked.or((status == 429).then_some(RATE_LIMIT_WAIT.as_secs())),
            remote: Some(Box::new(Remote {
                status,
                raw_response: text,
                headers: kept,
                answered_by: self.exchange.answered_by,
            })),
            ..Failure::new(code_of(status), message)
        })
    }
}

/// The code for a refusal with this status.
pub(in crate::flows) fn code_of(status: u16) -> Code {
    match status {
        429 => Code::RateLimited,
        400..500 => Code::Rejected,
        _ => Code::Failed,
    }
}
