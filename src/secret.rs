//! Text that must never be printed. It is opened only where it is used, by `expose`.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A secret text: wiped when dropped, redacted in `Debug`, without `Display`, `Serialize` or `==`.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a text; the caller keeps no copy.
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The text itself. Never log it, never put it in an error.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A text without the white space around it, nor the invisible marks that come along when it is copied from a page.
pub fn trimmed(text: &str) -> &str {
    let is_mark = |c: char| {
        matches!(
            c,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}'
        )
    };
    text.trim_matches(|c: char| c.is_whitespace() || is_mark(c))
}

/// Whether a text begins or ends with those. A PEM may have line breaks around it (RFC 7468 §2).
pub fn is_padded(text: &str) -> bool {
    let inner = trimmed(text);
    let is_pem = inner.starts_with("-----BEGIN ") && inner.ends_with("-----");
    inner.len() != text.len() && !is_pem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_it() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.expose(), "hunter2");
    }
}
