//! Where in a URL's origin a context key is used, and which values fit
//! there. A form uses it to refuse values that no request could be built of.

use std::collections::BTreeSet;

use crate::expression::placeholder::Placeholder;
use crate::expression::scope::context_key;
use crate::expression::url_parts::{OriginParts, UrlPart};
use crate::expression::url_value::{self, Dots};
use crate::json::Path;

use super::{Pins, UrlTemplate, placeholder};

/// A place in the origin of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OriginPlace {
    /// `https` or `http`.
    Scheme,
    /// Labels of the host.
    Host,
    /// The port.
    Port,
    /// All of it, perhaps with a path: `https://host/base`.
    Whole,
}

impl OriginPlace {
    /// Whether the value of this context key fits here. Of a host only this
    /// part is checked; the whole host is checked when the URL is built.
    pub fn accepts(self, key: &str, value: &str, pins: &Pins) -> bool {
        match self {
            Self::Scheme => pins.plain_http.permits_scheme(value),
            Self::Port => url_value::port(value).is_some(),
            Self::Host => {
                let dots = if pins.dotted_keys.contains(key) {
                    Dots::Allowed
                } else {
                    Dots::Refused
                };
                url_value::host_labels(value, dots).is_some()
            }
            Self::Whole => url_value::whole_origin(value)
                .zip(pins.allowed_hosts)
                .is_some_and(|(url, hosts)| hosts.permits(&url, pins.plain_http)),
        }
    }
}

impl UrlTemplate {
    /// The context keys that scheme, host or port depend on, with their places.
    pub fn origin_places(&self) -> BTreeSet<(String, OriginPlace)> {
        let placed = self.placed_paths().into_iter();
        let keys = placed.filter_map(|(path, place)| Some((context_key(path)?.to_owned(), place)));
        keys.collect()
    }

    /// All that scheme, host or port depend on.
    pub fn origin_paths(&self) -> Vec<&Path> {
        let placed = self.placed_paths().into_iter();
        placed.map(|(path, _)| path).collect()
    }

    fn placed_paths(&self) -> Vec<(&Path, OriginPlace)> {
        match &self.origin {
            OriginParts::Whole(whole) => whole
                .paths()
                .map(|path| (path, OriginPlace::Whole))
                .collect(),
            OriginParts::Parts { scheme, host, port } => of_part(scheme, OriginPlace::Scheme)
                .chain(of_part(host, OriginPlace::Host))
                .chain(
                    port.iter()
                        .flat_map(|port| of_part(port, OriginPlace::Port)),
                )
                .collect(),
        }
    }
}

fn of_part(part: &UrlPart, place: OriginPlace) -> impl Iterator<Item = (&Path, OriginPlace)> {
    let paths = part.iter().filter_map(placeholder);
    paths
        .flat_map(Placeholder::paths)
        .map(move |path| (path, place))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::OriginPlace;
    use crate::expression::{AllowedHosts, Pins, PlainHttp, UrlTemplate};

    #[test]
    fn keys_are_named_with_their_places() {
        let table: [(&str, &[(&str, OriginPlace)]); 4] = [
            ("https://api.x.com/{{a}}", &[]),
            (
                "https://{{a|b}}.x.com:{{c}}",
                &[
                    ("a", OriginPlace::Host),
                    ("b", OriginPlace::Host),
                    ("c", OriginPlace::Port),
                ],
            ),
            ("{{a}}://x.com", &[("a", OriginPlace::Scheme)]),
            ("{{context.a}}/v1", &[("a", OriginPlace::Whole)]),
        ];
        for (source, expected) in table {
            let places = UrlTemplate::parse(source).unwrap().origin_places();
            let expected: BTreeSet<_> = expected
                .iter()
                .map(|(key, place)| ((*key).to_owned(), *place))
                .collect();
            assert_eq!(places, expected, "{source}");
        }
    }

    #[test]
    fn a_value_is_accepted_for_its_place_only() {
        let dotted = BTreeSet::from(["dotted".to_owned()]);
        let hosts = AllowedHosts::parse(["*.my.example.com"]).unwrap();
        let pins = Pins {
            allowed_hosts: Some(&hosts),
            dotted_keys: &dotted,
            plain_http: PlainHttp::Refused,
        };
        let table = [
            (OriginPlace::Host, "key", "one", true),
            (OriginPlace::Host, "key", "a.b", false),
            (OriginPlace::Host, "dotted", "a.b", true),
            (OriginPlace::Host, "dotted", "a.b/", false),
            (OriginPlace::Host, "key", "a@evil.com", false),
            (OriginPlace::Port, "key", "8443", true),
            (OriginPlace::Port, "key", "1/", false),
            (OriginPlace::Scheme, "key", "https", true),
            (OriginPlace::Scheme, "key", "http", false),
            (OriginPlace::Scheme, "key", "ftp", false),
            (OriginPlace::Whole, "key", "https://a.my.example.com", true),
            (OriginPlace::Whole, "key", "http://a.my.example.com", false),
            (OriginPlace::Whole, "key", "https://evil.com", false),
            (OriginPlace::Whole, "key", "a.my.example.com", false),
        ];
        for (place, key, value, expected) in table {
            assert_eq!(
                place.accepts(key, value, &pins),
                expected,
                "{place:?} {value}"
            );
        }
    }
}
