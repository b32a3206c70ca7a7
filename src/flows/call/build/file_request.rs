//! The request of a call of the resource `files`.

use http::HeaderMap;

use crate::config::files::FileOperation;
use crate::config::resource::Method;
use crate::error::Failure;
use crate::files;
use crate::flows::call::account::CallAccount;
use crate::flows::call::build::Prepared;
use crate::flows::call::current::Current;
use crate::json::Exact;
use crate::ports::{Body, System};
use crate::proxy::body::Writing;
use crate::proxy::request::{CallerInput, Draft};

impl Prepared<'_> {
    /// The request of a method of `files`.
    pub(super) fn file_request(
        &self,
        account: &impl CallAccount,
        current: &Current<'_>,
        method: &Method,
        caller: &CallerInput,
    ) -> Result<Draft, Failure> {
        let settings = account.system().settings();
        let body = self.given.values.body.as_ref().map(Exact::plain);
        let id = self.given.values.id.as_str();
        let input = files::CallerInput {
            id,
            query: self.query(),
            headers: &self.given.headers,
            body: body.as_deref(),
            announced: self.given.announced,
        };
        let operation = method.operation.unwrap_or(FileOperation::List);
        let draft = self.files_draft(operation, &method.method.0, current, &input, settings)?;
        match &self.page {
            Some(page) => {
                let writing = Writing::of(self.subject.config(), method, &self.moment);
                page.onto(draft, method, &writing, caller)
            }
            None => Ok(draft),
        }
    }
}

/// How long the body is, where that is known before it is read.
pub(super) fn announced<S>(headers: &HeaderMap, body: &Body<S>) -> Option<u64> {
    files::announced(headers).or_else(|| match body {
        Body::Empty => Some(0),
        Body::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
        Body::Stream(_) => None,
    })
}
