//! The DER in a PEM text (RFC 7468).

use data_encoding::BASE64;

/// The bytes of the first block whose label ends with this. Line breaks may be lost, or written as `\n`, as both happens
/// where a key is pasted into a form of one line. Blocks before it, such as `EC PARAMETERS`, are skipped.
pub(super) fn der_of_pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let text = text.replace("\\n", "\n");
    let mut blocks = text.split("-----BEGIN ").skip(1);
    let inside = blocks.find_map(|block| {
        let (own, rest) = block.split_once("-----")?;
        let (inside, _) = rest.split_once("-----END ")?;
        own.ends_with(label).then_some(inside)
    })?;
    let written: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    BASE64.decode(written.as_bytes()).ok()
}
