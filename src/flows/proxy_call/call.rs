//! What a caller asks of an account, and what it is given.

use std::rc::Rc;
use std::time::Duration;

use http::HeaderMap;

use crate::flows::proxy_call::trace::Trace;
use crate::flows::proxy_call::walk::Walk;
use crate::ports::{Body, Outside, Reply, Storage};
use crate::proxy::Target;

/// What a caller asks of an account.
pub struct Call<S> {
    /// Where it goes.
    pub target: Target,
    /// The caller's verb.
    pub method: http::Method,
    /// The caller's query, as it was written.
    pub query: String,
    /// The caller's header fields.
    pub headers: HeaderMap,
    /// The caller's body.
    pub body: Body<S>,
    /// How long it may take, or each page of it; retries included.
    pub timeout: Duration,
    /// How often it may be sent again, or each page of it; as often as its verb says when the caller does not.
    pub max_retries: Option<u32>,
    /// How much of a list is wanted; nothing else has pages.
    pub pages: Pages,
    /// The hash of the caller's API token, if it is one.
    pub token: Option<String>,
    /// What is told of it afterwards.
    pub trace: Rc<Trace>,
}

/// How much of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// A page, in an envelope that leads on.
    One,
    /// All there are, as lines.
    All,
}

/// What a call gives.
pub enum Given<O: Outside, S: Storage> {
    /// One answer.
    Reply(Reply<O::Stream>),
    /// A list from here to its end.
    Walk(Box<Walk<O, S>>),
}
