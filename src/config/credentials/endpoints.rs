//! The provider's endpoints, put together from hosts, paths and whole URLs.

use crate::expression::{PathTemplate, UrlTemplate};

use super::Endpoints;

/// An endpoint: a whole URL, or an origin with a path.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint<'a> {
    /// The URL, or the origin.
    pub base: &'a UrlTemplate,
    /// The path after the origin.
    pub path: Option<&'a PathTemplate>,
}

impl Endpoints {
    /// Where customers authorise.
    pub fn authorize(&self) -> Option<Endpoint<'_>> {
        let host = self.authorize_host.as_ref().or(self.token_host.as_ref());
        endpoint(
            self.authorize_url.as_ref(),
            host,
            self.authorize_path.as_ref(),
        )
    }

    /// Where codes are exchanged for tokens.
    pub fn token(&self) -> Option<Endpoint<'_>> {
        endpoint(
            self.token_url.as_ref(),
            self.token_host.as_ref(),
            self.token_path.as_ref(),
        )
    }

    /// Where tokens are refreshed.
    pub fn refresh(&self) -> Option<Endpoint<'_>> {
        let own = endpoint(
            self.refresh_url.as_ref(),
            self.token_host.as_ref(),
            self.refresh_path.as_ref(),
        );
        own.or_else(|| self.token())
    }

    /// Where tokens are revoked.
    pub fn revoke(&self) -> Option<Endpoint<'_>> {
        endpoint(None, self.token_host.as_ref(), self.revoke_path.as_ref())
    }

    /// Where tokens are looked into.
    pub fn introspect(&self) -> Option<Endpoint<'_>> {
        endpoint(
            None,
            self.token_host.as_ref(),
            self.introspect_path.as_ref(),
        )
    }

    /// Its paths, each with its key.
    pub fn paths(&self) -> Vec<(&'static str, &PathTemplate)> {
        let paths = [
            ("authorizePath", &self.authorize_path),
            ("tokenPath", &self.token_path),
            ("refreshPath", &self.refresh_path),
            ("revokePath", &self.revoke_path),
            ("introspectPath", &self.introspect_path),
        ];
        let set = paths.into_iter();
        set.filter_map(|(key, path)| Some((key, path.as_ref()?)))
            .collect()
    }

    /// Its URLs, each with its key.
    pub fn urls(&self) -> Vec<(&'static str, &UrlTemplate)> {
        let urls = [
            ("authorizeHost", &self.authorize_host),
            ("tokenHost", &self.token_host),
            ("authorizeUrl", &self.authorize_url),
            ("tokenUrl", &self.token_url),
            ("refreshUrl", &self.refresh_url),
            ("discover", &self.discover),
            ("registrationUrl", &self.registration_url),
        ];
        urls.into_iter()
            .filter_map(|(key, url)| Some((key, url.as_ref()?)))
            .collect()
    }
}

fn endpoint<'a>(
    whole: Option<&'a UrlTemplate>,
    host: Option<&'a UrlTemplate>,
    path: Option<&'a PathTemplate>,
) -> Option<Endpoint<'a>> {
    match (whole, host, path) {
        (Some(base), _, _) => Some(Endpoint { base, path: None }),
        (None, Some(base), Some(path)) => Some(Endpoint {
            base,
            path: Some(path),
        }),
        _ => None,
    }
}
