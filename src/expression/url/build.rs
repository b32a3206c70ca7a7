//! Filling a URL template: each value is checked and encoded for the place it
//! is in, and the result is parsed and compared before it is handed out.

use std::collections::BTreeSet;

use url::Url;

use crate::expression::cast::text;
use crate::expression::placeholder::{Placeholder, WhenMissing};
use crate::expression::room::RenderRoom;
use crate::expression::scope::{TemplateScope, context_key};
use crate::expression::template::{Rendered, Template, TemplatePiece};
use crate::expression::url_parts::{OriginParts, UrlPart, UrlTarget};
use crate::expression::url_value::{self, Dots};

use super::{PathTemplate, Pins, UrlError, UrlTemplate};

/// What values come from, and the room they have.
type UrlFilling<'f> = (&'f TemplateScope<'f>, &'f RenderRoom);

/// Scheme, host and port as they were composed, to compare with.
struct Front {
    scheme: String,
    host: String,
    port: Option<String>,
    path: String,
}

impl UrlTemplate {
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
        let room = RenderRoom::url();
        let front = self.front(scope, pins, &room)?;
        let mut target = front.path.clone();
        let mut queries = Vec::new();
        add(
            &self.template,
            &self.target,
            (scope, &room),
            &mut target,
            &mut queries,
        )?;
        if let Some(path) = path {
            add(
                &path.template,
                &path.target,
                (scope, &room),
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

    fn front(
        &self,
        scope: &TemplateScope,
        pins: &Pins,
        room: &RenderRoom,
    ) -> Result<Front, UrlError> {
        let (scheme, host, port) = match &self.origin {
            OriginParts::Whole(whole) => return self.whole(whole, scope, room),
            OriginParts::Parts { scheme, host, port } => (scheme, host, port),
        };
        let scheme = self.compose(scheme, (scope, room), |value, _| {
            matches!(value, "http" | "https").then(|| value.to_owned())
        })?;
        let host = self.compose(host, (scope, room), |value, placeholder| {
            url_value::host_labels(value, dots(placeholder, pins.dotted_keys))
        });
        let port = port
            .as_ref()
            .map(|port| self.compose(port, (scope, room), |value, _| url_value::port(value)));
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

    fn whole(
        &self,
        whole: &Placeholder,
        scope: &TemplateScope,
        room: &RenderRoom,
    ) -> Result<Front, UrlError> {
        let value = fill(&self.template, whole, (scope, room))?;
        room.take(value.len(), self.source())?;
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
        part: &UrlPart,
        scope: UrlFilling,
        accept: impl Fn(&str, &Placeholder) -> Option<String>,
    ) -> Result<String, UrlError> {
        let mut out = String::new();
        for piece in part {
            match piece {
                TemplatePiece::Literal(text) => out.push_str(text),
                TemplatePiece::Placeholder(placeholder) => {
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

/// Appends a target's segments to `path` and its query to `queries`.
fn add(
    template: &Template,
    target: &UrlTarget,
    scope: UrlFilling,
    path: &mut String,
    queries: &mut Vec<String>,
) -> Result<(), UrlError> {
    if !target.segments.is_empty() && path.ends_with('/') {
        path.pop();
    }
    for segment in &target.segments {
        scope.1.take(1, template.source())?;
        let (text, filled) = encode(template, segment, scope, url_value::in_segment)?;
        if filled && (text.is_empty() || url_value::is_dot_segment(&text)) {
            return Err(UrlError::Segment(template.source().to_owned()));
        }
        path.push('/');
        path.push_str(&text);
    }
    if let Some(query) = &target.query {
        let (text, _) = encode(template, query, scope, url_value::encoded)?;
        queries.extend(Some(text).filter(|text| !text.is_empty()));
    }
    Ok(())
}

/// A part with its values percent-encoded, and whether it had any.
fn encode(
    template: &Template,
    part: &UrlPart,
    scope: UrlFilling,
    write: fn(&str) -> String,
) -> Result<(String, bool), UrlError> {
    let (mut out, mut filled) = (String::new(), false);
    for piece in part {
        let start = out.len();
        match piece {
            TemplatePiece::Literal(text) => out.push_str(text),
            TemplatePiece::Placeholder(placeholder) => {
                filled = true;
                out.push_str(&write(&fill(template, placeholder, scope)?));
            }
        }
        scope.1.take(out.len() - start, template.source())?;
    }
    Ok((out, filled))
}

/// A placeholder's value as text; `null` counts as missing.
fn fill(
    template: &Template,
    placeholder: &Placeholder,
    (scope, room): UrlFilling,
) -> Result<String, UrlError> {
    match template.fill(placeholder, scope, room)? {
        Rendered::Dropped => Ok(String::new()),
        Rendered::Value(value) if value.is_null() => match placeholder.when_missing() {
            WhenMissing::Drop => Ok(String::new()),
            _ => Err(template.missing(placeholder).into()),
        },
        Rendered::Value(value) => Ok(text(&value)),
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
