//! The Content-Security-Policy of the pages.

use data_encoding::BASE64;
use url::Url;

use super::logo::https;
use crate::expression::PlainHttp;

/// What marks a page's one style and one script element as ours: 16 fresh
/// random bytes for each answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// The nonce of these random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(BASE64.encode(&random))
    }

    /// The text of the attribute.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which page is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// Any page without a script.
    Plain,
    /// [`super::popup()`], which posts a message.
    Popup,
}

/// The origins that a page's logos come from.
pub fn pictures<'a>(logos: impl IntoIterator<Item = Option<&'a str>>) -> Vec<String> {
    let urls = logos.into_iter().flatten().filter_map(https);
    let origins =
        urls.filter_map(|url| Some(Url::parse(&url).ok()?.origin().ascii_serialization()));
    let mut origins: Vec<String> = origins.collect();
    origins.sort_unstable();
    origins.dedup();
    origins
}

/// The `Content-Security-Policy` header of a page with pictures from these origins.
///
/// `form-action` lists `https:` next to `'self'`, because browsers apply it to
/// where the answer to the POST redirects to: the provider's sign-in page, or
/// the application. Plain `http:` is for providers and applications on a
/// developer's own machine.
pub fn content_security_policy(
    nonce: &Nonce,
    kind: PageKind,
    plain_http: PlainHttp,
    pictures: &[String],
) -> String {
    let nonce = nonce.as_str();
    let script = match kind {
        PageKind::Plain => String::new(),
        PageKind::Popup => format!("script-src 'nonce-{nonce}'; "),
    };
    let http = match plain_http {
        PlainHttp::Refused => "",
        PlainHttp::Allowed => " http:",
    };
    let pictures = pictures
        .iter()
        .fold(String::new(), |all, origin| all + origin + " ");
    format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; {script}img-src {pictures}data:; \
         form-action 'self' https:{http}; base-uri 'none'; frame-ancestors 'none'"
    )
}
