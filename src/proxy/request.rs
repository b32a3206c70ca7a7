//! The request to the provider, as a value: URL, header fields, body. Signing in comes after.
//!
//! Merge order: integration ← method ← caller (the install's and the account's changes are in the
//! integration already). The caller's own text is never a template.

mod caller;
mod defaults;
mod digest;
mod error;
mod file_body;
mod reserved_names;
mod sandbox;

use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

use super::body::{BodySource, Writing};
use super::description;
use super::query::{CallerQuery, compose};
use super::query_in_body;
use super::reads::used_parameters;
use crate::config::resource::Method;
use crate::config::{Config, QueryArrayFormat};
use crate::expression::{Pins, TemplateScope};
use crate::json::Exact;
pub use caller::{CallerInput, InputAuthor};
use defaults::{defaults, defaults_of_headers, overlay};
pub use error::RequestError;
pub use file_body::{FileBody, MergedBody, reads_callers};
use reserved_names::FileParameters;
pub use reserved_names::is_body_kept;
pub use sandbox::that_only_reads;

/// A request that is not authenticated yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The method the provider is sent.
    pub method: http::Method,
    /// Where to.
    pub url: Url,
    /// Header fields so far.
    pub headers: HeaderMap,
    /// Where its body comes from.
    pub body: Payload,
}

/// Where a body comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The caller's, byte for byte.
    Callers,
    /// None is sent.
    Nothing,
    /// Made from the method's `body`.
    Ours(Vec<u8>),
}

/// Whether it asks for the first page of a list or a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// The only one, or the one for the first page.
    First,
    /// One for a page after it.
    Later,
}

/// Whether a method's caller's query goes in the body. It does not where the body goes as it is.
pub fn is_query_in_body(method: &Method, source: BodySource) -> bool {
    method.add_query_to_body && source == BodySource::Method
}

/// The request of a method.
pub fn of_method(
    config: &Config,
    method: &Method,
    round: Round,
    scope: &TemplateScope,
    pins: &Pins,
    caller: &CallerInput,
    writing: &Writing,
) -> Result<Draft, RequestError> {
    let base = config.base_url_of(method).ok_or(RequestError::NoBaseUrl)?;
    let later = method
        .pagination_path
        .as_ref()
        .filter(|_| round == Round::Later);
    let mut url = base.join(later.unwrap_or(&method.path), scope, pins)?;
    let format = method.query_array_format.or(config.query_array_format);
    let defaults = defaults(&[&config.query, &method.query], scope, &url)?;
    let kept = caller.kept(|| FileParameters::of_method(config, method, &url));
    let callers = caller
        .query
        .without(&used_parameters(method, caller.source));
    let callers = kept.parameters(&callers);
    let (in_url, in_body) = if is_query_in_body(method, caller.source) {
        (CallerQuery::default(), kept.entries(&callers))
    } else {
        (callers, CallerQuery::default())
    };
    add_query(&mut url, &compose(&defaults, &in_url, format));
    let body = match round {
        Round::Later if method.ignore_body_in_pagination => Payload::Nothing,
        _ => payload(method, scope, caller.source, writing)?,
    };
    let body = query_in_body::onto(body, &in_body, method, writing, caller.body)?;
    let mut headers = defaults_of_headers(&[&config.headers, &method.headers], scope)?;
    if matches!(body, Payload::Ours(_)) {
        writing.describe(&mut headers);
    }
    overlay(&mut headers, &kept.header_fields(caller.headers), &body);
    Ok(Draft {
        method: method.method.0.clone(),
        url,
        headers,
        body,
    })
}

/// The request of `/custom/{path}`: the provider's own path below the integration's base URL.
pub fn of_path(
    config: &Config,
    method: &http::Method,
    path: &str,
    scope: &TemplateScope,
    pins: &Pins,
    caller: &CallerInput,
) -> Result<Draft, RequestError> {
    let base = config
        .base_url
        .as_ref()
        .ok_or(RequestError::NoBaseUrl)?
        .render(scope, pins)?;
    if has_dot_segment(path) {
        return Err(RequestError::DotSegment);
    }
    let mut url = base.clone();
    let joined = format!("{}{path}", base.path().trim_end_matches('/'));
    url.set_path(&joined);
    if url.origin() != base.origin() {
        return Err(RequestError::DotSegment);
    }
    let kept = caller.kept(|| FileParameters::of_path(config, &base));
    let callers = kept.parameters(caller.query);
    let defaults = defaults(&[&config.query], scope, &base)?;
    add_query(&mut url, &compose(&defaults, &callers, None));
    let body = if matches!(*method, http::Method::GET | http::Method::HEAD) {
        Payload::Nothing
    } else {
        Payload::Callers
    };
    let mut headers = defaults_of_headers(&[&config.headers], scope)?;
    overlay(&mut headers, &kept.header_fields(caller.headers), &body);
    Ok(Draft {
        method: method.clone(),
        url,
        headers,
        body,
    })
}

/// The same with `value` where the caller's body would go, written as the method's own body would be; null is no
/// body at all.
pub fn with_body(
    mut draft: Draft,
    value: &Exact,
    writing: &Writing,
) -> Result<Draft, RequestError> {
    if draft.body != Payload::Callers {
        return Ok(draft);
    }
    draft.body = if value.is_null() {
        Payload::Nothing
    } else {
        Payload::Ours(writing.write(value)?)
    };
    Ok(described(draft, writing))
}

/// The same with another body, in the method's format.
#[must_use]
pub fn with_payload(mut draft: Draft, bytes: Vec<u8>, writing: &Writing) -> Draft {
    if draft.body == Payload::Callers {
        description::drop_of_another(&mut draft.headers);
    }
    draft.body = Payload::Ours(bytes);
    described(draft, writing)
}

/// Sets a query parameter, replacing any of the same name (RFC 3986 encoding).
pub fn set_query(url: &mut Url, name: &str, value: &str) {
    let others = url.query().unwrap_or_default().split('&').filter(|piece| {
        let own = form_urlencoded::parse(piece.as_bytes()).next();
        !piece.is_empty() && own.is_none_or(|(own, _)| own != name)
    });
    let own = super::query::write_value(
        name,
        &Value::String(value.to_owned()),
        QueryArrayFormat::Repeat,
    );
    let query = others
        .map(str::to_owned)
        .chain(own)
        .collect::<Vec<_>>()
        .join("&");
    url.set_query(Some(&query));
}

fn add_query(url: &mut Url, more: &str) {
    let query = match url.query() {
        Some(own) if !own.is_empty() && !more.is_empty() => format!("{own}&{more}"),
        Some(own) if !own.is_empty() => own.to_owned(),
        _ => more.to_owned(),
    };
    url.set_query((!query.is_empty()).then_some(&query));
}

/// Segments that a server, or one behind it, could read as going up.
fn has_dot_segment(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let twice = percent_decode_str(&decoded).decode_utf8_lossy();
    twice
        .split(['/', '\\'])
        .any(|segment| segment == "." || segment == "..")
}

/// What a method itself sends.
fn payload(
    method: &Method,
    scope: &TemplateScope,
    source: BodySource,
    writing: &Writing,
) -> Result<Payload, RequestError> {
    let carries_none = matches!(method.method.0, http::Method::GET | http::Method::HEAD);
    let template = method
        .body
        .as_ref()
        .filter(|_| source == BodySource::Method);
    let tree = match template {
        _ if method.ignore_body => return Ok(Payload::Nothing),
        None if carries_none => return Ok(Payload::Nothing),
        None => return Ok(Payload::Callers),
        Some(_) if carries_none => {
            return Err(RequestError::NoBodyAllowed(method.method.0.clone()));
        }
        Some(tree) => tree,
    };
    match tree.render(scope)? {
        Some(value) => Ok(Payload::Ours(writing.write(&value)?)),
        None => Ok(Payload::Nothing),
    }
}

fn described(mut draft: Draft, writing: &Writing) -> Draft {
    if matches!(draft.body, Payload::Ours(_)) {
        writing.describe(&mut draft.headers);
    }
    draft
}

#[cfg(test)]
mod tests;
