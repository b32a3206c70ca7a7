//! What a provider's answer says of its limits: whether it means "too many requests", how long to wait, what is
//! left. And how fast an account may go ([`Pace`]). Waiting is the flow's.

mod headers;
mod pace;
mod quota;
mod wait;

use std::cell::OnceCell;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::config::RateLimit;
use crate::config::rate_limit::{HeaderOrExpression, RateLimitCondition, RetryOn};
use crate::expression::{Expression, ExpressionError, ExpressionScope, Moment};
use crate::header_text;
use crate::settings::RATE_LIMIT_WAIT;
use crate::time::Timestamp;

pub use headers::{is_quota_field, limit_fields, write};
pub use pace::{AppliedLimit, Pace, TooLate};
pub use quota::Quota;
pub use wait::seconds;

/// The roots that are the parsed body.
const BODY: &[&str] = &["response", "body", "data"];

/// A provider's answer, as far as it is known.
#[derive(Debug)]
pub struct RateLimitAnswer<'a> {
    pub status: StatusCode,
    /// Its header fields.
    pub headers: &'a HeaderMap,
    /// Its body; null for expressions where it goes on unread.
    pub body: Option<&'a Value>,
}

/// What an answer says of the provider's limits.
#[derive(Debug, Default)]
pub struct Limits {
    /// Whether it means "too many requests".
    pub is_limited: bool,
    /// Whether it may pass, as the file says; it is no rate limit then.
    pub may_pass: bool,
    /// How long it asks to wait.
    pub wait: Option<Duration>,
    /// What is left.
    pub quota: Quota,
    /// Expressions that failed, by their key; the answer was read without them.
    pub faults: Vec<(&'static str, ExpressionError)>,
}

impl Limits {
    /// The wait for callers; who is limited is always given one.
    pub fn retry_after(&self) -> Option<Duration> {
        self.wait
            .or_else(|| self.is_limited.then_some(RATE_LIMIT_WAIT))
    }

    /// How long the provider wants no further request of this account, as far as it says so.
    pub fn pause(&self) -> Option<Duration> {
        if self.is_limited {
            return self.wait;
        }
        self.quota.reset.filter(|_| self.quota.is_used_up())
    }
}

/// Whether the file's expressions need the body of an answer with this status.
pub fn needs_body(file: Option<&RateLimit>, status: StatusCode) -> bool {
    let Some(file) = file else { return false };
    let reads = |value: &Option<HeaderOrExpression>| match value {
        Some(HeaderOrExpression::Expression(expression)) => expression.may_see(BODY),
        Some(HeaderOrExpression::Header(_)) | None => false,
    };
    let decides = match &file.is_rate_limited {
        RateLimitCondition::Default => Some(status == StatusCode::TOO_MANY_REQUESTS),
        RateLimitCondition::Expression(expression) if expression.may_see(BODY) => {
            foretold(expression, status)
        }
        RateLimitCondition::Expression(expression) => {
            Some(foretold(expression, status).unwrap_or(true))
        }
    };
    let may_pass = match &file.retry_on {
        Some(RetryOn::Expression(expression)) if expression.may_see(BODY) => {
            foretold(expression, status).is_none()
        }
        _ => false,
    };
    // A wait is asked for only where it is limited.
    may_pass
        || decides.is_none()
        || reads(&file.rate_limit_header_expression)
        || (decides == Some(true) && reads(&file.retry_after_header_expression))
}

/// Reads an answer. What the file does not say is read from the standard header fields.
pub fn read(
    file: Option<&RateLimit>,
    answer: &RateLimitAnswer,
    now: Timestamp,
    moment: &Moment,
) -> Limits {
    let mut reader = LimitReader {
        answer,
        moment,
        headers: OnceCell::new(),
        faults: Vec::new(),
    };
    let is_limited = reader.is_limited(file);
    let may_pass = !is_limited && reader.may_pass(file);
    let quota = reader.quota(file, now);
    let asked = match file.and_then(|file| file.retry_after_header_expression.as_ref()) {
        Some(source) if is_limited => reader
            .value("retry_after_header_expression", source)
            .and_then(|value| wait::read(&value, now)),
        _ => None,
    };
    let standard = || wait::of_header(answer.headers, now);
    let reset = || quota.reset.filter(|_| is_limited && quota.is_used_up());
    let wait = asked.or_else(standard).or_else(reset);
    Limits {
        is_limited,
        may_pass,
        wait,
        quota,
        faults: reader.faults,
    }
}

fn foretold(expression: &Expression, status: StatusCode) -> Option<bool> {
    let status = status.as_u16();
    expression.foretell(&[("status", status), ("status_code", status)])
}

/// Evaluates over one answer; its header fields become JSON when the first expression needs them.
struct LimitReader<'a> {
    answer: &'a RateLimitAnswer<'a>,
    moment: &'a Moment,
    headers: OnceCell<Value>,
    faults: Vec<(&'static str, ExpressionError)>,
}

impl LimitReader<'_> {
    fn is_limited(&mut self, file: Option<&RateLimit>) -> bool {
        let by_status = self.answer.status == StatusCode::TOO_MANY_REQUESTS;
        let Some(RateLimitCondition::Expression(expression)) =
            file.map(|file| &file.is_rate_limited)
        else {
            return by_status;
        };
        if let Some(known) = foretold(expression, self.answer.status) {
            return known;
        }
        let outcome = expression.is_true(&self.scope(), self.moment);
        outcome.unwrap_or_else(|error| {
            self.faults.push(("is_rate_limited", error));
            by_status
        })
    }

    fn may_pass(&mut self, file: Option<&RateLimit>) -> bool {
        let status = self.answer.status;
        match file.and_then(|file| file.retry_on.as_ref()) {
            None => false,
            Some(RetryOn::Statuses(statuses)) => statuses.contains(&status.as_u16()),
            Some(RetryOn::Expression(_)) if status == StatusCode::UNAUTHORIZED => false,
            Some(RetryOn::Expression(expression)) => {
                let foretold = foretold(expression, status).map(Ok);
                let outcome =
                    foretold.unwrap_or_else(|| expression.is_true(&self.scope(), self.moment));
                outcome.unwrap_or_else(|error| {
                    self.faults.push(("retry_on", error));
                    false
                })
            }
        }
    }

    fn quota(&mut self, file: Option<&RateLimit>, now: Timestamp) -> Quota {
        let source = file.and_then(|file| file.rate_limit_header_expression.as_ref());
        let said = source.and_then(|source| self.value("rate_limit_header_expression", source));
        let said = said.map(|value| Quota::of_value(&value, now));
        let usual = Quota::of_headers(self.answer.headers, now);
        match said.filter(|quota| !quota.is_empty()) {
            Some(said) => said.or(&usual),
            None => usual,
        }
    }

    fn value(&mut self, key: &'static str, source: &HeaderOrExpression) -> Option<Value> {
        match source {
            HeaderOrExpression::Header(name) => {
                let value = self.answer.headers.get(name.as_str())?;
                Some(Value::String(header_text::text(value).into_owned()))
            }
            HeaderOrExpression::Expression(expression) => expression
                .evaluate(&self.scope(), self.moment)
                .unwrap_or_else(|error| {
                    self.faults.push((key, error));
                    None
                }),
        }
    }

    fn scope(&self) -> ExpressionScope<'_> {
        let headers = self
            .headers
            .get_or_init(|| header_text::object_of(self.answer.headers));
        let body = self.answer.body.unwrap_or(&Value::Null);
        ExpressionScope::response(body, headers, self.answer.status.as_u16())
    }
}

#[cfg(test)]
mod tests;
