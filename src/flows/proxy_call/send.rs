//! One attempt: a slot, signing in, the guard, redirects.

use http::StatusCode;
use http::header::{CONTENT_TYPE, LOCATION};

use super::{Plan, Work, moment};
use crate::authorization::{self, SignIn};
use crate::config::authorization::Authorization;
use crate::error::{Code, Failure, Speaker};
use crate::expression::UrlTemplate;
use crate::ports::{Body, Outgoing, Outside, Reply, SendError, Storage};
use crate::proxy::redirect::{self, Again, Hop, Next};
use crate::proxy::request::{Draft, set_query};
use crate::proxy::{guard, headers, is_read};
use crate::time::Timestamp;

/// What an attempt came to.
pub(super) struct Arrived<S> {
    pub(super) reply: Reply<S>,
    /// Whether it was the account's provider who answered: a redirect may lead to somebody else.
    pub(super) credentials: Again,
}

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// The answer behind at most five redirects, its body unread. It waits for its turn and a slot, which it frees with
    /// the answer's head.
    pub(super) async fn attempt(
        &self,
        mut draft: Draft,
        mut body: Body<O::Stream>,
        turn: Timestamp,
    ) -> Result<Arrived<O::Stream>, Failure> {
        let _slot = self.slot_in(turn).await?;
        if !self.object.is_here() {
            return Err(Failure::not_found("integrated account"));
        }
        let mut credentials = Again::Sent;
        for hops in 0.. {
            let again = body.again();
            let reply = self.send_once(&draft, body, credentials).await?;
            let location = reply
                .headers
                .get(LOCATION)
                .and_then(|value| value.to_str().ok());
            let hop =
                match redirect::decide(reply.status, location, &draft.method, &draft.url, hops) {
                    Next::Answer => {
                        self.note_speaker(&reply, credentials);
                        return Ok(Arrived { reply, credentials });
                    }
                    Next::Refuse(reason) => return Err(refused(reason)),
                    Next::Follow(hop) => hop,
                };
            drop(reply.body);
            if !is_read(&draft.method) && is_read(&hop.method) {
                self.trace.was_done(reply.status);
            }
            body = body_of_hop(&hop, again)?;
            if hop.credentials == Again::Dropped || self.drops_credentials() {
                credentials = Again::Dropped;
                draft.headers = headers::without_credentials(&draft.headers);
            }
            if hop.body == Again::Dropped {
                draft.headers.remove(CONTENT_TYPE);
            }
            draft.method = hop.method;
            draft.url = hop.url;
            self.count_hop();
        }
        Err(refused("it never ends"))
    }

    async fn send_once(
        &self,
        draft: &Draft,
        body: Body<O::Stream>,
        credentials: Again,
    ) -> Result<Reply<O::Stream>, Failure> {
        let mut url = draft.url.clone();
        let mut headers = draft.headers.clone();
        if credentials == Again::Sent {
            let held = match &body {
                Body::Bytes(bytes) => Some(bytes.as_ref()),
                _ => None,
            };
            let SignIn {
                headers: signed,
                query,
            } = self.sign_in(draft, held)?;
            for (name, value) in signed {
                headers.insert(name, value);
            }
            if let Some((name, value)) = query {
                set_query(&mut url, &name, &value);
                self.sent_in_url.replace(Some(value));
            }
        }
        let outside = &self.object.outside;
        guard::check(&url, outside.settings().private_upstreams)?;
        let timeout = self.deadline.since(outside.now());
        if timeout.is_zero() {
            return Err(SendError::Timeout.into());
        }
        let request = Outgoing {
            method: draft.method.clone(),
            url,
            headers,
            body,
            timeout,
        };
        self.trace.sends(&request.url);
        let sent_at = outside.now();
        let outcome = outside.send(request).await.map_err(Failure::from);
        let outcome = outcome.and_then(checked);
        let status = outcome.as_ref().ok().map(|reply| reply.status);
        self.trace.heard(status, sent_at, outside.now());
        outcome
    }

    fn sign_in(&self, draft: &Draft, body: Option<&[u8]>) -> Result<SignIn, Failure> {
        let Some(authorization) = self.authorization() else {
            return Ok(SignIn::default());
        };
        let request = authorization::Request {
            method: &draft.method,
            url: &draft.url,
            headers: &draft.headers,
            body,
        };
        let signed = authorization::sign_in(
            authorization,
            &self.scope(),
            self.context,
            &request,
            // A signature may hold the time: a retry is signed in its own.
            &moment(&self.object.outside),
        );
        signed.map_err(|error| {
            self.log("authorization_failed", &error.to_string());
            Failure::from(error)
        })
    }

    fn authorization(&self) -> Option<&Authorization> {
        match self.plan {
            Plan::Method { method, .. } => self.config().authorization_of(method),
            Plan::Custom { .. } => self.config().authorization.as_ref(),
        }
    }

    /// Whether an answer refuses the account's credential: that of the account's own provider to a request that was signed
    /// in. A stranger behind a redirect has not seen it.
    pub(super) fn refuses_credential(&self, reply: &Reply<O::Stream>) -> bool {
        reply.status == StatusCode::UNAUTHORIZED
            && self.speaker.get() == Speaker::Provider
            && self.is_signed_in()
    }

    fn note_speaker(&self, reply: &Reply<O::Stream>, credentials: Again) {
        let speaker = match credentials {
            Again::Sent => Speaker::Provider,
            Again::Dropped => Speaker::Stranger,
        };
        self.speaker.set(speaker);
        let is_taken = reply.status.as_u16() < 400 && self.is_signed_in();
        if is_taken && speaker == Speaker::Provider && self.is_at_home() {
            self.object.note_credential_accepted();
        }
    }

    /// Whether the request goes to the origin of the file's own `base_url`. What a method asks elsewhere says nothing of the
    /// credential there: it may be another service, which takes it for less.
    pub(super) fn is_at_home(&self) -> bool {
        let Plan::Method { method, .. } = self.plan else {
            return true;
        };
        let (Some(own), Some(home)) = (&method.base_url, &self.config().base_url) else {
            return true;
        };
        let pins = self.effective.compiled.pins(self.object.outside.settings());
        let origin = |url: &UrlTemplate| url.render(&self.scope(), &pins).map(|url| url.origin());
        matches!((origin(own), origin(home)), (Ok(own), Ok(home)) if own == home)
    }

    fn is_signed_in(&self) -> bool {
        !matches!(self.authorization(), None | Some(Authorization::None(_)))
    }

    fn drops_credentials(&self) -> bool {
        matches!(self.plan, Plan::Method { method, .. } if method.ignore_credentials_on_redirect)
    }
}

/// In production a provider that cannot be reached is an answer of the platform's own.
fn checked<S>(reply: Reply<S>) -> Result<Reply<S>, Failure> {
    match reply.status.as_u16() {
        524 => Err(SendError::Timeout.into()),
        520..=527 | 530 => Err(SendError::Unreachable.into()),
        200..600 => Ok(reply),
        odd => Err(Failure::new(
            Code::UnexpectedAnswer,
            format!("The provider answered with the status {odd}, which HTTP does not have."),
        )),
    }
}

fn body_of_hop<S>(hop: &Hop, again: Option<Body<S>>) -> Result<Body<S>, Failure> {
    match hop.body {
        Again::Dropped => Ok(Body::Empty),
        Again::Sent => again.ok_or_else(|| {
            let words = "The provider redirects this request, and its body was streamed. Send at most 64 KiB with a content-length, or ask the final address.";
            Failure::new(Code::RedirectNeedsBody, words)
        }),
    }
}

fn refused(reason: &str) -> Failure {
    Failure::new(
        Code::RedirectRefused,
        format!("The provider answered with a redirect that is not followed: {reason}."),
    )
}
