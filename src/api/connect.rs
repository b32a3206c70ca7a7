//! `/connect`: the pages a customer sees, and the way to the provider and back.

mod cookies;
mod form;
mod opening;
pub(super) mod show;
mod visitor;

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use url::Url;

use super::RequestContext;
use super::route::ConnectRoute;
use super::unproved::Sender;
use crate::account::token::{self, TokenKind, TokenProof};
use crate::config::Credential;
use crate::connect::form::Problems;
use crate::connect::outcome::ConnectFailure;
use crate::connect::page::{self, Brand, Card, Choose};
use crate::crypto;
use crate::error::Failure;
use crate::flows::base::body;
use crate::flows::base::memory::values::{bytes_of_values, too_many_values};
use crate::flows::lifecycle::connect as flow;
use crate::flows::lifecycle::connect::submit::submit as submit_form;
use crate::flows::lifecycle::connect::{Chosen, OpenedLink, Submitted, SubmittedForm};
use crate::flows::messages::connecting::{CallbackRequest, ConnectFailed, ConnectResult};
use crate::json;
use crate::ports::{Body, Incoming, Outside, Reply};
use crate::settings::{FORM_BYTES, FORM_FIELDS};
use cookies::{Jar, SameSite};
use form::{RejectedForm, address, form, link_of, no_such, on_this_host};
use opening::{open, proved, refused, unproved};
use show::{HtmlPage, application};
use visitor::Visitor;

type Shown<O> = Result<Reply<<O as crate::ports::HttpClient>::Stream>, Failure>;

/// Answers with a page in every case: a customer reads it.
pub(super) async fn answer<O: Outside>(
    context: &RequestContext<'_, O>,
    route: ConnectRoute,
    request: Incoming<O::Stream>,
) -> Reply<O::Stream> {
    let shown = match route {
        ConnectRoute::Choose => choose(context, &request).await,
        ConnectRoute::Form(name) => show_form(context, &name, &request).await,
        ConnectRoute::Submit(name) => submit(context, &name, request).await,
        ConnectRoute::Callback(name) => callback(context, &name, request).await,
    };
    shown.unwrap_or_else(|failure| {
        super::log_ours(context, &failure);
        show::broken(context, &failure)
    })
}

async fn choose<O: Outside>(
    context: &RequestContext<'_, O>,
    request: &Incoming<O::Stream>,
) -> Shown<O> {
    let asked = pairs(&request.url);
    let opened = match open(context, request, &asked).await? {
        Ok(opened) => opened,
        Err(failure) => return Ok(show::failed(context, failure, None)),
    };
    let base = context.public_url(&request.url);
    let visitor = Visitor::of(context, request, &opened, &asked);
    if let Some(name) = &opened.link.integration {
        // The form of the named integration asks the rest.
        let asked = if visitor.is_known() {
            visitor.confirmed(&asked)
        } else {
            asked
        };
        let mut reply = show::redirect(&address(&base, &[name], &asked));
        visitor.remember(&mut reply);
        return Ok(reply);
    }
    let asked = visitor.confirmed(&asked);
    if !visitor.is_known() {
        let href = on_this_host(&address(&base, &[], &asked));
        let mut reply = show::question(context, None, &opened.link, &href);
        visitor.remember(&mut reply);
        return Ok(reply);
    }
    let offered = flow::offered(context.outside, context.isolate, &opened).await?;
    let cards = offered.iter().map(|(name, resolved)| Card {
        brand: Brand::of(name, &resolved.compiled.config),
        href: address(&base, &[name], &asked).into(),
    });
    let page = Choose {
        cards: cards.collect(),
        application: application(&opened.link),
    };
    let logos = page.cards.iter().map(|card| card.brand.logo);
    let pictures = page::pictures(logos.chain([page.application.logo]));
    let nonce = show::nonce(context);
    let text = page::choose(&page, &nonce);
    let page = HtmlPage::plain(text, &nonce, &pictures);
    let mut reply = show::html(context, 200, page);
    visitor.remember(&mut reply);
    Ok(reply)
}

async fn show_form<O: Outside>(
    context: &RequestContext<'_, O>,
    name: &str,
    request: &Incoming<O::Stream>,
) -> Shown<O> {
    let asked = pairs(&request.url);
    let opened = match open(context, request, &asked).await? {
        Ok(opened) => opened,
        Err(failure) => return Ok(show::failed(context, failure, None)),
    };
    let Some(chosen) = flow::choose(context.outside, context.isolate, &opened, name).await? else {
        return Ok(no_such(context, &opened, &request.url, &asked));
    };
    let visitor = Visitor::of(context, request, &opened, &asked);
    let asked = visitor.confirmed(&asked);
    let mut reply = if visitor.is_known() {
        form(context, &opened, &chosen, &request.url, &asked, None)
    } else {
        let href = address(&context.public_url(&request.url), &[name], &asked);
        let brand = Brand::of(&chosen.name, chosen.config());
        show::question(context, Some(brand), &opened.link, &on_this_host(&href))
    };
    // The browser has its secret before it sends the form: should the answer to that be lost, it may send it again.
    visitor.remember(&mut reply);
    Ok(reply)
}

async fn submit<O: Outside>(
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
        is_popup: first(ours, "display") == Some("popup"),
        again: address(&base, &[&chosen.name], &link_of(ours)).into(),
    };
    let submitted = submit_form(context.outside, opened, chosen, credential, sent).await?;
    let form_again = |problems, refusal| {
        let again = RejectedForm {
            posted,
            problems,
            refusal,
        };
        form(context, opened, chosen, &request.url, ours, Some(&again))
    };
    let is_typed = !matches!(credential.1, Credential::Oauth2(_));
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
        }) if is_typed => form_again(Problems::default(), Some(provider.unwrap_or_default())),
        Submitted::Ended(ended) => show::ended(context, &ended),
    };
    jar.set(&mut reply, &opened.link.hash, &secret, SameSite::Lax);
    Ok(reply)
}

async fn callback<O: Outside>(
    context: &RequestContext<'_, O>,
    name: &str,
    request: Incoming<O::Stream>,
) -> Shown<O> {
    let base = context.public_url(&request.url);
    let jar = Jar::read(&request.headers, &base);
    let parameters = if request.method == Method::POST {
        posted(context, request.body).await?
    } else {
        pairs(&request.url)
    };
    let unknown = || show::failed(context, ConnectFailure::InvalidToken, None);
    let state = first(&parameters, "state").unwrap_or_default().to_owned();
    if state.is_empty() {
        return Ok(unknown());
    }
    let sender = Sender::of(context, &request.headers);
    let read = token::read_token(sender.keyring()?, TokenKind::State, &state);
    let Some((account, proof)) = proved(&sender, read).await? else {
        return Ok(unknown());
    };
    if proof == TokenProof::Signed {
        context.room.prove()?;
    }
    let hash = crypto::sha256_hex(state.as_bytes());
    let Some(secret) = jar.secret(&hash) else {
        return Ok(unknown());
    };
    let came = CallbackRequest {
        state,
        browser: crypto::sha256_hex(secret.as_bytes()),
        integration: name.to_owned(),
        parameters,
    };
    let Some(ended) = flow::handle_callback(context.outside, account, came).await? else {
        if proof == TokenProof::Unsigned {
            refused(sender.named_nothing(unproved()).await)?;
        }
        return Ok(unknown());
    };
    let mut reply = show::ended(context, &ended);
    jar.remove(&mut reply, &hash);
    Ok(reply)
}

/// The fields of a form.
async fn posted<O: Outside>(
    context: &RequestContext<'_, O>,
    body: Body<O::Stream>,
) -> Result<Vec<(String, String)>, Failure> {
    let bytes = body::read(context.outside, body, FORM_BYTES, &context.room).await?;
    let fields = json::count_fields(&bytes);
    if fields > FORM_FIELDS {
        return Err(too_many_values("The form", FORM_FIELDS));
    }
    context.room.take(bytes_of_values(fields, bytes.len()))?;
    Ok(form_urlencoded::parse(&bytes).into_owned().collect())
}

/// Whether another site's page has sent our form, in the customer's name and without their knowledge (Fetch
/// Metadata). `Origin` does not tell: our pages send no referrer, so it is `null`.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    site.is_some_and(|site| site != b"same-origin" && site != b"none")
}

/// Our parameters next to the fields of a form.
const OURS: [&str; 4] = ["link_token", "credential", "display", "confirmed"];

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

fn pairs(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().into_owned().collect()
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}
