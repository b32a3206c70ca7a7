//! `POST /connect/…`: the customer's form.

use http::StatusCode;

use super::cookies::{Jar, SameSite};
use super::form::{RejectedForm, address, form, link_of, no_such};
use super::opening::open;
use super::{OURS, Shown, first, is_cross_site, pairs, posted, show, visitor};
use crate::api::{RequestContext, client_document};
use crate::config::Credential;
use crate::connect::form::Problems;
use crate::connect::outcome::ConnectFailure;
use crate::crypto;
use crate::error::Failure;
use crate::flows::lifecycle::connect as flow;
use crate::flows::lifecycle::connect::submit::submit as submit_form;
use crate::flows::lifecycle::connect::{Chosen, OpenedLink, Submitted, SubmittedForm};
use crate::flows::messages::connecting::{ConnectFailed, ConnectResult};
use crate::ports::{Body, Incoming, Outside};

pub(super) async fn submit<O: Outside>(
    context: &RequestContext<'_, O>,
    name: &str,
    mut request: Incoming<O::Stream>,
) -> Shown<O> {
    if is_cross_site(&request.headers) {
        let mut reply = show::failed(context, ConnectFailure::InvalidToken, None);
        reply.status = StatusCode::FORBIDDEN;
        return Ok(reply);
    }
    let body = std::mem::replace(&mut request.body, Body::Empty);
    let posted = posted(context, body).await?;
    // Our parameters come before the fields, so a field of the same name is not mistaken for them.
    let ours: Vec<(String, String)> = OURS
        .iter()
        .filter_map(|name| posted.iter().find(|(key, _)| key == name).cloned())
        .chain(pairs(&request.url))
        .collect();
    let opened = match open(context, &request, &ours).await? {
        Ok(opened) => opened,
        Err(failure) => return Ok(show::failed(context, failure, None)),
    };
    // Its link token was made by us, and may be used.
    context.room.prove()?;
    let Some(chosen) = flow::choose(context.outside, context.isolate, &opened, name).await? else {
        return Ok(no_such(context, &opened, &request.url, &ours));
    };
    send_form(context, &request, (&opened, &chosen), &posted, &ours).await
}

/// Sends the form to the account's object, and shows what came of it.
async fn send_form<O: Outside>(
    context: &RequestContext<'_, O>,
    request: &Incoming<O::Stream>,
    (opened, chosen): (&OpenedLink, &Chosen),
    posted: &[(String, String)],
    ours: &[(String, String)],
) -> Shown<O> {
    let Some(credential) = chosen.credential(first(ours, "credential")) else {
        return Ok(no_such(context, opened, &request.url, ours));
    };
    let base = context.public_url(&request.url);
    let jar = Jar::read(&request.headers, &base);
    let secret = visitor::secret(context, &jar, opened);
    let sent = SubmittedForm {
        posted,
        browser: crypto::sha256_hex(secret.as_bytes()),
        callback: address(&base, &[&chosen.name, "callback"], &[]).into(),
        client_document: client_document::address(&base, chosen.install_id()).into(),
        is_popup: first(ours, "display") == Some("popup"),
        again: address(&base, &[&chosen.name], &link_of(ours)).into(),
    };
    let submitted = submit_to_account(context, (opened, chosen), credential, sent).await?;
    let form_again = |problems, refusal| {
        let again = RejectedForm {
            posted,
            problems,
            refusal,
        };
        form(context, opened, chosen, &request.url, ours, Some(&again))
    };
    let mut reply = match submitted {
        Submitted::Wrong(problems) => form_again(problems, None),
        Submitted::Refused(failure) => return Ok(show::failed(context, failure, None)),
        Submitted::Redirect { url, state } => {
            let mut reply = show::redirect(&url);
            let state = crypto::sha256_hex(state.as_bytes());
            jar.set(&mut reply, &state, &secret, same_site_of(credential.1));
            reply
        }
        // What was typed and refused can be mended: nothing was stored. All else is an outcome.
        Submitted::Ended(ConnectResult {
            failed:
                Some(ConnectFailed {
                    why: ConnectFailure::ConnectionError,
                    provider,
                    ..
                }),
            ..
        }) if is_typed(credential.1) => {
            form_again(Problems::default(), Some(provider.unwrap_or_default()))
        }
        Submitted::Ended(ended) => show::ended(context, &ended),
    };
    jar.set(&mut reply, &opened.link.hash, &secret, SameSite::Lax);
    Ok(reply)
}

/// This isolate's leases of the account end, also if the outcome is unknown.
async fn submit_to_account<O: Outside>(
    context: &RequestContext<'_, O>,
    (opened, chosen): (&OpenedLink, &Chosen),
    credential: (&str, &Credential),
    sent: SubmittedForm<'_>,
) -> Result<Submitted, Failure> {
    let submitted = submit_form(context.outside, opened, chosen, credential, sent).await;
    let changed = match &submitted {
        Ok(Submitted::Ended(ended)) => Some(ended.account),
        Ok(_) => None,
        Err(_) => opened.link.integrated_account_id,
    };
    if let Some(account) = changed {
        context.leases.end(account);
    }
    submitted
}

/// A sign-in without fields has nothing to correct.
fn is_typed(credential: &Credential) -> bool {
    match credential {
        Credential::Oauth2(_) => false,
        other => !other.redirects() || !other.fields().is_empty(),
    }
}

/// A provider that posts the customer back sends no `Lax` cookie with that.
fn same_site_of(credential: &Credential) -> SameSite {
    let mode = credential
        .oauth()
        .and_then(|config| config.params.get("response_mode"));
    match mode.map(crate::expression::Template::source) {
        Some("form_post") => SameSite::None,
        _ => SameSite::Lax,
    }
}
