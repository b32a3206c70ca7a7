//! The signatures a request carries. There may be several: of two secrets during a rotation, or of several
//! versions of a scheme; one that fits is enough.

use crate::config::webhook::{Signature, SignatureConfig, SignaturePlace};

use super::{Refusal, WebhookRequest};

/// More than any provider sends; each may cost the work of a public key.
const MOST: usize = 8;
/// Between the values of a header that came more than once.
const JOINED: &str = ", ";

/// The written signatures, without what is in front of them. At least one.
pub(super) fn candidates(
    config: &SignatureConfig,
    request: &WebhookRequest,
) -> Result<Vec<Vec<u8>>, Refusal> {
    let mut found = Vec::new();
    let mut missing = Refusal::NoSetting("compare_with");
    let places = config
        .compare_with
        .as_ref()
        .map(|places| places.0.as_slice());
    for place in places.unwrap_or_default() {
        match at(place, request) {
            Ok(text) => found.push(text),
            Err(refusal @ (Refusal::Missing(_) | Refusal::Malformed(_))) => missing = refusal,
            Err(refusal) => return Err(refusal),
        }
    }
    if let Some(list) = &config.signature {
        match listed(list, request) {
            Ok(texts) => found.extend(texts),
            Err(refusal @ (Refusal::Missing(_) | Refusal::Malformed(_))) => missing = refusal,
            Err(refusal) => return Err(refusal),
        }
    }
    match found.len() {
        0 => Err(missing),
        1..=MOST => Ok(found),
        _ => Err(Refusal::TooMany),
    }
}

/// The text at one place, behind its prefix.
pub(super) fn at(place: &SignaturePlace, request: &WebhookRequest) -> Result<Vec<u8>, Refusal> {
    let text = request.place(&place.part)?;
    let behind = text.strip_prefix(place.prefix.as_bytes());
    let behind = behind.map(<[u8]>::trim_ascii).map(<[u8]>::to_vec);
    behind.ok_or_else(|| Refusal::Malformed("the signature's prefix".to_owned()))
}

fn listed(list: &Signature, request: &WebhookRequest) -> Result<Vec<Vec<u8>>, Refusal> {
    let header = text(list, request)?;
    let prefix = list.prefix.as_deref().unwrap_or_default();
    let items = items(list, header).filter_map(|item| match &list.key {
        Some(key) => entry(item)
            .filter(|(own, _)| own == key)
            .map(|(_, value)| value),
        None => Some(unquoted(item)),
    });
    let signatures = items.filter_map(|item| item.strip_prefix(prefix));
    let signatures: Vec<_> = signatures.map(|item| item.as_bytes().to_vec()).collect();
    if signatures.is_empty() {
        return Err(Refusal::Missing(format!(
            "a signature in header `{}`",
            list.header
        )));
    }
    Ok(signatures)
}

/// The one entry of the list that has this key.
pub(super) fn listed_entry(
    list: &Signature,
    request: &WebhookRequest,
    key: &str,
) -> Result<Vec<u8>, Refusal> {
    let header = text(list, request)?;
    let named = || format!("`{key}` in header `{}`", list.header);
    let mut values = items(list, header)
        .filter_map(entry)
        .filter(|(own, _)| *own == key);
    let (_, value) = values.next().ok_or_else(|| Refusal::Missing(named()))?;
    match values.next() {
        Some(_) => Err(Refusal::Twice(named())),
        None => Ok(value.as_bytes().to_vec()),
    }
}

/// The list as it was sent, once: the platform joins a header that came twice by a comma and a space (RFC 9110 §5.3),
/// which no list has unless they are its separator.
fn text<'h>(list: &Signature, request: &WebhookRequest<'h>) -> Result<&'h str, Refusal> {
    let header = request.header(&list.header.to_ascii_lowercase())?;
    let header = str::from_utf8(header);
    let header = header.map_err(|_| Refusal::Malformed("the signature".to_owned()))?;
    if header.contains(JOINED) && !separator(list).contains(JOINED) {
        return Err(Refusal::Twice(format!("header `{}`", list.header)));
    }
    Ok(header)
}

fn items<'h>(list: &'h Signature, header: &'h str) -> impl Iterator<Item = &'h str> {
    header.split(separator(list)).map(str::trim)
}

fn separator(list: &Signature) -> &str {
    let separator = list.separator.as_deref().filter(|text| !text.is_empty());
    separator.unwrap_or(",")
}

fn entry(item: &str) -> Option<(&str, &str)> {
    let (key, value) = item.split_once('=')?;
    Some((key.trim(), unquoted(value.trim())))
}

fn unquoted(text: &str) -> &str {
    let inside = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or(text)
}
