//! A call of a method that an agent or a batch makes: it goes the way of a proxied call, log line included, and its
//! answer is read.

use std::rc::Rc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method as HttpMethod};

use crate::config::Config;
use crate::config::files::FileOperation;
use crate::config::resource::Method;
use crate::error::{Code, Failure};
use crate::flows::base::body;
use crate::flows::base::memory::Room;
use crate::flows::base::moment::moment;
use crate::flows::call::Call;
use crate::flows::call::account::{LiveAccount, StreamOf};
use crate::json::{Exact, exact};
use crate::media::percent_encoded;
use crate::ports::{Body, Budget, Pages, Reply};
use crate::proxy::Target;
use crate::proxy::body::Writing;
use crate::time::Timestamp;

/// What a call is made of.
pub(super) struct AgentCall {
    pub(super) resource: String,
    pub(super) method: String,
    pub(super) id: Option<String>,
    /// The raw query.
    pub(super) query: String,
    pub(super) body: Option<Exact>,
}

impl AgentCall {
    /// Adds a parameter to the query.
    pub(super) fn add_parameter(&mut self, name: &str, value: &str) {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        let pair = format!("{name}={}", percent_encoded(value.as_bytes()));
        self.query.push_str(&pair);
    }

    /// The call of this method, as a caller would send it.
    pub(super) fn into_call<A: LiveAccount>(
        self,
        account: &A,
        (config, method): (&Config, &Method),
        (budget, pages): (Budget, Pages),
        token: Option<String>,
    ) -> Result<Call<StreamOf<A>>, Failure> {
        let mut headers = HeaderMap::new();
        let body = match &self.body {
            None => Bytes::new(),
            Some(body) => written(account, (config, method), body, &mut headers)?,
        };
        Ok(Call {
            method: http_method(&self.method, method, &body),
            target: Target::Method {
                resource: self.resource,
                method: self.method,
                id: self.id,
            },
            query: self.query,
            headers,
            body: Body::from_bytes(body),
            timeout: budget.timeout,
            max_retries: budget.max_retries,
            pages,
            token,
            confirmed: None,
            trace: Rc::default(),
        })
    }
}

/// The HTTP method by which a caller names the method.
fn http_method(name: &str, method: &Method, body: &Bytes) -> HttpMethod {
    match name {
        "list" if !body.is_empty() => HttpMethod::POST,
        "list" | "get" => HttpMethod::GET,
        "update" if method.operation == Some(FileOperation::Write) => HttpMethod::PUT,
        "update" => HttpMethod::PATCH,
        "delete" => HttpMethod::DELETE,
        _ => HttpMethod::POST,
    }
}

/// The body as the provider takes it. A template reads JSON.
fn written(
    account: &impl LiveAccount,
    (config, method): (&Config, &Method),
    body: &Exact,
    headers: &mut HeaderMap,
) -> Result<Bytes, Failure> {
    if method.operation == Some(FileOperation::Write) {
        return Ok(exact::text(body.inside()).into_owned().into());
    }
    if method.body.is_some() || method.operation.is_some() {
        let json = HeaderValue::from_static("application/json");
        headers.insert(CONTENT_TYPE, json);
        return Ok(body.to_string().into());
    }
    let writing = Writing::of(config, method, &moment(account.system()));
    let bytes = writing.write(body);
    let bytes = bytes.map_err(|error| Failure::invalid("body", error.to_string()))?;
    writing.describe(headers);
    Ok(bytes.into())
}

/// The bytes of an answer of at most `most` bytes.
pub(super) async fn read_answer<A: LiveAccount>(
    account: &A,
    reply: Reply<StreamOf<A>>,
    room: &Room,
    (most, deadline): (usize, Timestamp),
) -> Result<Bytes, Failure> {
    let read = body::read_until(account.system(), reply.body, most, room, Some(deadline));
    read.await.map_err(|failure| match failure.code {
        Code::BodyTooLarge => Failure::new(
            Code::AnswerTooLarge,
            format!("The provider's answer has more than {most} bytes."),
        ),
        Code::BodyTimeout => Failure::new(Code::Timeout, "The provider's answer came too slowly."),
        Code::Malformed => Failure::new(Code::Unreachable, "The provider's answer broke off."),
        _ => failure,
    })
}
