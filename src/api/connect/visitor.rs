//! Whether a page was opened from the application that its link is for, or its visitor has said that they meant to.
//! Otherwise the page asks first: a link can be sent on, to get another person's account connected.

use data_encoding::BASE64URL_NOPAD;
use http::header::REFERER;
use http::{HeaderMap, HeaderValue};
use url::Url;

use super::cookies::{Jar, SameSite};
use super::first;
use crate::api::RequestContext;
use crate::crypto;
use crate::flows::lifecycle::connect::OpenedLink;
use crate::ports::{Incoming, Outside, Reply};

/// The parameter that says so; it counts only in the browser that was asked, which has the secret it is made of.
const CONFIRMED: &str = "confirmed";

/// A browser at a page of one link.
pub(super) struct Visitor<'a> {
    jar: Jar<'a>,
    link: String,
    secret: String,
    is_known: bool,
}

impl<'a> Visitor<'a> {
    pub(super) fn of<O: Outside>(
        context: &RequestContext<'_, O>,
        request: &'a Incoming<O::Stream>,
        opened: &OpenedLink,
        asked: &[(String, String)],
    ) -> Self {
        let jar = Jar::read(&request.headers, &context.public_url(&request.url));
        let link = opened.link.hash.clone();
        let said = first(asked, CONFIRMED).unwrap_or_default();
        let has_said = jar.secret(&link).is_some_and(|secret| {
            crypto::constant_time_eq(answer(&secret, &link).as_bytes(), said.as_bytes())
        });
        let redirect_uri = opened.link.redirect_uri.as_deref();
        Self {
            is_known: has_said || is_from(&request.headers, redirect_uri),
            secret: secret(context, &jar, opened),
            jar,
            link,
        }
    }

    /// Whether nothing has to be asked.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// These parameters for a link on the page, so that the next page does not ask (again).
    pub(super) fn confirmed(&self, asked: &[(String, String)]) -> Vec<(String, String)> {
        let others = asked.iter().filter(|(key, _)| key != CONFIRMED).cloned();
        let own = (CONFIRMED.to_owned(), answer(&self.secret, &self.link));
        others.chain([own]).collect()
    }

    /// Gives the browser its secret.
    pub(super) fn remember<S>(&self, reply: &mut Reply<S>) {
        self.jar.set(reply, &self.link, &self.secret, SameSite::Lax);
    }
}

/// What the browser holds of this link, or will.
pub(super) fn secret<O: Outside>(
    context: &RequestContext<'_, O>,
    jar: &Jar,
    opened: &OpenedLink,
) -> String {
    jar.secret(&opened.link.hash).unwrap_or_else(|| {
        let random: [u8; 32] = context.outside.random();
        BASE64URL_NOPAD.encode(&random)
    })
}

fn answer(secret: &str, link: &str) -> String {
    crypto::sha256_hex(format!("{CONFIRMED}\0{link}\0{secret}").as_bytes())
}

/// Whether the referrer is of the origin that the result goes to (RFC 9110 §10.1.3). Browsers send the origin at least,
/// unless the page that links here forbids it.
fn is_from(headers: &HeaderMap, redirect_uri: Option<&str>) -> bool {
    let mut referrers = headers.get_all(REFERER).iter();
    let (Some(referrer), None) = (referrers.next(), referrers.next()) else {
        return false;
    };
    let origin = |text: &str| Some(Url::parse(text).ok()?.origin());
    let from = HeaderValue::to_str(referrer).ok().and_then(origin);
    from.is_some_and(|from| from.is_tuple() && redirect_uri.and_then(origin) == Some(from))
}
