//! Whether an answer accepts or refuses the account's credential.

use http::StatusCode;

use crate::error::{AnsweredBy, Code, Failure};
use crate::expression::UrlTemplate;
use crate::flows::call::account::CallAccount;
use crate::flows::call::respond::Responder;
use crate::flows::call::subject::Plan;
use crate::ports::System;

impl<A: CallAccount> Responder<'_, '_, A> {
    /// Whether an answer with this status refuses the account's credential. Only the account's own provider can refuse
    /// it, in an answer to an authenticated request. Another host after a redirect has not received it.
    pub(in crate::flows) fn refuses_credential(&self, status: StatusCode) -> bool {
        status == StatusCode::UNAUTHORIZED && self.is_of_provider()
    }

    /// Whether the file maps a failure to 401, in an answer of the account's own provider to an authenticated request.
    pub(in crate::flows) fn finds_refusal(&self, failure: &Failure) -> bool {
        let remote = failure.remote.as_ref();
        let is_401 = remote.is_some_and(|remote| {
            remote.status == 401 && remote.answered_by == AnsweredBy::Provider
        });
        failure.code == Code::Rejected && is_401 && self.prepared.subject().is_authenticated()
    }

    /// Whether the provider accepted the credential: the credential's own origin answered with a success status.
    pub(in crate::flows) fn is_accepted(&self, status: StatusCode) -> bool {
        status.as_u16() < 400 && self.is_of_provider() && self.is_at_home()
    }

    fn is_of_provider(&self) -> bool {
        self.exchange.answered_by == AnsweredBy::Provider
            && self.prepared.subject().is_authenticated()
    }

    /// Whether the request goes to the origin of the file's `base_url`. An answer from elsewhere proves nothing about
    /// the credential: it may be another service with other rules.
    pub(in crate::flows) fn is_at_home(&self) -> bool {
        let subject = self.prepared.subject();
        let Plan::Method { method, .. } = subject.plan else {
            return true;
        };
        let (Some(own), Some(home)) = (&method.base_url, &subject.config().base_url) else {
            return true;
        };
        let settings = self.account.system().settings();
        let pins = subject.resolved.compiled.pins(settings);
        let scope = self.prepared.scope(self.current);
        let origin = |url: &UrlTemplate| url.render(&scope, &pins).map(|url| url.origin());
        matches!((origin(own), origin(home)), (Ok(own), Ok(home)) if own == home)
    }
}
