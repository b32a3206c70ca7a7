//! One escape: its length, and what it encodes.

/// The longest escape: a surrogate pair in JSON.
pub(super) const LONGEST: usize = 12;

/// A valid escape.
pub(super) struct Escape {
    /// Its length in the text.
    pub(super) length: usize,
    /// Its decoded bytes, at least one.
    pub(super) bytes: Vec<u8>,
}

impl Escape {
    fn of_char(length: usize, c: char) -> Self {
        let mut bytes = [0; 4];
        Self {
            length,
            bytes: c.encode_utf8(&mut bytes).as_bytes().to_vec(),
        }
    }
}

/// The escape that begins with this byte, given the bytes after it.
pub(super) fn escape(first: u8, rest: &[u8]) -> Option<Escape> {
    match first {
        b'%' => Some(Escape {
            length: 3,
            bytes: vec![u8::try_from(hex(rest.get(..2)?)?).ok()?],
        }),
        b'=' => of_mail(rest),
        b'\\' => of_json(rest),
        _ => of_html(rest),
    }
}

/// A soft line break becomes a line break, which the search for secrets in pieces skips.
fn of_mail(rest: &[u8]) -> Option<Escape> {
    let (length, byte) = match rest {
        [b'\r', b'\n', ..] => (3, b'\n'),
        [b'\n', ..] => (2, b'\n'),
        digits => (3, u8::try_from(hex(digits.get(..2)?)?).ok()?),
    };
    Some(Escape {
        length,
        bytes: vec![byte],
    })
}

fn of_json(rest: &[u8]) -> Option<Escape> {
    let c = match rest.first()? {
        b'u' if rest.get(1) == Some(&b'{') => return of_braces(rest),
        b'u' => return of_unicode(rest),
        b'0'..=b'3' => return of_octal(rest),
        b'x' => return Some(Escape::of_char(4, char::from_u32(hex(rest.get(1..3)?)?)?)),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        own @ (b'"' | b'\'' | b'\\' | b'/') => char::from(*own),
        _ => return None,
    };
    Some(Escape::of_char(2, c))
}

/// `\u{2d}` of JavaScript and Rust.
fn of_braces(rest: &[u8]) -> Option<Escape> {
    let end = rest.iter().position(|byte| *byte == b'}')?;
    let c = char::from_u32(hex(rest.get(2..end)?)?)?;
    Some(Escape::of_char(end + 2, c))
}

/// `\055` of C.
fn of_octal(rest: &[u8]) -> Option<Escape> {
    let digits = rest.get(..3)?;
    let is_octal = digits.iter().all(|byte| (b'0'..=b'7').contains(byte));
    let text = std::str::from_utf8(digits).ok().filter(|_| is_octal)?;
    Some(Escape {
        length: 4,
        bytes: vec![u8::from_str_radix(text, 8).ok()?],
    })
}

fn of_unicode(rest: &[u8]) -> Option<Escape> {
    let unit = hex(rest.get(1..5)?)?;
    if let Some(c) = char::from_u32(unit) {
        return Some(Escape::of_char(6, c));
    }
    let low = hex(rest.get(5..11)?.strip_prefix(b"\\u")?)?;
    let pair = [u16::try_from(unit).ok()?, u16::try_from(low).ok()?];
    let c = char::decode_utf16(pair).next()?.ok()?;
    Some(Escape::of_char(LONGEST, c))
}

fn of_html(rest: &[u8]) -> Option<Escape> {
    let end = rest.iter().position(|byte| *byte == b';')?;
    let name = rest.get(..end)?;
    let c = match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(hex(digits)?)?,
        [b'#', digits @ ..] => char::from_u32(std::str::from_utf8(digits).ok()?.parse().ok()?)?,
        _ => return None,
    };
    Some(Escape::of_char(end + 2, c))
}

fn hex(digits: &[u8]) -> Option<u32> {
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
