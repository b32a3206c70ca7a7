//! Where providers send to: without a token, for the URL shows by its end that we gave it out, and the request's own
//! signature is the proof. An account's webhook is handed over to
//! its object, body as a handle; an install's is verified at the front Worker.

use http::{HeaderMap, HeaderName, Method, StatusCode};
use serde_json::json;

use super::route::WebhookRoute;
use super::unproved::Sender;
use super::{FrontReply, RequestContext};
use crate::account::seal::Keyring;
use crate::account::token::{self, TokenKind, TokenProof};
use crate::delivery::DELIVERY_MARK;
use crate::error::{Code, Failure};
use crate::flows::ingress::install::receive_for_install;
use crate::flows::ingress::reply::answered_in_time;
use crate::header_text;
use crate::ids::{AccountId, InstallId};
use crate::ports::{Body, HandOver, Incoming, ObjectRoute, Outside, ReplyStatus, Visibility};
use crate::proxy::headers;

/// Answers a provider, at the front Worker.
pub(super) async fn answer<O: Outside>(
    context: &RequestContext<'_, O>,
    route: WebhookRoute,
    request: Incoming<O::Stream>,
) -> Result<FrontReply<O>, Failure> {
    let request = without_meaningless_body(request);
    let sender = Sender::of(context, &request.headers);
    refuse_own(sender.keyring()?, &request.headers)?;
    match route {
        WebhookRoute::Account(text) => {
            let hidden = || Failure::not_found("integrated account");
            let read = |ring: &Keyring| token::read_address(ring, TokenKind::AccountWebhook, &text);
            let (id, proof) = proved(&sender, read, hidden).await?;
            log_unknown(context, &request.headers);
            let answer = hand_over(context, id, request).await?;
            if proof == TokenProof::Unsigned && answer.status() == StatusCode::NOT_FOUND {
                return Err(sender.named_nothing(hidden()).await);
            }
            Ok(FrontReply::Object(answer))
        }
        WebhookRoute::Install(text) => {
            let hidden = || Failure::not_found("environment integration");
            let read = |ring: &Keyring| token::read_address(ring, TokenKind::InstallWebhook, &text);
            let (id, proof): (InstallId, TokenProof) = proved(&sender, read, hidden).await?;
            log_unknown(context, &request.headers);
            let (outside, isolate, id) = (context.outside, context.isolate, id.to_string());
            let received = receive_for_install(outside, isolate, context.request_id, &id, request);
            match answered_in_time(outside, received).await {
                Err(failure) if proof == TokenProof::Unsigned && failure.code == Code::NotFound => {
                    Err(sender.named_nothing(failure).await)
                }
                answer => answer.map(FrontReply::Own),
            }
        }
    }
}

/// What a webhook URL names, before anything of it is read: its signature proves that it was given out.
async fn proved<I>(
    sender: &Sender<'_, impl Outside>,
    read: impl Fn(&Keyring) -> Option<(I, TokenProof)>,
    hidden: impl Fn() -> Failure,
) -> Result<(I, TokenProof), Failure> {
    let read = read(sender.keyring()?);
    if let Some((id, TokenProof::Signed)) = read {
        return Ok((id, TokenProof::Signed));
    }
    sender.check()?;
    match read {
        Some(unsigned) if sender.check_unsigned()? => Ok(unsigned),
        _ => Err(sender.failed(hidden()).await),
    }
}

/// A signature over such a field cannot fit: its bytes are gone.
fn log_unknown<O: Outside>(context: &RequestContext<'_, O>, headers: &HeaderMap) {
    let names: Vec<_> = header_text::unknown(headers)
        .map(HeaderName::as_str)
        .collect();
    if !names.is_empty() {
        let line = json!({ "level": "warn", "event": "header_not_utf8", "request_id": context.request_id, "reason": names.join(", ") });
        context.outside.log(&line);
    }
}

/// A delivery that comes back would make events of events, without an end.
fn refuse_own(ring: &Keyring, headers: &HeaderMap) -> Result<(), Failure> {
    let mut marks = headers.get_all(DELIVERY_MARK).iter();
    if marks.any(|mark| token::is_delivery_mark(ring, mark.as_bytes())) {
        let message =
            "This is a delivery of this gateway itself: its subscription must lead elsewhere.";
        return Err(Failure::new(Code::WrongAddress, message));
    }
    Ok(())
}

/// The platform forwards no body of a GET or HEAD, and RFC 9110 sections 9.3.1 and 9.3.2 give it no meaning.
fn without_meaningless_body<S>(request: Incoming<S>) -> Incoming<S> {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return request;
    }
    Incoming {
        body: Body::Empty,
        ..request
    }
}

async fn hand_over<O: Outside>(
    context: &RequestContext<'_, O>,
    account: AccountId,
    request: Incoming<O::Stream>,
) -> Result<O::ObjectReply, Failure> {
    let hand_over = HandOver {
        route: ObjectRoute::Webhook,
        request_id: context.request_id.to_owned(),
        visibility: Visibility::All,
        caller: "webhook".to_owned(),
        token: None,
        raw_target: request.raw_target.clone(),
    };
    let request = Incoming {
        headers: headers::of_webhook(&request.headers),
        ..request
    };
    let outcome = context.outside.call(account, &hand_over, request).await;
    outcome.map_err(|fault| {
        let line = json!({ "level": "error", "event": "object_silent", "request_id": context.request_id, "integrated_account_id": account, "reason": fault.to_string() });
        context.outside.log(&line);
        Failure::storage()
    })
}
