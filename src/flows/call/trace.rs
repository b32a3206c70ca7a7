//! The log's facts of a call: its target, its retries, and the provider's time. It has no query values, header fields
//! or bodies.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use http::StatusCode;
use url::Url;

use crate::error::Failure;
use crate::flows::call::subject::{Plan, Subject};
use crate::proxy::{Target, redact};
use crate::time::Timestamp;

/// The trace of one call, filled while the call runs.
#[derive(Debug, Default)]
pub struct Trace {
    /// Whether anything was sent to the provider.
    was_sent: Cell<bool>,
    /// How often a request was sent again.
    retries: Cell<u64>,
    /// Whether the last answer does not count.
    superseded: Cell<bool>,
    /// The provider's time until the heads of its answers, summed over all requests.
    took: Cell<Duration>,
    /// The status of its last answer.
    status: Cell<Option<StatusCode>>,
    /// The status of a redirect that answered a write and is followed with a GET.
    done: Cell<Option<StatusCode>>,
    /// The success status of the answer to the last request, if that was a write.
    accepted: Cell<Option<StatusCode>>,
    /// Whether a step of an action has made a write.
    has_written: Cell<bool>,
    about: RefCell<About>,
}

/// Where a call went.
#[derive(Debug, Default, Clone)]
pub(in crate::flows) struct About {
    /// The provider's host.
    pub(in crate::flows) host: Option<String>,
    /// The resource and its method, or the action. They are empty until the file is known to have them, since the log
    /// must not contain a caller's parameters.
    pub(in crate::flows) resource: Option<String>,
    pub(in crate::flows) resource_method: Option<String>,
    /// The method's path as the file declares it; for `/custom` the part of the path that is in the file.
    pub(in crate::flows) path: Option<String>,
    /// The OAuth scopes that the file says the method needs.
    pub(in crate::flows) scopes: Vec<String>,
}

impl Trace {
    /// Sets the subject of the call.
    pub(in crate::flows) fn names(&self, subject: &Subject<'_>, target: &Target) {
        self.is_about(target);
        let mut about = self.about.borrow_mut();
        match subject.plan {
            Plan::Method { method, .. } => {
                let path = method.path.source().split(['?', '#']).next();
                about.path = path.map(str::to_owned);
                about.scopes.clone_from(&method.scopes);
            }
            Plan::Custom { path, .. } => about.path = Some(redact::path(path, subject.config())),
        }
    }

    /// Sets the target, which the file has or had.
    pub(in crate::flows) fn is_about(&self, target: &Target) {
        let Target::Method {
            resource, method, ..
        } = target
        else {
            return;
        };
        let mut about = self.about.borrow_mut();
        about.resource = Some(resource.clone());
        about.resource_method = Some(method.clone());
    }

    /// Sets the action.
    pub(in crate::flows) fn runs(&self, action: &str) {
        let mut about = self.about.borrow_mut();
        about.resource = Some("_".to_owned());
        about.resource_method = Some(action.to_owned());
    }

    /// Notes that a request is sent.
    pub(in crate::flows) fn sends(&self, url: &Url) {
        self.was_sent.set(true);
        if self.superseded.take() {
            self.retries.set(self.retries.get() + 1);
        }
        self.status.set(None);
        self.accepted.set(None);
        let mut about = self.about.borrow_mut();
        if about.host.is_none() {
            about.host = url.host_str().map(str::to_owned);
        }
    }

    /// Notes the head of its answer, or that there is none.
    pub(in crate::flows) fn received(
        &self,
        status: Option<StatusCode>,
        sent_at: Timestamp,
        now: Timestamp,
    ) {
        self.took.set(self.took.get() + now.since(sent_at));
        self.status.set(status);
    }

    /// Notes that a redirect answered a write and is followed with a GET. The write was made, even if that GET fails.
    pub(in crate::flows) fn was_done(&self, status: StatusCode) {
        self.done.set(Some(status));
    }

    /// Notes a success answer to a write.
    pub(in crate::flows) fn was_accepted(&self, status: StatusCode) {
        self.accepted.set(Some(status));
    }

    /// Notes that a step of an action has made a write.
    pub(in crate::flows) fn has_written(&self) {
        self.has_written.set(true);
    }

    /// Adds to a failure whether the call's write was made. An error in the provider's answer to the write itself means
    /// that the provider refused the write.
    pub fn behind_write(&self, failure: Failure) -> Failure {
        match (self.done(), self.made_write()) {
            (Some(status), _) => failure.of_made_write(status),
            (None, Some(status)) if failure.remote.is_none() => failure.of_made_write(status),
            _ if self.has_written.get() => failure.after_write(),
            _ => failure,
        }
    }

    /// The status of the provider's answer to a write that it made.
    pub(in crate::flows) fn made_write(&self) -> Option<u16> {
        let accepted = self.accepted.get().map(|status| status.as_u16());
        self.done().or(accepted)
    }

    /// The status of a redirect that answered the write.
    pub(in crate::flows) fn done(&self) -> Option<u16> {
        self.done.get().map(|status| status.as_u16())
    }

    /// Marks the last answer as superseded: the provider limits the rate, the request is sent again, or the provider
    /// refused the credential and not the call.
    pub(in crate::flows) fn mark_superseded(&self) {
        self.superseded.set(true);
        self.accepted.set(None);
    }

    pub(in crate::flows) fn about(&self) -> About {
        self.about.borrow().clone()
    }

    /// Whether the provider may have received the request.
    pub(in crate::flows) fn was_sent(&self) -> bool {
        self.was_sent.get()
    }

    /// Whether the last answer is superseded and no request followed it.
    pub(in crate::flows) fn is_superseded(&self) -> bool {
        self.superseded.get()
    }

    /// The status of the provider's last answer; `None` if there is none.
    pub(in crate::flows) fn status(&self) -> Option<u16> {
        self.status.get().map(|status| status.as_u16())
    }

    /// How often a request was sent again. A followed redirect does not count.
    pub(in crate::flows) fn retries(&self) -> u64 {
        self.retries.get()
    }

    /// The provider's time; `None` if no request was sent.
    pub(in crate::flows) fn took(&self) -> Option<Duration> {
        self.was_sent().then(|| self.took.get())
    }
}
