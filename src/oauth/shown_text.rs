//! A provider's text, made fit to be shown: short, in one line, without what looks like a token.
//! Some providers repeat the refused token in their message.

const SHORTEST_TOKEN: usize = 20;
const UUID_LENGTH: usize = 36;

/// At most `limit` characters of `text`, or none when nothing is left.
pub(super) fn cleaned(text: &str, limit: usize) -> Option<String> {
    let plain: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let mut out = String::new();
    let mut word = String::new();
    for c in plain.trim().chars() {
        if c.is_ascii_alphanumeric() || "-_.~+/=".contains(c) {
            word.push(c);
        } else {
            out.push_str(shown(&word));
            word.clear();
            out.push(c);
        }
    }
    out.push_str(shown(&word));
    let short: String = out.chars().take(limit).collect();
    Some(short).filter(|short| !short.is_empty())
}

/// Control characters, and those that change the direction of text or hide it.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn shown(word: &str) -> &str {
    if looks_like_a_token(word) {
        "…"
    } else {
        word
    }
}

/// Long, with letters and digits. A UUID is what support asks for.
fn looks_like_a_token(word: &str) -> bool {
    let bare = word.trim_end_matches('.');
    let is_uuid = bare.len() == UUID_LENGTH && uuid::Uuid::try_parse(bare).is_ok();
    bare.len() >= SHORTEST_TOKEN
        && !is_uuid
        && bare.bytes().any(|b| b.is_ascii_digit())
        && bare.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_and_tokens_are_not() {
        let table = [
            ("Bad Request", Some("Bad Request")),
            ("  a\r\nb\u{0}\u{202e}c\u{200b} ", Some("abc")),
            ("", None),
            ("\n\u{7f}", None),
            (
                "Refresh token invalid: 3fbdb1c0ffee5a1e7b2d9c4a. Visit the docs.",
                Some("Refresh token invalid: … Visit the docs."),
            ),
            (
                "code 4/0AX4XfWhabcdefghij-klm_no+p= was used",
                Some("code … was used"),
            ),
            (
                "AADSTS70008: expired. Trace ID: 0d5a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b.",
                Some("AADSTS70008: expired. Trace ID: 0d5a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b."),
            ),
            (
                "authorization_code_or_refresh_token",
                Some("authorization_code_or_refresh_token"),
            ),
        ];
        for (text, expected) in table {
            assert_eq!(cleaned(text, 500).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let text = "ä ".repeat(400);
        assert_eq!(cleaned(&text, 500).unwrap().chars().count(), 500);
        let token = format!("{}{}", "x1".repeat(400), " end");
        assert_eq!(cleaned(&token, 500).as_deref(), Some("… end"));
    }
}
