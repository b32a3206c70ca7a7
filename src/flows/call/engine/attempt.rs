//! One attempt: it builds and authenticates the request for the account's current state, and follows at most five
//! redirects.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, HeaderName, Method};
use url::Url;

use crate::authorization::{self, SentBody, SignIn, UnauthenticatedRequest, Written};
use crate::error::{AnsweredBy, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::base::moment::moment;
use crate::flows::call::account::CallAccount;
use crate::flows::call::engine::Engine;
use crate::flows::call::engine::protocol::{Answer, Step, Streamed};
use crate::flows::call::engine::request::{
    BuiltRequest, Followed, Hop, body_of_hop, check_confirmed, checked, lost, refused,
};
use crate::flows::call::engine::state::{AfterBody, EngineState};
use crate::flows::call::respond::written::message_reading_of;
use crate::header_text;
use crate::ports::{Body, Outgoing, SendError, System};
use crate::proxy::redirect::{self, Forward, RedirectDecision};
use crate::proxy::request::{Draft, Payload, set_query};
use crate::proxy::{description, guard, headers};

impl<A: CallAccount> Engine<'_, A> {
    /// Builds the request and reserves a time for it.
    pub(in crate::flows) fn start(&mut self) -> Step {
        if let Err(failure) = self.make() {
            return self.fail(failure);
        }
        self.state = EngineState::Reserving(None);
        Step::Reserve {
            after: Duration::ZERO,
        }
    }

    /// Builds the request from the account's last read state.
    fn make(&mut self) -> Result<(), Failure> {
        let mut draft = self.prepared.request(self.account, &self.current)?;
        check_confirmed(&self.limit, &draft, &self.callers_body.body)?;
        let payload = std::mem::replace(&mut draft.body, Payload::Nothing);
        let room = self.account.room();
        if let Payload::Ours(bytes) = &payload {
            room.take(bytes.len())?;
        }
        let payload = match payload {
            Payload::Callers => None,
            Payload::Nothing => Some(Bytes::new()),
            Payload::Ours(bytes) => Some(Bytes::from(bytes)),
        };
        self.made = Some(BuiltRequest {
            draft,
            can_repeat: true,
            payload,
            room,
        });
        Ok(())
    }

    /// The call has a connection. If the account has changed, the request is built again.
    pub(in crate::flows) fn connected(&mut self, now: Rc<LoadedAccount>) -> Step {
        if self.current.set(now)
            && let Err(failure) = self.make()
        {
            return self.fail(failure);
        }
        let Some(made) = &mut self.made else {
            return self.fail(lost());
        };
        let body = if let Some(bytes) = &made.payload {
            Body::from_bytes(bytes.clone())
        } else {
            let callers = &mut self.callers_body.body;
            let again = callers.again().unwrap_or(Body::Empty);
            std::mem::replace(callers, again)
        };
        made.can_repeat = body.again().is_some();
        let mut draft = made.draft.clone();
        if matches!(body, Body::Empty) {
            description::drop_without_body(&mut draft.headers);
        }
        self.send(draft, Forward::Keep, Followed::default(), body)
    }

    fn send(
        &mut self,
        draft: Draft,
        credentials: Forward,
        followed: Followed,
        body: Body<Streamed>,
    ) -> Step {
        if let Some(operation) = self.prepared.subject().operation() {
            return self.transfer(operation, draft, body);
        }
        let again = body.again();
        let request = match self.outgoing(&draft, credentials, body) {
            Ok(request) => request,
            Err(failure) => return self.attempt_failed(failure),
        };
        self.trace.sends(&request.url);
        self.state = EngineState::Sending(Box::new(Hop {
            draft,
            credentials,
            followed,
            again,
            sent_at: self.account.system().now(),
        }));
        Step::Send(request)
    }

    fn outgoing(
        &mut self,
        draft: &Draft,
        credentials: Forward,
        body: Body<Streamed>,
    ) -> Result<Outgoing<Streamed>, Failure> {
        let (mut url, mut headers) = (draft.url.clone(), draft.headers.clone());
        if credentials == Forward::Keep {
            let sent = match &body {
                Body::Empty => SentBody::None,
                Body::Bytes(bytes) => SentBody::Held(bytes),
                Body::Stream(Streamed) => SentBody::Streamed,
            };
            self.authenticate(&draft.method, &mut url, &mut headers, sent)?;
        }
        let system = self.account.system();
        guard::check(&url, system.settings().private_upstreams)?;
        let timeout = self.limit.deadline.since(system.now());
        if timeout.is_zero() {
            return Err(SendError::Timeout.into());
        }
        Ok(Outgoing {
            method: draft.method.clone(),
            url,
            headers,
            body,
            timeout,
        })
    }

    /// Applies the authorizations in their order: each sees what those before it have written.
    fn authenticate(
        &mut self,
        method: &Method,
        url: &mut Url,
        headers: &mut HeaderMap,
        body: SentBody,
    ) -> Result<(), Failure> {
        let mut written = Written::default();
        self.exchange.sent_in_url.clear();
        for authorization in self.prepared.subject().authorizations() {
            let request = UnauthenticatedRequest {
                method,
                url,
                headers,
                body,
            };
            let signed = authorization::sign_in(
                authorization,
                &self.prepared.scope(&self.current),
                self.current.context(),
                &request,
                // A signature may contain the time, so each retry is signed with its own.
                &moment(self.account.system()),
            );
            let signed = signed.and_then(|signed| written.with(signed));
            let SignIn {
                headers: own,
                query,
                signed_url,
            } = signed.map_err(|error| {
                let responder = self.responder();
                responder.log("authorization_failed", &error.to_string());
                Failure::from(error)
            })?;
            if let Some(signed) = signed_url {
                *url = signed;
            }
            for (name, value) in own {
                headers.insert(name, value);
            }
            if let Some((name, value)) = query {
                set_query(url, &name, &value);
                self.exchange.sent_in_url.push(value);
            }
        }
        Ok(())
    }

    /// An answer arrived, or the request failed.
    pub(in crate::flows) fn answered(
        &mut self,
        hop: Hop,
        outcome: Result<Answer, SendError>,
    ) -> Step {
        let outcome = outcome.map_err(Failure::from).and_then(checked);
        let status = outcome.as_ref().ok().map(|answer| answer.status);
        let now = self.account.system().now();
        self.trace.received(status, hop.sent_at, now);
        match outcome {
            Ok(answer) => {
                self.log_unknown_fields(&answer.headers);
                self.follow(hop, answer)
            }
            Err(failure) => self.attempt_failed(failure),
        }
    }

    /// The request may no longer be sent. If it is a redirected write, the write was not made.
    pub(in crate::flows) fn not_sent(&mut self, hop: &Hop, failure: Failure) -> Step {
        let unmade = hop.followed.of_write;
        match unmade.filter(|_| self.trace.done().is_none()) {
            Some(status) => self.fail(failure.of_write_not_made(status)),
            None => self.fail(failure),
        }
    }

    /// Follows a redirect, or passes the answer on.
    fn follow(&mut self, hop: Hop, answer: Answer) -> Step {
        let status = answer.status;
        let location = answer.headers.get(LOCATION).map(header_text::text);
        let location = location.as_deref();
        let writes = self.prepared.subject().purpose.writes(&hop.draft.method);
        let is_led = location.is_some() && redirect::becomes_get(status, &hop.draft.method);
        if writes && is_led {
            self.trace.was_done(status);
        }
        let Draft { method, url, .. } = &hop.draft;
        match redirect::decide(status, location, method, url, hop.followed.count) {
            RedirectDecision::Answer => {
                self.exchange.answered_by = match hop.credentials {
                    Forward::Keep => AnsweredBy::Provider,
                    Forward::Strip => AnsweredBy::Other,
                };
                if writes && status.as_u16() < 400 {
                    self.trace.was_accepted(status);
                }
                self.arrived(answer, hop.credentials)
            }
            RedirectDecision::Refuse(reason) if writes && is_led => {
                let failure = self.responder().of_redirect(refused(reason), &answer);
                let reading = message_reading_of(&answer.headers);
                self.read(answer, reading, AfterBody::Redirect(failure))
            }
            RedirectDecision::Refuse(reason) if writes => {
                self.attempt_failed(refused(reason).of_write_not_made(status.as_u16()))
            }
            RedirectDecision::Refuse(reason) => self.attempt_failed(refused(reason)),
            RedirectDecision::Follow(next) => {
                self.hop(hop, next, writes.then_some(status.as_u16()))
            }
        }
    }

    /// Sends a request to a redirect's target. `write` is the status of a redirect that answered a write.
    fn hop(&mut self, hop: Hop, next: redirect::RedirectTarget, write: Option<u16>) -> Step {
        let body = match body_of_hop(&next, hop.again) {
            Ok(body) => body,
            Err(failure) => {
                return self.attempt_failed(match write {
                    Some(status) => failure.of_write_not_made(status),
                    None => failure,
                });
            }
        };
        let (mut draft, mut credentials) = (hop.draft, hop.credentials);
        let drops = self.prepared.subject().drops_credentials();
        if next.credentials == Forward::Strip || drops {
            credentials = Forward::Strip;
            draft.headers = headers::without_credentials(&draft.headers);
        }
        if next.body == Forward::Strip {
            description::drop_all(&mut draft.headers);
        }
        draft.method = next.method;
        draft.url = next.url;
        if !self.errand().is_exempt() {
            self.account.count_redirect();
        }
        let followed = Followed {
            count: hop.followed.count + 1,
            of_write: write,
        };
        self.send(draft, credentials, followed, body)
    }

    /// Logs the names of header fields that are not UTF-8. They are passed on as far as they can be decoded.
    fn log_unknown_fields(&self, headers: &HeaderMap) {
        let names: Vec<_> = header_text::unknown(headers)
            .map(HeaderName::as_str)
            .collect();
        if !names.is_empty() {
            self.responder().log("header_not_utf8", &names.join(", "));
        }
    }
}
