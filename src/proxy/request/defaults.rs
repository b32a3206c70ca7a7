//! Query parameters and header fields that the file adds, and what the caller puts over them.

use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use super::{Payload, RequestError};
use crate::config::Entries;
use crate::expression::{RenderRoom, Template, TemplateScope};
use crate::proxy::description;

/// The entries that are left after the later maps changed the earlier ones; null removes.
fn merged<'a>(
    maps: &[&'a Entries],
    same: impl Fn(&str, &str) -> bool,
) -> Vec<(&'a str, &'a Template)> {
    let mut kept: Vec<(&str, &Template)> = Vec::new();
    for (name, template) in maps.iter().flat_map(|map| map.iter()) {
        kept.retain(|(own, _)| !same(own, name));
        kept.extend(template.as_ref().map(|template| (name.as_str(), template)));
    }
    kept
}

/// Default query parameters. An entry whose placeholder has no value is left out.
pub(super) fn defaults(
    maps: &[&Entries],
    scope: &TemplateScope,
    url: &Url,
) -> Result<Vec<(String, Value)>, RequestError> {
    let room = RenderRoom::url();
    let so_far = url.path().len() + url.query().map_or(0, str::len);
    room.take(so_far, "path")?;
    let mut rendered = Vec::new();
    for (name, template) in merged(maps, |a, b| a == b) {
        match template.query(scope, &room) {
            Ok(Some(value)) => {
                room.take_name(name, &value)?;
                rendered.push((name.to_owned(), value));
            }
            Ok(None) => {}
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(rendered)
}

pub(super) fn defaults_of_headers(
    maps: &[&Entries],
    scope: &TemplateScope,
) -> Result<HeaderMap, RequestError> {
    let mut headers = HeaderMap::new();
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("causeway/", env!("CARGO_PKG_VERSION"))),
    );
    for (name, template) in merged(maps, str::eq_ignore_ascii_case) {
        let Some(text) = template.header(scope)? else {
            continue;
        };
        let cannot = || RequestError::Header(name.to_owned());
        let parsed: HeaderName = name.parse().map_err(|_| cannot())?;
        headers.insert(parsed, HeaderValue::from_str(&text).map_err(|_| cannot())?);
    }
    Ok(headers)
}

/// The caller's fields over ours. What describes a body belongs to the caller's body only.
pub(super) fn overlay(headers: &mut HeaderMap, caller: &HeaderMap, body: &Payload) {
    for name in caller.keys() {
        if !description::goes_with(name, body) {
            continue;
        }
        headers.remove(name);
        for value in caller.get_all(name) {
            headers.append(name.clone(), value.clone());
        }
    }
}
