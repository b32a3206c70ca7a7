//! Keys and secrets that are written as text.

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};

/// The bytes of hex in lower or upper case.
pub fn of_hex(text: &str) -> Option<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
}

/// The bytes of base64 or base64url, with or without padding.
pub fn of_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let url = BASE64URL_NOPAD.decode(text);
    BASE64_NOPAD.decode(text).or(url).ok()
}

#[cfg(test)]
mod tests {
    use super::{of_base64, of_hex};

    #[test]
    fn each_way_of_writing_a_key_is_read() {
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(of_base64(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        for text in ["+_8", "-/8=", "a b", "a", "+/9="] {
            assert_eq!(of_base64(text), None, "{text}");
        }
        assert_eq!(of_hex("fBfF"), Some(vec![0xfb, 0xff]));
        for text in ["f", "fg", "0xff", "f f"] {
            assert_eq!(of_hex(text), None, "{text}");
        }
    }
}
