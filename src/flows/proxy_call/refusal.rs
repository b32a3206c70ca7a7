//! What a provider refuses: by its status, or in an answer that looks well.

use std::rc::Rc;

use http::{HeaderMap, StatusCode};

use super::held::{Held, NotText, Reading, Wanted};
use super::outcome::Outcome;
use super::{Plan, Work};
use crate::config::resource::Method;
use crate::error::{Code, Failure, Remote};
use crate::flows::redaction::Redactor;
use crate::ports::{Outside, Reply, Storage};
use crate::proxy::headers;
use crate::proxy::reply::{self, FoundError};
use crate::settings::RATE_LIMIT_WAIT;
use crate::time::retry_after;

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// The answer to a call whose credential was refused, and cannot be renewed. Only a method of the file is known well
    /// enough for its refusal to switch the account off, and only where the credential is at home; on `/custom` any path may
    /// be asked for.
    pub(super) async fn judged(
        &self,
        reply: Reply<O::Stream>,
    ) -> Result<Outcome<O::Stream>, Failure> {
        let is_off = match self.plan {
            Plan::Method { .. } if self.is_at_home() => {
                self.object
                    .confirm_refusal(self.loaded, self.deadline)
                    .await?
            }
            Plan::Method { .. } | Plan::Custom { .. } => false,
        };
        if is_off {
            self.refused(reply).await
        } else {
            self.answer(reply).await
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
    pub(super) fn redactor(&self) -> Rc<Redactor> {
        self.object.redactor(&self.effective.compiled, self.context)
    }

    /// Redirects and the way to the next page were found by then: only the caller does without.
    pub(super) fn drop_echoes(&self, headers: &mut HeaderMap) {
        if let Some(secret) = self.sent_in_url.borrow().as_deref() {
            headers::drop_echoes(headers, secret);
        }
    }

    /// An expression's own words (`$error`) may be the provider's.
    pub(super) fn log(&self, event: &str, reason: &str) {
        let reason = self.redactor().text(reason);
        let account = &self.loaded.account;
        self.object.outside.log(&serde_json::json!({
            "level": "error", "event": event, "integration": self.effective.integration.name, "integrated_account_id": account.id, "reason": reason,
        }));
    }
}
