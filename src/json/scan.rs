//! The one scanner of JSON text: it finds tokens without building values, so that all else stays byte for byte. Brackets,
//! digits and colons inside a string are no tokens.

use std::ops::Range;

/// The next token from `from` on that begins with such a byte: a string with its quotes, a number, or a single byte.
pub(super) fn next(text: &[u8], from: usize, begins: fn(u8) -> bool) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        let start = at
            + rest
                .iter()
                .position(|byte| *byte == b'"' || begins(*byte))?;
        let token = text.get(start..)?;
        let first = *token.first()?;
        let length = match first {
            b'"' => string_length(token),
            b'-' | b'0'..=b'9' => token.iter().take_while(|byte| is_in_number(**byte)).count(),
            _ => 1,
        };
        at = start + length;
        if begins(first) {
            return Some(start..at);
        }
    }
}

/// Whether a string or a number begins with this byte.
pub(super) fn begins_literal(byte: u8) -> bool {
    matches!(byte, b'"' | b'-' | b'0'..=b'9')
}

fn is_in_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// The length of the string at the start; that of the whole text where the string does not end.
fn string_length(text: &[u8]) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
