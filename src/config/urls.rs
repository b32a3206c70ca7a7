//! The URLs of a file, and what of the context decides their hosts.

use std::collections::{BTreeMap, BTreeSet};

use crate::expression::{OriginPlace, UrlTemplate};

use super::{Config, Webhook};

impl Config {
    /// Every URL of the file with its path in it, methods' included.
    pub fn urls(&self) -> Vec<(String, &UrlTemplate)> {
        let mut urls: Vec<(String, &UrlTemplate)> = Vec::new();
        urls.extend(
            self.base_url
                .as_ref()
                .map(|url| ("config.base_url".to_owned(), url)),
        );
        for (format, credential) in &self.credentials {
            let at = format!("config.credentials.{format}.config");
            urls.extend(
                credential
                    .urls()
                    .into_iter()
                    .map(|(key, url)| (format!("{at}.{key}"), url)),
            );
        }
        for (resource, methods) in &self.resources {
            for (name, method) in methods {
                let url = method.base_url.as_ref();
                urls.extend(
                    url.map(|url| (format!("config.resources.{resource}.{name}.base_url"), url)),
                );
            }
        }
        for placed in self.placed_actions() {
            let own = placed.action.urls();
            urls.extend(own.map(|(at, url)| (format!("{}{at}", placed.place()), url)));
        }
        urls.extend(self.webhook.iter().flat_map(Webhook::jwks_urls));
        urls
    }

    /// The context keys that scheme, host or port of any URL depends on. They
    /// change only together with new credentials.
    pub fn origin_keys(&self) -> BTreeSet<String> {
        self.origin_places().into_keys().collect()
    }

    /// The same keys, each with the places in which it is used.
    pub fn origin_places(&self) -> BTreeMap<String, BTreeSet<OriginPlace>> {
        let mut places: BTreeMap<String, BTreeSet<OriginPlace>> = BTreeMap::new();
        for (_, url) in self.urls() {
            for (key, place) in url.origin_places() {
                places.entry(key).or_default().insert(place);
            }
        }
        places
    }
}
