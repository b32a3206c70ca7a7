//! What an answer says of its provider's limits. Its body is read for that only where it is read anyway.

use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use serde_json::Value;

use crate::config::resource::Method;
use crate::error::{Code, Failure};
use crate::flows::base::moment::moment;
use crate::flows::proxy_call::held::{NotText, Reading, Wanted};
use crate::flows::proxy_call::send::Arrived;
use crate::flows::proxy_call::{Errand, Plan, Work};
use crate::media::coding;
use crate::ports::{Body, Outside, Reply, Storage};
use crate::proxy::redirect::Again;
use crate::proxy::reply::{self, Look};
use crate::rate_limit::{self, Answer, Limits, seconds};

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// Reads the limits, tells callers of them in the answer's own header fields, and slows the account down
    /// when nothing is left.
    pub(in crate::flows) async fn limits(
        &self,
        arrived: Arrived<O::Stream>,
    ) -> Result<(Reply<O::Stream>, Limits), Failure> {
        let Arrived { reply, credentials } = arrived;
        let file = match self.plan {
            Plan::Method { method, .. } => self.config().rate_limit_of(method),
            Plan::Custom { .. } => self.config().rate_limit.as_ref(),
        };
        // The body of a refused credential is not held while a fresh one is fetched; an expression that needs it is not
        // asked, lest it takes what it cannot see for a rate limit.
        let is_unread =
            reply.status == StatusCode::UNAUTHORIZED && rate_limit::needs_body(file, reply.status);
        let file = file.filter(|_| !is_unread);
        let (mut reply, body) = match self.plan {
            Plan::Method { method, is_list }
                if rate_limit::needs_body(file, reply.status)
                    && self.reads(method, is_list, &reply) =>
            {
                self.value_of(method, reply).await?
            }
            _ => (reply, None),
        };
        let answer = Answer {
            status: reply.status,
            headers: &reply.headers,
            body: body.as_ref(),
        };
        let now = self.object.outside.now();
        let limits = rate_limit::read(file, &answer, now, &moment(&self.object.outside));
        for (key, error) in &limits.faults {
            self.log("rate_limit_failed", &format!("{key}: {error}"));
        }
        rate_limit::write(&mut reply.headers, &limits);
        // A stranger behind a redirect has limits of his own.
        if let Some(wait) = limits.pause().filter(|_| credentials == Again::Sent) {
            self.pause(wait);
        }
        Ok((reply, limits))
    }

    /// The failure for an answer that means "too many requests", whatever its status is.
    pub(in crate::flows) async fn rate_limited(
        &self,
        method: &Method,
        reply: Reply<O::Stream>,
        limits: &Limits,
    ) -> Result<Failure, Failure> {
        let mut failure = self.refusal(method, reply).await?;
        failure.code = Code::RateLimited;
        failure.retry_after = limits.retry_after().map(seconds);
        if let Some(remote) = &mut failure.remote {
            remote.status = StatusCode::TOO_MANY_REQUESTS.as_u16();
        }
        Ok(failure)
    }

    /// Whether the answer is going to be looked into: a refusal, a list, or where the file says so. `/custom`
    /// passes everything on unread.
    fn reads(&self, method: &Method, is_list: bool, reply: &Reply<O::Stream>) -> bool {
        if reply.status.as_u16() >= 400 || self.errand != Errand::Call {
            return true;
        }
        let kind = reply::kind(&reply.headers, method.api_response_format);
        let has_error = self.config().error_expression_of(method).is_some();
        reply.status.is_success()
            && (is_list || reply::look(method, has_error, kind) == Look::Inside)
    }

    /// The body as expressions see it, and held for whoever looks into it next.
    async fn value_of(
        &self,
        method: &Method,
        reply: Reply<O::Stream>,
    ) -> Result<(Reply<O::Stream>, Option<Value>), Failure> {
        if coding::of_answer(&reply.headers).is_err() {
            return Ok((reply, None));
        }
        let Reply {
            status,
            mut headers,
            body,
        } = reply;
        let reading = Reading {
            kind: reply::kind(&headers, method.api_response_format),
            list: method.response_path.as_ref(),
            wanted: Wanted::Words,
        };
        let (body, value) = match self.held(&headers, body, reading).await {
            Ok(mut held) => {
                // What is too large to be built is not the limits' to complain about.
                let value = held.seen().ok();
                (Body::from_bytes(held.into_bytes()), value)
            }
            Err(NotText::Bytes(bytes, _)) => (Body::from_bytes(bytes), None),
            // The words of a refusal can be missed.
            Err(NotText::Failed(_)) if status.as_u16() >= 400 => (Body::Empty, None),
            Err(NotText::Failed(failure)) => return Err(failure),
        };
        // It is decoded now.
        headers.remove(CONTENT_ENCODING);
        headers.remove(CONTENT_LENGTH);
        let reply = Reply {
            status,
            headers,
            body,
        };
        Ok((reply, value))
    }
}
