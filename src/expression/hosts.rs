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
    "`{0}` is not a host pattern; write `api.example.com`, `*.example.com`, `accounts.example.{{com,eu}}`, `http://localhost:8080` or `*`"
)]
pub struct PatternError(String);

/// The patterns of `allowed_hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedHosts(Vec<HostPattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct HostPattern {
    source: String,
    /// One, or one for each public suffix of a list.
    hosts: Vec<HostForm>,
    scheme: &'static str,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostForm {
    /// The customer owns the server: any host, any port.
    Any,
    /// One or more labels before this suffix, which starts with a dot.
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
        self.0
            .iter()
            .any(|pattern| pattern.hosts.contains(&HostForm::Any))
    }
}

impl HostPattern {
    fn permits(&self, url: &Url, host: &str) -> bool {
        if self.hosts.contains(&HostForm::Any) {
            return true;
        }
        let fits = self.hosts.iter().any(|form| form.permits(host));
        let default = if self.scheme == "http" { 80 } else { 443 };
        fits && url.scheme() == self.scheme
            && url.port_or_known_default() == Some(self.port.unwrap_or(default))
    }
}

impl HostForm {
    fn permits(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(exact) => host == exact,
            Self::Below(suffix) => host
                .strip_suffix(suffix.as_str())
                .is_some_and(|label| !label.is_empty()),
        }
    }

    fn parse(bare: &str, is_wild: bool) -> Option<(Self, Option<u16>)> {
        let (host, port) = host_and_port(bare)?;
        match is_wild {
            true if host.contains('.') => Some((Self::Below(format!(".{host}")), port)),
            true => None,
            false => Some((Self::Exactly(host), port)),
        }
    }
}

/// The most public suffixes of a list.
const SUFFIXES: usize = 50;

/// The hosts of `accounts.example.{com,eu,com.au}`; a text without a list is one host. The vendor's own label is before
/// the list, so that no pattern allows all hosts of a suffix.
fn of_suffixes(bare: &str) -> Option<Vec<String>> {
    let Some((front, list)) = bare.split_once('{') else {
        return Some(vec![bare.to_owned()]);
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let suffixes: Vec<&str> = list.strip_suffix('}')?.split(',').collect();
    let has_own_label = front.strip_suffix('.').is_some_and(|own| !own.is_empty());
    let are_suffixes = suffixes.iter().all(|one| one.split('.').all(is_label));
    let hosts = suffixes.iter().map(|suffix| format!("{front}{suffix}"));
    (has_own_label && are_suffixes && suffixes.len() <= SUFFIXES).then(|| hosts.collect())
}

impl FromStr for HostPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let source = text.to_owned();
        if text == "*" {
            return Ok(Self {
                source,
                hosts: vec![HostForm::Any],
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
        let bares = of_suffixes(bare).ok_or_else(error)?;
        let read = bares.iter().map(|bare| HostForm::parse(bare, wild));
        let read: Vec<_> = read.collect::<Option<_>>().ok_or_else(error)?;
        let port = read.first().and_then(|(_, port)| *port);
        let hosts = read.into_iter().map(|(form, _)| form).collect();
        Ok(Self {
            source,
            hosts,
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
            "description": "Host patterns: `api.example.com`, `*.example.com` (one or more labels), with an optional scheme and port; `accounts.example.{com,eu,com.au}` for a vendor under several public suffixes; `*` when the customer owns the server.",
            "examples": [["*.accounts.example.com"]]
        })
    }
}

#[cfg(test)]
mod tests;
