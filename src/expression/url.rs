//! Templates of URLs and of paths. A value never moves scheme, host, port or
//! user: it is checked and encoded for its place, and the URL is
//! parsed again and compared before it is handed out.
//!
//! Whether a host is a private address is the outbound guard's question.

use std::collections::BTreeSet;

use super::hosts::{AllowedHosts, PlainHttp};
use super::placeholder::Placeholder;
use super::room;
use super::template::{RenderError, Template, TemplatePiece};
use super::url_parts::{self, OriginParts, UrlPart, UrlTarget, UrlTemplateError};

mod build;
mod place;
mod read;

pub use place::OriginPlace;

/// What decides where a URL may lead, apart from its own literal text.
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
    #[error("`{0}` is used in a host and must be one label of letters, digits and hyphens")]
    Host(String),
    /// A value in the port or scheme is not a port or scheme.
    #[error("`{0}` is used as the scheme or port and is neither")]
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
    origin: OriginParts,
    target: UrlTarget,
}

/// A template of a path with an optional query; may be empty.
#[derive(Debug, Clone)]
pub struct PathTemplate {
    template: Template,
    target: UrlTarget,
}

/// Before it is parsed, which takes long for a long one.
fn check_length(source: &str) -> Result<(), UrlTemplateError> {
    if source.len() > room::URL_BYTES {
        return Err(UrlTemplateError::TooLong);
    }
    Ok(())
}

impl UrlTemplate {
    /// Compiles a URL template.
    pub fn parse(source: &str) -> Result<Self, UrlTemplateError> {
        check_length(source)?;
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

    /// The whole text as a template, without regard to what is where.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The placeholders of its query, in order.
    pub fn query_placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        in_query(&self.target)
    }

    /// Whether its own text fixes scheme, port and at least the last two
    /// labels of the host. Where it does not, `allowed_hosts` decides.
    pub fn host_is_pinned(&self) -> bool {
        let OriginParts::Parts { scheme, host, port } = &self.origin else {
            return false;
        };
        let literal = |part: &UrlPart| {
            part.iter()
                .all(|piece| matches!(piece, TemplatePiece::Literal(_)))
        };
        if !literal(scheme) || !port.as_ref().is_none_or(literal) {
            return false;
        }
        match host.last() {
            _ if literal(host) => true,
            Some(TemplatePiece::Literal(tail)) => has_two_labels(tail),
            _ => false,
        }
    }

    /// The context keys that scheme, host or port depend on.
    pub fn origin_keys(&self) -> BTreeSet<String> {
        let places = self.origin_places().into_iter();
        places.map(|(key, _)| key).collect()
    }
}

impl PathTemplate {
    /// Compiles a path template: `/contacts/{{id}}?fields=all`.
    pub fn parse(source: &str) -> Result<Self, UrlTemplateError> {
        check_length(source)?;
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

    /// The whole text as a template, without regard to what is where.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The placeholders of its query, in order.
    pub fn query_placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        in_query(&self.target)
    }
}

impl Default for PathTemplate {
    fn default() -> Self {
        Self {
            template: Template::empty(),
            target: UrlTarget::default(),
        }
    }
}

fn in_query(target: &UrlTarget) -> impl Iterator<Item = &Placeholder> {
    target.query.iter().flatten().filter_map(placeholder)
}

fn placeholder(piece: &TemplatePiece) -> Option<&Placeholder> {
    match piece {
        TemplatePiece::Placeholder(placeholder) => Some(placeholder),
        TemplatePiece::Literal(_) => None,
    }
}

/// Whether the text after the last placeholder of a host holds two whole
/// labels; a partial one before the first dot does not count.
fn has_two_labels(tail: &str) -> bool {
    let Some((_, labels)) = tail.split_once('.') else {
        return false;
    };
    let labels: Vec<&str> = labels.split('.').collect();
    labels.len() >= 2 && labels.iter().all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests;
