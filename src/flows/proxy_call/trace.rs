//! What a call leaves to be told of it: where it went, how often, how long the provider took. It knows no value of a
//! query, no header and no body.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use http::StatusCode;
use url::Url;

use super::Plan;
use crate::time::Timestamp;

/// The trace of one call, written while it runs.
#[derive(Debug, Default)]
pub struct Trace {
    /// Requests that were sent to the provider.
    requests: Cell<u64>,
    /// Those of them that followed a redirect.
    hops: Cell<u64>,
    /// What the provider took until the heads of its answers, all requests together.
    took: Cell<Duration>,
    /// The status of its last answer.
    status: Cell<Option<StatusCode>>,
    about: RefCell<About>,
}

/// Where a call went.
#[derive(Debug, Default, Clone)]
pub(in crate::flows) struct About {
    /// The provider's host.
    pub(in crate::flows) host: Option<String>,
    /// The method's path as the file has it; nothing for the caller's own path.
    pub(in crate::flows) path: Option<String>,
    /// The OAuth scopes that the file says the method needs.
    pub(in crate::flows) scopes: Vec<String>,
}

impl Trace {
    /// The call is about this.
    pub(super) fn names(&self, plan: Plan<'_>) {
        let Plan::Method { method, .. } = plan else {
            return;
        };
        let mut about = self.about.borrow_mut();
        let path = method.path.source().split(['?', '#']).next();
        about.path = path.map(str::to_owned);
        about.scopes.clone_from(&method.scopes);
    }

    /// A request goes out.
    pub(super) fn sends(&self, url: &Url) {
        self.requests.set(self.requests.get() + 1);
        self.status.set(None);
        let mut about = self.about.borrow_mut();
        if about.host.is_none() {
            about.host = url.host_str().map(str::to_owned);
        }
    }

    /// Its answer's head came, or will not come.
    pub(super) fn heard(&self, status: Option<StatusCode>, sent_at: Timestamp, now: Timestamp) {
        self.took.set(self.took.get() + now.since(sent_at));
        self.status.set(status);
    }

    /// The answer was a redirect that is followed.
    pub(super) fn follows(&self) {
        self.hops.set(self.hops.get() + 1);
    }

    pub(in crate::flows) fn about(&self) -> About {
        self.about.borrow().clone()
    }

    /// Whether the provider may have heard of it.
    pub(in crate::flows) fn was_sent(&self) -> bool {
        self.requests.get() > 0
    }

    /// The status of the provider's last answer; nothing where it gave none.
    pub(in crate::flows) fn status(&self) -> Option<u16> {
        self.status.get().map(|status| status.as_u16())
    }

    /// How often it was sent again.
    pub(in crate::flows) fn retries(&self) -> u64 {
        let first_and_hops = 1 + self.hops.get();
        self.requests.get().saturating_sub(first_and_hops)
    }

    /// What the provider took; nothing where it was not asked.
    pub(in crate::flows) fn took(&self) -> Option<Duration> {
        self.was_sent().then(|| self.took.get())
    }
}
