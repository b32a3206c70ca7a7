//! One attempt: a slot, signing in, the guard, redirects.

use http::header::LOCATION;
use http::{HeaderMap, HeaderName, StatusCode};

use crate::authorization::{self, SignIn};
use crate::config::authorization::Authorization;
use crate::error::{Code, Failure, Speaker};
use crate::expression::UrlTemplate;
use crate::flows::base::moment::moment;
use crate::flows::proxy_call::{Plan, Work};
use crate::header_text;
use crate::ports::{Body, Outgoing, Outside, Reply, SendError, Storage};
use crate::proxy::redirect::{self, Again, Hop, Next};
use crate::proxy::request::{Draft, set_query};
use crate::proxy::{description, guard, headers};

/// What an attempt came to.
pub(in crate::flows) struct Arrived<S> {
    pub(in crate::flows) reply: Reply<S>,
    /// Whether it was the account's provider who answered: a redirect may lead to somebody else.
    pub(in crate::flows) credentials: Again,
}

impl<O: Outside, S: Storage> Work<'_, O, S> {
    /// The answer behind at most five redirects, its body unread.
    pub(in crate::flows) async fn attempt(
        &self,
        mut draft: Draft,
        mut body: Body<O::Stream>,
    ) -> Result<Arrived<O::Stream>, Failure> {
        if matches!(body, Body::Empty) {
            description::drop_without_body(&mut draft.headers);
        }
        let mut credentials = Again::Sent;
        for hops in 0.. {
            let again = body.again();
            let reply = self.send_once(&draft, body, credentials).await?;
            let location = reply.headers.get(LOCATION).map(header_text::text);
            let location = location.as_deref();
            let writes = self.purpose.writes(&draft.method);
            let is_led = location.is_some() && redirect::becomes_get(reply.status, &draft.method);
            if writes && is_led {
                self.trace.was_done(reply.status);
            }
            let hop =
                match redirect::decide(reply.status, location, &draft.method, &draft.url, hops) {
                    Next::Answer => {
                        self.note_speaker(credentials);
                        if writes && reply.status.as_u16() < 400 {
                            self.trace.was_accepted(reply.status);
                        }
                        return Ok(Arrived { reply, credentials });
                    }
                    Next::Refuse(reason) if writes && !is_led => {
                        return Err(refused(reason).of_write_not_made(reply.status.as_u16()));
                    }
                    Next::Refuse(reason) if writes => {
                        return Err(self.of_redirect(refused(reason), reply).await);
                    }
                    Next::Refuse(reason) => return Err(refused(reason)),
                    Next::Follow(hop) => hop,
                };
            drop(reply.body);
            body = body_of_hop(&hop, again).map_err(|failure| {
                if writes {
                    failure.of_write_not_made(reply.status.as_u16())
                } else {
                    failure
                }
            })?;
            if hop.credentials == Again::Dropped || self.drops_credentials() {
                credentials = Again::Dropped;
                draft.headers = headers::without_credentials(&draft.headers);
            }
            if hop.body == Again::Dropped {
                description::drop_all(&mut draft.headers);
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
        if let Ok(reply) = &outcome {
            self.log_unknown_fields(&reply.headers);
        }
        outcome
    }

    /// They go on with what is known of them.
    fn log_unknown_fields(&self, headers: &HeaderMap) {
        let names: Vec<_> = header_text::unknown(headers)
            .map(HeaderName::as_str)
            .collect();
        if !names.is_empty() {
            self.log("header_not_utf8", &names.join(", "));
        }
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
            self.present.context(),
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
    pub(in crate::flows) fn refuses_credential(&self, reply: &Reply<O::Stream>) -> bool {
        reply.status == StatusCode::UNAUTHORIZED
            && self.speaker.get() == Speaker::Provider
            && self.is_signed_in()
    }

    fn note_speaker(&self, credentials: Again) {
        let speaker = match credentials {
            Again::Sent => Speaker::Provider,
            Again::Dropped => Speaker::Stranger,
        };
        self.speaker.set(speaker);
    }

    /// The provider has taken the credential, where it answered with this status from the credential's own home.
    pub(in crate::flows) fn note_accepted(&self, status: StatusCode) {
        let is_own = self.speaker.get() == Speaker::Provider && self.is_signed_in();
        if is_own && status.as_u16() < 400 && self.is_at_home() {
            self.object.note_credential_accepted();
        }
    }

    /// Whether the request goes to the origin of the file's own `base_url`. What a method asks elsewhere says nothing of the
    /// credential there: it may be another service, which takes it for less.
    pub(in crate::flows) fn is_at_home(&self) -> bool {
        let Plan::Method { method, .. } = self.plan else {
            return true;
        };
        let (Some(own), Some(home)) = (&method.base_url, &self.config().base_url) else {
            return true;
        };
        let pins = self.resolved.compiled.pins(self.object.outside.settings());
        let origin = |url: &UrlTemplate| url.render(&self.scope(), &pins).map(|url| url.origin());
        matches!((origin(own), origin(home)), (Ok(own), Ok(home)) if own == home)
    }

    pub(in crate::flows) fn is_signed_in(&self) -> bool {
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
