//! Templates of URLs and of paths. A value never moves scheme, host, port or
//! user: it is checked and encoded for the place it stands in, and the URL is
//! parsed again and compared before it is handed out.
//!
//! Whether a host is a private address is the outbound guard's question.

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::cast::text;
use super::hosts::{AllowedHosts, PlainHttp};
use super::placeholder::{Placeholder, WhenMissing};
use super::scope::{TemplateScope, context_key};
use super::template::{Piece, RenderError, Rendered, Template};
use super::url_parts::{self, Origin, Part, Target, UrlTemplateError};
use super::url_value::{self, Dots};

/// What decides where a URL may lead, beside its own literal text.
#[derive(Debug, Clone, Copy)]
pub struct Pins<'a> {
    /// The file's `allowed_hosts`.
    pub allowed_hosts: Option<&'a AllowedHosts>,
    /// The context keys whose field says `allow_dots`.
    pub dotted_keys: &'a BTreeSet<String>,
    /// Whether `http:` may be used.
    pub plain_http: PlainHttp,
}

/// Why a URL could not be built. Names paths and templates, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// A placeholder has no usable value.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A value in the host is not one label of host characters.
    #[error("`{0}` stands in a host and must be one label of letters, digits and hyphens")]
    Host(String),
    /// A value in the port or scheme is none.
    #[error("`{0}` stands in the scheme or port and is neither")]
    SchemeOrPort(String),
    /// A value that is the whole origin is not `https://host`.
    #[error("`{0}` must be a URL such as `https://host`, without user, query or fragment")]
    Origin(String),
    /// A path segment with a placeholder became empty, `.` or `..`.
    #[error("a segment of `{0}` became empty, `.` or `..`")]
    Segment(String),
    /// The host is not among `allowed_hosts`.
    #[error("the host of `{0}` is not one of `allowed_hosts`")]
    NotAllowed(String),
    /// `http:` where only `https:` may be used.
    #[error("`{0}` is not https")]
    PlainHttp(String),
    /// The parser read something else than was written.
    #[error("`{0}` does not give a URL")]
    Unreadable(String),
}

/// A template of a whole URL: `base_url`, a token host, `jwks_url` …
#[derive(Debug, Clone)]
pub struct UrlTemplate {
    template: Template,
    origin: Origin,
    target: Target,
}

/// A template of a path with an optional query; may be empty.
#[derive(Debug, Clone)]
pub struct PathTemplate {
    template: Template,
    target: Target,
}

/// Scheme, host and port as they were composed, to compare with.
struct Front {
    scheme: String,
    host: String,
    port: Option<String>,
    path: String,
}

impl UrlTemplate {
    /// Compiles a URL template.
    pub fn parse(source: &str) -> Result<Self, UrlTemplateError> {
        let template = Template::parse(source)?;
        let (origin, target) = url_parts::url(&template)?;
        Ok(Self {
            template,
            origin,
            target,
        })
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        self.template.source()
    }

    /// Its placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.template.placeholders()
    }

    /// Whether its own text fixes scheme, port and at least the last two
    /// labels of the host. Where it does not, `allowed_hosts` decides.
    pub fn host_is_pinned(&self) -> bool {
        let Origin::Parts { scheme, host, port } = &self.origin else {
            return false;
        };
        let literal = |part: &Part| part.iter().all(|piece| matches!(piece, Piece::Literal(_)));
        if !literal(scheme) || !port.as_ref().is_none_or(literal) {
            return false;
        }
        match host.last() {
            _ if literal(host) => true,
            Some(Piece::Literal(tail)) => has_two_labels(tail),
            _ => false,
        }
    }

    /// The context keys that scheme, host or port depend on.
    pub fn origin_keys(&self) -> BTreeSet<String> {
        let placeholders: Vec<&Placeholder> = match &self.origin {
            Origin::Whole(whole) => vec![whole],
            Origin::Parts { scheme, host, port } => [Some(scheme), Some(host), port.as_ref()]
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(placeholder)
                .collect(),
        };
        let paths = placeholders.into_iter().flat_map(Placeholder::paths);
        paths.filter_map(context_key).map(str::to_owned).collect()
    }

    /// The URL with every placeholder filled.
    pub fn render(&self, scope: &TemplateScope, pins: &Pins) -> Result<Url, UrlError> {
        self.join_target(None, scope, pins)
    }

    /// This URL as a base, and `path` below it, with one slash between them.
    /// The queries of both are kept, the base's first.
    pub fn join(
        &self,
        path: &PathTemplate,
        scope: &TemplateScope,
        pins: &Pins,
    ) -> Result<Url, UrlError> {
        self.join_target(Some(path), scope, pins)
    }

    fn join_target(
        &self,
        path: Option<&PathTemplate>,
        scope: &TemplateScope,
        pins: &Pins,
    ) -> Result<Url, UrlError> {
        let front = self.front(scope, pins)?;
        let mut target = front.path.clone();
        let mut queries = Vec::new();
        add(
            &self.template,
            &self.target,
            scope,
            &mut target,
            &mut queries,
        )?;
        if let Some(path) = path {
            add(
                &path.template,
                &path.target,
                scope,
                &mut target,
                &mut queries,
            )?;
        }
        let authority = front.port.as_ref().map_or_else(
            || front.host.clone(),
            |port| format!("{}:{port}", front.host),
        );
        let mark = if queries.is_empty() { "" } else { "?" };
        let text = format!(
            "{}://{authority}{target}{mark}{}",
            front.scheme,
            queries.join("&")
        );
        let url = Url::parse(&text).map_err(|_| UrlError::Unreadable(self.source().to_owned()))?;
        self.check(&url, &front, &target, pins)?;
        Ok(url)
    }

    fn front(&self, scope: &TemplateScope, pins: &Pins) -> Result<Front, UrlError> {
        let (scheme, host, port) = match &self.origin {
            Origin::Whole(whole) => return self.whole(whole, scope),
            Origin::Parts { scheme, host, port } => (scheme, host, port),
        };
        let scheme = self.compose(scheme, scope, |value, _| {
            matches!(value, "http" | "https").then(|| value.to_owned())
        })?;
        let host = self.compose(host, scope, |value, placeholder| {
            url_value::host_labels(value, dots(placeholder, pins.dotted_keys))
        });
        let port = port
            .as_ref()
            .map(|port| self.compose(port, scope, |value, _| url_value::port(value)));
        Ok(Front {
            scheme: scheme.to_ascii_lowercase(),
            host: host
                .map_err(|error| match error {
                    UrlError::SchemeOrPort(path) => UrlError::Host(path),
                    other => other,
                })?
                .to_ascii_lowercase(),
            port: port.transpose()?,
            path: String::new(),
        })
    }

    fn whole(&self, whole: &Placeholder, scope: &TemplateScope) -> Result<Front, UrlError> {
        let value = fill(&self.template, whole, scope)?;
        let refused = || UrlError::Origin(whole.named());
        let url = url_value::whole_origin(&value).ok_or_else(refused)?;
        Ok(Front {
            scheme: url.scheme().to_owned(),
            host: url.host_str().ok_or_else(refused)?.to_owned(),
            port: url.port().map(|port| port.to_string()),
            path: url.path().trim_end_matches('/').to_owned(),
        })
    }

    /// Literals as they are, values through `accept`.
    fn compose(
        &self,
        part: &Part,
        scope: &TemplateScope,
        accept: impl Fn(&str, &Placeholder) -> Option<String>,
    ) -> Result<String, UrlError> {
        let mut out = String::new();
        for piece in part {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Placeholder(placeholder) => {
                    let value = fill(&self.template, placeholder, scope)?;
                    let value = accept(&value, placeholder);
                    out.push_str(
                        &value.ok_or_else(|| UrlError::SchemeOrPort(placeholder.named()))?,
                    );
                }
            }
        }
        Ok(out)
    }

    /// Reads the URL back: what was composed is what will be requested.
    fn check(&self, url: &Url, front: &Front, target: &str, pins: &Pins) -> Result<(), UrlError> {
        let source = || self.source().to_owned();
        let port = front.port.as_ref().and_then(|port| port.parse().ok());
        let default = if front.scheme == "http" { 80 } else { 443 };
        let same = url.scheme() == front.scheme
            && url.host_str() == Some(front.host.as_str())
            && url.port_or_known_default() == Some(port.unwrap_or(default))
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
            && url.path().matches('/').count() == target.matches('/').count().max(1);
        if !same {
            return Err(UrlError::Unreadable(source()));
        }
        if !pins.plain_http.permits_scheme(url.scheme()) {
            return Err(UrlError::PlainHttp(source()));
        }
        let allowed = self.host_is_pinned()
            || pins
                .allowed_hosts
                .is_some_and(|hosts| hosts.permits(url, pins.plain_http));
        if allowed {
            Ok(())
        } else {
            Err(UrlError::NotAllowed(source()))
        }
    }
}

impl PathTemplate {
    /// Compiles a path template: `/contacts/{{id}}?fields=all`.
    pub fn parse(source: &str) -> Result<Self, UrlTemplateError> {
        let template = Template::parse(source)?;
        let target = url_parts::path(&template)?;
        Ok(Self { template, target })
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        self.template.source()
    }

    /// Its placeholders, in order.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.template.placeholders()
    }
}

impl Default for PathTemplate {
    fn default() -> Self {
        Self {
            template: Template::empty(),
            target: Target::default(),
        }
    }
}

/// Appends a target's segments to `path` and its query to `queries`.
fn add(
    template: &Template,
    target: &Target,
    scope: &TemplateScope,
    path: &mut String,
    queries: &mut Vec<String>,
) -> Result<(), UrlError> {
    if !target.segments.is_empty() && path.ends_with('/') {
        path.pop();
    }
    for segment in &target.segments {
        let (text, filled) = encode(template, segment, scope)?;
        if filled && (text.is_empty() || url_value::walks(&text)) {
            return Err(UrlError::Segment(template.source().to_owned()));
        }
        path.push('/');
        path.push_str(&text);
    }
    if let Some(query) = &target.query {
        let (text, _) = encode(template, query, scope)?;
        queries.extend(Some(text).filter(|text| !text.is_empty()));
    }
    Ok(())
}

/// A part with its values percent-encoded, and whether it had any.
fn encode(
    template: &Template,
    part: &Part,
    scope: &TemplateScope,
) -> Result<(String, bool), UrlError> {
    let (mut out, mut filled) = (String::new(), false);
    for piece in part {
        match piece {
            Piece::Literal(text) => out.push_str(text),
            Piece::Placeholder(placeholder) => {
                filled = true;
                out.push_str(&url_value::encoded(&fill(template, placeholder, scope)?));
            }
        }
    }
    Ok((out, filled))
}

/// A placeholder's value as text; `null` counts as missing.
fn fill(
    template: &Template,
    placeholder: &Placeholder,
    scope: &TemplateScope,
) -> Result<String, UrlError> {
    match template.fill(placeholder, scope)? {
        Rendered::Dropped => Ok(String::new()),
        Rendered::Value(value) if value.is_null() => match placeholder.when_missing() {
            WhenMissing::Drop => Ok(String::new()),
            _ => Err(template.missing(placeholder).into()),
        },
        Rendered::Value(value) => Ok(text(&value)),
    }
}

fn placeholder(piece: &Piece) -> Option<&Placeholder> {
    match piece {
        Piece::Placeholder(placeholder) => Some(placeholder),
        Piece::Literal(_) => None,
    }
}

/// Dots are allowed where every field the placeholder may read says so.
fn dots(placeholder: &Placeholder, dotted: &BTreeSet<String>) -> Dots {
    let allowed = placeholder
        .paths()
        .all(|path| context_key(path).is_some_and(|key| dotted.contains(key)));
    if allowed {
        Dots::Allowed
    } else {
        Dots::Refused
    }
}

/// Whether the text behind the last placeholder of a host holds two whole
/// labels; a partial one in front of the first dot does not count.
fn has_two_labels(tail: &str) -> bool {
    let Some((_, labels)) = tail.split_once('.') else {
        return false;
    };
    let labels: Vec<&str> = labels.split('.').collect();
    labels.len() >= 2 && labels.iter().all(|label| !label.is_empty())
}

impl<'de> Deserialize<'de> for UrlTemplate {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(input)?).map_err(serde::de::Error::custom)
    }
}

impl Serialize for UrlTemplate {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        self.template.serialize(output)
    }
}

impl<'de> Deserialize<'de> for PathTemplate {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(input)?).map_err(serde::de::Error::custom)
    }
}

impl Serialize for PathTemplate {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        self.template.serialize(output)
    }
}

impl JsonSchema for UrlTemplate {
    fn schema_name() -> Cow<'static, str> {
        "UrlTemplate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A URL with placeholders. A placeholder in the host gives one label; the host keeps two literal labels at its end, or `allowed_hosts` decides.",
            "examples": ["https://{{subdomain}}.example.com/api", "{{instance_url}}"]
        })
    }
}

impl JsonSchema for PathTemplate {
    fn schema_name() -> Cow<'static, str> {
        "PathTemplate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A path below the base URL, with placeholders, which are percent-encoded; may carry a query.",
            "examples": ["/contacts/{{id}}", "/search?q={{query.q}}"]
        })
    }
}

#[cfg(test)]
mod tests;
