//! The key of a sync's records. It is random, and is stored sealed with what the sync knows of its runs: a rotation of the
//! sealing keys writes one row, and not each record. Records are encrypted by AES-256-GCM for their sync and their id.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::Value;

use crate::crypto::{self, Hash, NONCE_BYTES};

pub(super) const KEY_BYTES: usize = 32;
/// Bytes of a digest: SHA-256 cut to its first half.
const DIGEST_BYTES: usize = 16;

/// The key of a sync's records, and that of their digests: a digest of few possible values would show the value.
pub(super) struct RecordKey {
    sealing: [u8; KEY_BYTES],
    digests: [u8; KEY_BYTES],
}

impl RecordKey {
    /// The key that is stored as this text; `None` where it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let master: [u8; KEY_BYTES] = BASE64.decode(text.as_bytes()).ok()?.try_into().ok()?;
        Some(Self {
            sealing: crypto::derive_key(&master, &[b"records"]),
            digests: crypto::derive_key(&master, &[b"digests"]),
        })
    }

    /// A new key as text.
    pub(super) fn text(random: [u8; KEY_BYTES]) -> String {
        BASE64.encode(&random)
    }

    pub(super) fn seal(&self, id: &str, nonce: [u8; NONCE_BYTES], text: &str) -> Option<String> {
        let sealed = crypto::encrypt(&self.sealing, &nonce, id.as_bytes(), text.as_bytes())?;
        Some(BASE64URL_NOPAD.encode(&[nonce.as_slice(), &sealed].concat()))
    }

    /// The text; `None` where it was sealed for another id or by another key.
    pub(super) fn open(&self, id: &str, sealed: &str) -> Option<String> {
        let bytes = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?;
        let (nonce, body) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let text = crypto::decrypt(&self.sealing, nonce, id.as_bytes(), body)?;
        String::from_utf8(text).ok()
    }

    /// A digest of a value that does not depend on the order of its keys and its white space.
    pub(super) fn digest(&self, value: &Value) -> String {
        let mut text = String::new();
        write_canonical(value, &mut text);
        self.digest_of_text(&text)
    }

    /// A digest of a text as it is.
    pub(super) fn digest_of_text(&self, text: &str) -> String {
        let mac = crypto::hmac(Hash::Sha256, &self.digests, text.as_bytes());
        BASE64URL_NOPAD.encode(mac.get(..DIGEST_BYTES).unwrap_or_default())
    }
}

/// The recursion is as deep as the JSON, which its parser bounds.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (key, item) in sorted {
                write_text(key, out);
                out.push(':');
                write_canonical(item, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::String(text) => write_text(text, out),
        other => out.push_str(&other.to_string()),
    }
}

fn write_text(text: &str, out: &mut String) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::RecordKey;
    use serde_json::json;

    #[test]
    fn a_record_opens_for_its_id_and_by_its_key_alone() {
        let key = |byte: u8| RecordKey::read(&RecordKey::text([byte; 32])).unwrap();
        let sealed = key(1).seal("a", [7; 12], "{\"x\":1}").unwrap();
        assert!(!sealed.contains('x') || sealed.len() > 20);
        assert_eq!(key(1).open("a", &sealed).as_deref(), Some("{\"x\":1}"));
        assert_eq!(key(1).open("b", &sealed), None);
        assert_eq!(key(2).open("a", &sealed), None);
        assert!(RecordKey::read("short").is_none());
    }

    #[test]
    fn the_order_of_keys_is_no_change() {
        let key = RecordKey::read(&RecordKey::text([1; 32])).unwrap();
        let one = key.digest(&json!({"a": 1, "b": {"c": [1, 2], "d": null}}));
        assert_eq!(
            one,
            key.digest(&json!({"b": {"d": null, "c": [1, 2]}, "a": 1}))
        );
        for other in [
            json!({"a": 1, "b": {"c": [2, 1], "d": null}}),
            json!({"a": "1", "b": {"c": [1, 2], "d": null}}),
            json!({"a": 1, "b": {"c": [1, 2]}}),
            json!({"a": 1, "b": "{\"c\":[1,2,],\"d\":null,}"}),
        ] {
            assert_ne!(one, key.digest(&other), "{other}");
        }
    }
}
