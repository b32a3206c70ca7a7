//! What a page's request gets on top of the method's own.

use http::HeaderMap;
use serde_json::{Map, Value};
use url::Url;

use super::PageError;
use crate::json::{self, Path};

/// What a page's request gets on top of the method's own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PageParameters {
    /// Path and query instead of the method's own, from the origin.
    pub link: Option<String>,
    /// Parameters, decoded; each replaces all of its name.
    pub query: Vec<(String, String)>,
    /// Header fields; each replaces all of its name.
    pub headers: HeaderMap,
    /// Entries of a JSON body, as JSON text; the dots of a key nest.
    pub body: Vec<(Path, String)>,
    /// The root `pagination` of placeholders.
    pub values: Map<String, Value>,
}

impl PageParameters {
    /// The method's address, or the link's on the same origin. The parameters are not in it yet.
    #[must_use]
    pub fn address(&self, own: &Url) -> Url {
        let mut url = own.clone();
        if let Some(link) = &self.link {
            let (path, query) = link
                .split_once('?')
                .map_or((link.as_str(), None), |(path, query)| (path, Some(query)));
            url.set_path(path);
            url.set_query(query);
        }
        url
    }

    /// A JSON body (empty text: none) with the entries in it; everything else stays as it was written.
    pub fn body_onto(&self, body: &str) -> Result<String, PageError> {
        let start = body.trim_start();
        if !self.body.is_empty() && !matches!(start.as_bytes().first(), None | Some(b'{')) {
            return Err(PageError::Body);
        }
        self.body
            .iter()
            .try_fold(body.to_owned(), |body, (path, value)| {
                json::set(&body, path.parts(), value).map_err(|_| PageError::Body)
            })
    }

    /// Names a value for placeholders.
    pub(super) fn tell(&mut self, name: &str, value: impl Into<Value>) {
        self.values.insert(name.to_owned(), value.into());
    }

    pub(super) fn put_in_query(&mut self, key: &str, value: String) {
        self.query.push((key.to_owned(), value));
    }

    pub(super) fn put_in_body(&mut self, key: &str, json: String) {
        // A key that is no path cannot nest; it is an entry at the top.
        let path = key.parse().unwrap_or_else(|_| Path::of_one(key));
        self.body.push((path, json));
    }
}
