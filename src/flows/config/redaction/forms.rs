//! The forms of a secret that undoing escapes does not reveal: base64 and hex.

use std::collections::BTreeSet;

use data_encoding::{BASE64_NOPAD, HEXLOWER, HEXUPPER};
use serde_json::Value;

use crate::media::percent_encoded;
use crate::settings::{REDACTED_FORMS_BYTES, REDACTED_FORMS_SECRET_BYTES, REDACTED_SECRET_BYTES};

/// A byte sequence that is searched for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::flows) struct Needle {
    /// Folded by [`fold`].
    pub(in crate::flows) bytes: Vec<u8>,
    /// How far a match extends beyond the needle.
    pub(in crate::flows) edge: NeedleEnd,
}

/// Where a match ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::flows) enum NeedleEnd {
    /// At the end of the needle.
    Exact,
    /// Up to three neighbouring base64 characters, which hold bits of the secret.
    Base64,
}

/// Maps characters that encodings exchange to one: those of base64 and base64url, plus and space of forms.
pub(in crate::flows) fn fold(byte: u8) -> u8 {
    match byte {
        b'+' | b'-' => b' ',
        b'_' => b'/',
        other => other,
    }
}

/// All needles. The derived forms of all secrets have a byte limit; shorter secrets come first.
pub(in crate::flows) fn needles(mut secrets: Vec<&str>) -> Vec<Needle> {
    secrets.retain(|secret| secret.len() >= REDACTED_SECRET_BYTES);
    secrets.sort_unstable_by_key(|secret| secret.len());
    let mut needles = BTreeSet::new();
    let mut room = REDACTED_FORMS_BYTES;
    for secret in secrets {
        needles.insert(needle(secret.as_bytes(), NeedleEnd::Exact));
        if secret.len() > REDACTED_FORMS_SECRET_BYTES {
            continue;
        }
        let forms = derived(secret);
        let taken: usize = forms.iter().map(|form| form.bytes.len()).sum();
        if let Some(left) = room.checked_sub(taken) {
            room = left;
            needles.extend(forms);
        }
    }
    needles.into_iter().collect()
}

fn needle(bytes: &[u8], edge: NeedleEnd) -> Needle {
    let bytes = bytes.iter().copied().map(fold).collect();
    Needle { bytes, edge }
}

fn derived(secret: &str) -> Vec<Needle> {
    let mut inner = BTreeSet::from([secret.to_owned()]);
    // RFC 6749 §2.3.1: client id and secret are form-encoded before they become base64.
    inner.insert(percent_encoded(secret.as_bytes()));
    inner.insert(form_urlencoded::byte_serialize(secret.as_bytes()).collect());
    inner.insert(unquoted(&Value::from(secret).to_string()));
    let base64 = inner
        .iter()
        .flat_map(|text| (0..3).map(|at| base64(text.as_bytes(), at)));
    let twice = double_base64(secret.as_bytes());
    let hex = [
        HEXLOWER.encode(secret.as_bytes()),
        HEXUPPER.encode(secret.as_bytes()),
    ];
    let hex = hex
        .iter()
        .map(|text| needle(text.as_bytes(), NeedleEnd::Exact));
    base64.chain(twice).chain(hex).collect()
}

/// Base64 of base64 and of base64url, as far as the characters depend on the text alone.
fn double_base64(text: &[u8]) -> BTreeSet<Needle> {
    let mut needles = BTreeSet::new();
    for at in 0..3 {
        let inner = pure(text, at);
        let url: Vec<u8> = inner.iter().copied().map(url_character).collect();
        for text in [inner, url] {
            needles.extend((0..3).map(|at| base64(&text, at)));
        }
    }
    needles
}

fn url_character(byte: u8) -> u8 {
    match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    }
}

fn unquoted(json: &str) -> String {
    json.trim_matches('"').to_owned()
}

/// The characters that depend on the text alone, where `at` bytes precede it in its group of three.
fn base64(text: &[u8], at: usize) -> Needle {
    needle(&pure(text, at), NeedleEnd::Base64)
}

fn pure(text: &[u8], at: usize) -> Vec<u8> {
    let padded: Vec<u8> = std::iter::repeat_n(0, at)
        .chain(text.iter().copied())
        .collect();
    let encoded = BASE64_NOPAD.encode(&padded);
    // Eight bits are a character and two bits, sixteen are two and four.
    let first = [0, 2, 3].get(at).copied().unwrap_or_default();
    let last = padded.len() * 8 / 6;
    let pure = encoded.as_bytes().get(first..last);
    pure.unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64;

    #[test]
    fn a_base64_needle_has_only_characters_of_the_secret_alone() {
        for before in ["", "x", "xy", "xyz", "user:"] {
            for behind in ["", "-", "--", "---"] {
                let text = BASE64.encode(format!("{before}a-secret{behind}").as_bytes());
                let folded: Vec<u8> = text.bytes().map(fold).collect();
                let form = base64(b"a-secret", before.len() % 3);
                let found = folded
                    .windows(form.bytes.len())
                    .any(|window| window == form.bytes);
                assert!(found, "{before} {behind} {text}");
            }
        }
    }

    #[test]
    fn seven_bytes_are_no_secret_and_the_forms_are_bounded() {
        assert_eq!(needles(vec!["1234567"]), []);
        assert_eq!(needles(vec!["12345678"]).len(), 14);
        let long = "0123456789a".repeat(100)[..=REDACTED_FORMS_SECRET_BYTES].to_owned();
        assert!(needles(vec![&long[1..]]).len() > 3);
        assert_eq!(needles(vec![&long]).len(), 1, "in plain only");
        let many: Vec<String> = (0..100).map(|number| format!("{number:01000}")).collect();
        let all = needles(many.iter().map(String::as_str).collect());
        let bytes: usize = all.iter().map(|needle| needle.bytes.len()).sum();
        assert!(bytes <= REDACTED_FORMS_BYTES + 100_000, "{bytes}");
        assert!(all.len() > 110, "{}", all.len());
    }
}
