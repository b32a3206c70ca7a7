//! The cookies that bind a link token and a `state` to the browser that sent the form. Each is named by
//! the hash of what it binds, so that several connections can be in progress in parallel. Two header
//! fields (RFC 6265) of our own names and values: the crate `cookie` brings a calendar of 70 KB.

use std::borrow::Cow;

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use url::Url;

use crate::header_text;
use crate::ports::Reply;

/// Seconds. Longer than a login waits and a spent link token may be tried again, for customers who leave the form open.
const LIFE: u32 = 3_600;
/// 8 hex digits of the hash.
const NAMED_BY: usize = 8;

/// With which requests of other sites a cookie goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SameSite {
    /// Navigations by GET.
    Lax,
    /// All.
    None,
}

/// What the browser sent, and how cookies are set for it.
pub(super) struct Jar<'a> {
    header: Vec<Cow<'a, str>>,
    /// `__Host-` cookies need https.
    is_https: bool,
}

impl<'a> Jar<'a> {
    /// Of a request to this origin.
    pub(super) fn read(headers: &'a HeaderMap, base: &Url) -> Self {
        let values = headers.get_all(COOKIE).iter();
        Self {
            header: values.map(header_text::text).collect(),
            is_https: base.scheme() == "https",
        }
    }

    /// The secret bound to this hash.
    pub(super) fn secret(&self, hash: &str) -> Option<String> {
        let name = self.name(hash);
        let cookies = self.header.iter().flat_map(|text| text.split(';'));
        let mut pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
        let found = pairs.find(|(own, _)| *own == name);
        found
            .map(|(_, secret)| secret.to_owned())
            .filter(|secret| !secret.is_empty())
    }

    /// The secret is of URL-safe characters, so it needs no quotes.
    pub(super) fn set<S>(
        &self,
        reply: &mut Reply<S>,
        hash: &str,
        secret: &str,
        same_site: SameSite,
    ) {
        self.add(reply, hash, secret, LIFE, same_site);
    }

    pub(super) fn remove<S>(&self, reply: &mut Reply<S>, hash: &str) {
        self.add(reply, hash, "", 0, SameSite::Lax);
    }

    fn add<S>(
        &self,
        reply: &mut Reply<S>,
        hash: &str,
        value: &str,
        life: u32,
        same_site: SameSite,
    ) {
        let name = self.name(hash);
        // `None` counts only with `Secure`, on loopback, too.
        let (same_site, secure) = match same_site {
            SameSite::None => ("None", "; Secure"),
            SameSite::Lax if self.is_https => ("Lax", "; Secure"),
            SameSite::Lax => ("Lax", ""),
        };
        let cookie = format!(
            "{name}={value}; HttpOnly; SameSite={same_site}{secure}; Path=/; Max-Age={life}"
        );
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            reply.headers.append(SET_COOKIE, value);
        }
    }

    fn name(&self, hash: &str) -> String {
        let prefix = if self.is_https { "__Host-" } else { "" };
        format!(
            "{prefix}causeway-{}",
            hash.get(..NAMED_BY).unwrap_or_default()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_cookie_of_any_bytes_hides_none_of_ours() {
        let base = Url::parse("https://gateway.example").unwrap();
        let hash = "0123456789abcdef";
        let own = Jar::read(&HeaderMap::new(), &base).name(hash);
        for other in ["other=café", "other=日本", "other=\u{fffd}"] {
            let mut headers = HeaderMap::new();
            let value = header_text::value_of(&format!("{other}; {own}=of-ours"));
            headers.insert(COOKIE, value.unwrap());
            let secret = Jar::read(&headers, &base).secret(hash);
            assert_eq!(secret.as_deref(), Some("of-ours"), "{other}");
        }
    }
}
