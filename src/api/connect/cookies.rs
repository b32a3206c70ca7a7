//! The cookies that bind a link token and a `state` to the browser that sent the form. Each is named by
//! the hash of what it binds, so that several connections can be in progress in parallel.

use std::borrow::Cow;

use cookie::{Cookie, time::Duration};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use url::Url;

pub(super) use cookie::SameSite;

use crate::header_text;
use crate::ports::Reply;

/// Longer than a login waits and a spent link token may be tried again, for customers who leave the form open.
const LIFE: Duration = Duration::hours(1);
/// 8 hex digits of the hash.
const NAMED_BY: usize = 8;

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
        let mut cookies = self
            .header
            .iter()
            .flat_map(|text| Cookie::split_parse(text.as_ref()));
        let found = cookies.find_map(|cookie| cookie.ok().filter(|cookie| cookie.name() == name));
        found
            .map(|cookie| cookie.value().to_owned())
            .filter(|secret| !secret.is_empty())
    }

    pub(super) fn set<S>(
        &self,
        reply: &mut Reply<S>,
        hash: &str,
        secret: &str,
        same_site: SameSite,
    ) {
        let cookie = Cookie::build((self.name(hash), secret.to_owned())).max_age(LIFE);
        // `None` counts only with `Secure`, on loopback, too.
        let is_secure = self.is_https || same_site == SameSite::None;
        add(
            reply,
            cookie
                .http_only(true)
                .path("/")
                .same_site(same_site)
                .secure(is_secure),
        );
    }

    pub(super) fn remove<S>(&self, reply: &mut Reply<S>, hash: &str) {
        let cookie = Cookie::build((self.name(hash), "")).max_age(Duration::ZERO);
        add(
            reply,
            cookie.http_only(true).path("/").secure(self.is_https),
        );
    }

    fn name(&self, hash: &str) -> String {
        let prefix = if self.is_https { "__Host-" } else { "" };
        format!(
            "{prefix}causeway-{}",
            hash.get(..NAMED_BY).unwrap_or_default()
        )
    }
}

fn add<S>(reply: &mut Reply<S>, cookie: cookie::CookieBuilder<'_>) {
    if let Ok(value) = HeaderValue::from_str(&cookie.build().to_string()) {
        reply.headers.append(SET_COOKIE, value);
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
