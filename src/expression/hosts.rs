//! `allowed_hosts`: where requests may go when a URL's own text does not say.
//! Addresses and private networks are the outbound guard's business, not ours.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

/// Whether `http:` may be used at all. The service allows it only with
/// `ALLOW_PRIVATE_UPSTREAMS`, for development.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// Only `https:`.
    Refused,
    /// `http:` too, where the pattern or the URL says so.
    Allowed,
}

impl PlainHttp {
    /// Whether a URL of this scheme may be requested.
    pub fn permits_scheme(self, scheme: &str) -> bool {
        scheme == "https" || (scheme == "http" && self == Self::Allowed)
    }
}

/// Why a text is not a host pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a host pattern; write `api.example.com`, `*.example.com`, `http://localhost:8080` or `*`"
)]
pub struct PatternError(String);

/// The patterns of `allowed_hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedHosts(Vec<HostPattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct HostPattern {
    source: String,
    host: HostForm,
    scheme: &'static str,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostForm {
    /// The customer owns the server: any host, any port.
    Any,
    /// One or more labels in front of this suffix, which starts with a dot.
    Below(String),
    Exactly(String),
}

impl AllowedHosts {
    /// Parses the patterns of a file.
    pub fn parse<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<Self, PatternError> {
        patterns
            .into_iter()
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether one pattern allows this URL: host, scheme and port.
    ///
    /// Without a scheme a pattern means `https`; without a port, the scheme's
    /// default one. `*` allows any host and port, and `http` where
    /// [`PlainHttp`] does.
    pub fn permits(&self, url: &Url, plain_http: PlainHttp) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        plain_http.permits_scheme(url.scheme())
            && url.username().is_empty()
            && url.password().is_none()
            && self.0.iter().any(|pattern| pattern.permits(url, host))
    }

    /// Whether there is no pattern at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `*` is among the patterns.
    pub fn is_any(&self) -> bool {
        self.0.iter().any(|pattern| pattern.host == HostForm::Any)
    }
}

impl HostPattern {
    fn permits(&self, url: &Url, host: &str) -> bool {
        let fits = match &self.host {
            HostForm::Any => return true,
            HostForm::Exactly(exact) => host == exact,
            HostForm::Below(suffix) => host
                .strip_suffix(suffix.as_str())
                .is_some_and(|label| !label.is_empty()),
        };
        let default = if self.scheme == "http" { 80 } else { 443 };
        fits && url.scheme() == self.scheme
            && url.port_or_known_default() == Some(self.port.unwrap_or(default))
    }
}

impl FromStr for HostPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let source = text.to_owned();
        if text == "*" {
            return Ok(Self {
                source,
                host: HostForm::Any,
                scheme: "https",
                port: None,
            });
        }
        let error = || PatternError(text.to_owned());
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => ("http", rest),
            Some(("https", rest)) => ("https", rest),
            Some(_) => return Err(error()),
            None => ("https", text),
        };
        let (wild, bare) = match rest.strip_prefix("*.") {
            Some(bare) => (true, bare),
            None => (false, rest),
        };
        let (host, port) = host_and_port(bare).ok_or_else(error)?;
        let host = match wild {
            true if host.contains('.') => HostForm::Below(format!(".{host}")),
            true => return Err(error()),
            false => HostForm::Exactly(host),
        };
        Ok(Self {
            source,
            host,
            scheme,
            port,
        })
    }
}

/// Parses `host[:port]` as a URL would, and refuses anything more.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    if text.is_empty() || !text.chars().all(harmless) {
        return None;
    }
    // A scheme without a default port, so that `:443` is kept as it is written.
    let url = Url::parse(&format!("https://{text}/")).ok()?;
    let port = match text.rsplit_once(':') {
        Some((_, digits)) if !text.ends_with(']') => Some(digits.parse().ok()?),
        _ => None,
    };
    Some((url.host_str()?.to_owned(), port))
}

/// Reads an array, or one pattern alone.
impl<'de> Deserialize<'de> for AllowedHosts {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(PatternsVisitor)
    }
}

struct PatternsVisitor;

impl<'de> Visitor<'de> for PatternsVisitor {
    type Value = AllowedHosts;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("an array of host patterns")
    }

    fn visit_str<E: Error>(self, pattern: &str) -> Result<AllowedHosts, E> {
        AllowedHosts::parse([pattern]).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<AllowedHosts, A::Error> {
        let mut patterns = Vec::new();
        while let Some(pattern) = items.next_element::<HostPattern>()? {
            patterns.push(pattern);
        }
        Ok(AllowedHosts(patterns))
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?
            .parse()
            .map_err(D::Error::custom)
    }
}

impl Serialize for AllowedHosts {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.collect_seq(self.0.iter().map(|pattern| &pattern.source))
    }
}

impl JsonSchema for AllowedHosts {
    fn schema_name() -> Cow<'static, str> {
        "AllowedHosts".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["array", "string"],
            "items": {"type": "string"},
            "description": "Host patterns: `api.example.com`, `*.example.com` (one or more labels), with an optional scheme and port; `*` when the customer owns the server.",
            "examples": [["*.accounts.example.com"]]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{AllowedHosts, PlainHttp};

    fn permits(pattern: &str, url: &str) -> bool {
        let hosts = AllowedHosts::parse([pattern]).unwrap();
        hosts.permits(&url.parse().unwrap(), PlainHttp::Allowed)
    }

    #[test]
    fn a_pattern_permits_its_hosts_and_no_others() {
        let table = [
            ("api.example.com", "https://api.example.com/x", true),
            ("API.example.com", "https://api.EXAMPLE.com:443/", true),
            ("api.example.com", "https://evilapi.example.com/", false),
            (
                "api.example.com",
                "https://api.example.com.evil.com/",
                false,
            ),
            ("api.example.com", "https://api.example.com:8443/", false),
            ("api.example.com", "http://api.example.com/", false),
            ("api.example.com", "https://user@api.example.com/", false),
            ("*.my.example.com", "https://acme.my.example.com/", true),
            ("*.my.example.com", "https://a.b.my.example.com/", true),
            ("*.my.example.com", "https://my.example.com/", false),
            ("*.my.example.com", "https://evilmy.example.com/", false),
            ("*.x.com:8443", "https://a.x.com:8443/", true),
            ("*.x.com:8443", "https://a.x.com/", false),
            ("http://localhost:4873", "http://localhost:4873/a", true),
            ("http://localhost:4873", "https://localhost:4873/a", false),
            ("http://127.0.0.1:80", "http://127.0.0.1/", true),
            ("*", "https://anything.internal:9999/", true),
            ("*", "http://anything.internal/", true),
            ("*", "https://user@x.com/", false),
            ("*", "ftp://x.com/", false),
        ];
        for (pattern, url, expected) in table {
            assert_eq!(permits(pattern, url), expected, "{pattern} {url}");
        }
    }

    #[test]
    fn plain_http_needs_the_callers_word() {
        for pattern in ["*", "http://localhost:4873"] {
            let hosts = AllowedHosts::parse([pattern]).unwrap();
            let url = "http://localhost:4873/".parse().unwrap();
            assert!(!hosts.permits(&url, PlainHttp::Refused), "{pattern}");
            assert!(hosts.permits(&url, PlainHttp::Allowed), "{pattern}");
        }
    }

    #[test]
    fn what_is_not_a_pattern_is_refused() {
        for text in [
            "",
            "*.com",
            "*com",
            "a.*.com",
            "ftp://x.com",
            "x.com/path",
            "x.com?",
            "u@x.com",
            "x.com:port",
            "x.com:99999",
            "https://",
            "exämple.com",
            "x .com",
            "*.*",
            "**",
        ] {
            assert!(AllowedHosts::parse([text]).is_err(), "{text}");
        }
    }
}
