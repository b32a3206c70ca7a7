//! `/connect`: the pages a customer sees, and the way to the provider and back.

mod cookies;
mod form;
mod opening;
pub(super) mod show;
mod submit;
mod visitor;

use http::{HeaderMap, HeaderValue, Method};
use url::Url;

use super::RequestContext;
use super::route::ConnectRoute;
use super::unproved::Sender;
use crate::account::seal::Keyring;
use crate::account::token::{self, TokenKind, TokenProof};
use crate::connect::outcome::ConnectFailure;
use crate::connect::page::{self, Brand, Card, Choose};
use crate::crypto;
use crate::error::Failure;
use crate::flows::base::body;
use crate::flows::base::memory::values::{bytes_of_values, too_many_values};
use crate::flows::lifecycle::connect as flow;
use crate::flows::messages::connecting::CallbackRequest;
use crate::ids::AccountId;
use crate::json;
use crate::ports::{Body, Incoming, Outside, Reply};
use crate::settings::{FORM_BYTES, FORM_FIELDS};
use cookies::Jar;
pub(super) use form::address;
use form::{form, no_such, on_this_host};
use opening::{open, proved, refused, unproved};
use show::{HtmlPage, application};
use submit::submit;
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
    let sender = Sender::of(context, &request.headers);
    let Some(state) = state_of(&parameters, sender.keyring()?).map(str::to_owned) else {
        return Ok(unknown());
    };
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
    let ended = flow::handle_callback(context.outside, account, came).await;
    if !matches!(ended, Ok(None)) {
        context.leases.end(account);
    }
    let Some(ended) = ended? else {
        if proof == TokenProof::Unsigned {
            refused(sender.named_nothing(unproved()).await)?;
        }
        return Ok(unknown());
    };
    let mut reply = show::ended(context, &ended);
    jar.remove(&mut reply, &hash);
    Ok(reply)
}

/// `state`; where a file gives it another name, the one value that this gateway signed as one. The object compares the name.
fn state_of<'p>(parameters: &'p [(String, String)], ring: &Keyring) -> Option<&'p str> {
    let is_signed = |text: &&str| {
        let read = token::read_token::<AccountId>(ring, TokenKind::State, text);
        read.is_some_and(|(_, proof)| proof == TokenProof::Signed)
    };
    match first(parameters, "state").filter(|text| !text.is_empty()) {
        Some(text) => Some(text),
        None => parameters
            .iter()
            .map(|(_, value)| value.as_str())
            .find(is_signed),
    }
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

fn pairs(url: &Url) -> Vec<(String, String)> {
    url.query_pairs().into_owned().collect()
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}
