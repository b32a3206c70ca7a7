//! What the log says of a call: where it went, how often, how long the provider took. It knows no value of a
//! query, no header and no body.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use http::StatusCode;
use url::Url;

use crate::error::Failure;
use crate::flows::call::subject::{Plan, Subject};
use crate::proxy::{Target, redact};
use crate::time::Timestamp;

/// The trace of one call, written while it runs.
#[derive(Debug, Default)]
pub struct Trace {
    /// Whether anything was sent to the provider.
    was_sent: Cell<bool>,
    /// How often a request was sent again.
    retries: Cell<u64>,
    /// Whether its last answer is none that counts.
    superseded: Cell<bool>,
    /// What the provider took until the heads of its answers, all requests together.
    took: Cell<Duration>,
    /// The status of its last answer.
    status: Cell<Option<StatusCode>>,
    /// The status of a redirect that answered a write, and leads to a page to be read.
    done: Cell<Option<StatusCode>>,
    /// The good status that the last request, a write, was answered with itself.
    accepted: Cell<Option<StatusCode>>,
    /// Whether a step of an action has written.
    has_written: Cell<bool>,
    about: RefCell<About>,
}

/// Where a call went.
#[derive(Debug, Default, Clone)]
pub(in crate::flows) struct About {
    /// The provider's host.
    pub(in crate::flows) host: Option<String>,
    /// The resource, and its method or the action, once the file was seen to have them: until then they are the
    /// caller's words.
    pub(in crate::flows) resource: Option<String>,
    pub(in crate::flows) resource_method: Option<String>,
    /// The method's path as the file has it; of the caller's own path what the file knows.
    pub(in crate::flows) path: Option<String>,
    /// The OAuth scopes that the file says the method needs.
    pub(in crate::flows) scopes: Vec<String>,
}

impl Trace {
    /// The call is about this.
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

    /// The call is about this, which the file has or had.
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

    /// The call is about this action.
    pub(in crate::flows) fn runs(&self, action: &str) {
        let mut about = self.about.borrow_mut();
        about.resource = Some("_".to_owned());
        about.resource_method = Some(action.to_owned());
    }

    /// A request goes out.
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

    /// Its answer's head came, or will not come.
    pub(in crate::flows) fn received(
        &self,
        status: Option<StatusCode>,
        sent_at: Timestamp,
        now: Timestamp,
    ) {
        self.took.set(self.took.get() + now.since(sent_at));
        self.status.set(status);
    }

    /// A redirect answered a write and leads to a page to be read: whatever comes of that, the write was made.
    pub(in crate::flows) fn was_done(&self, status: StatusCode) {
        self.done.set(Some(status));
    }

    /// A write was answered well.
    pub(in crate::flows) fn was_accepted(&self, status: StatusCode) {
        self.accepted.set(Some(status));
    }

    /// A step of an action has written.
    pub(in crate::flows) fn has_written(&self) {
        self.has_written.set(true);
    }

    /// A failure of a call, or of what comes behind it, with what became of its write. An error that the provider reported in
    /// the answer to the write itself is a refusal of it.
    pub fn behind_write(&self, failure: Failure) -> Failure {
        match (self.done(), self.made_write()) {
            (Some(status), _) => failure.of_made_write(status),
            (None, Some(status)) if failure.remote.is_none() => failure.of_made_write(status),
            _ if self.has_written.get() => failure.after_write(),
            _ => failure,
        }
    }

    /// What the provider answered to a write that it made.
    pub(in crate::flows) fn made_write(&self) -> Option<u16> {
        let accepted = self.accepted.get().map(|status| status.as_u16());
        self.done().or(accepted)
    }

    /// What a redirect answered to the write.
    pub(in crate::flows) fn done(&self) -> Option<u16> {
        self.done.get().map(|status| status.as_u16())
    }

    /// The last answer is none that counts: the provider wants no more requests for now, is to be
    /// asked again, or refused the account and not the call.
    pub(in crate::flows) fn mark_superseded(&self) {
        self.superseded.set(true);
        self.accepted.set(None);
    }

    pub(in crate::flows) fn about(&self) -> About {
        self.about.borrow().clone()
    }

    /// Whether the provider may have received it.
    pub(in crate::flows) fn was_sent(&self) -> bool {
        self.was_sent.get()
    }

    /// Whether that is so at the end: no further request was sent.
    pub(in crate::flows) fn is_superseded(&self) -> bool {
        self.superseded.get()
    }

    /// The status of the provider's last answer; nothing where it gave none.
    pub(in crate::flows) fn status(&self) -> Option<u16> {
        self.status.get().map(|status| status.as_u16())
    }

    /// How often a request was sent again; what follows a redirect is not sent again.
    pub(in crate::flows) fn retries(&self) -> u64 {
        self.retries.get()
    }

    /// What the provider took; nothing where it was not asked.
    pub(in crate::flows) fn took(&self) -> Option<Duration> {
        self.was_sent().then(|| self.took.get())
    }
}
