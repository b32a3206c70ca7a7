//! The DER in a PEM text (RFC 7468).

use data_encoding::BASE64;

/// The bytes between the first pair of boundaries. Line breaks may be lost, or written as `\n`, as both happens where a key
/// is pasted into a form of one line.
pub(super) fn der_of_pem(text: &str) -> Option<Vec<u8>> {
    let text = text.replace("\\n", "\n");
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (_, rest) = rest.split_once("-----")?;
    let (inside, _) = rest.split_once("-----END ")?;
    let written: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    BASE64.decode(written.as_bytes()).ok()
}
