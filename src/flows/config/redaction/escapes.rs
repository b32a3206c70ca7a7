//! Undoes the escapes of a text: percent-encoding (RFC 3986), those of JSON (RFC 8259) and similar languages, and those
//! of HTML; those of mail (quoted-printable, RFC 2045 §6.7) in a separate pass. Each byte knows its place in the
//! text. What is not a valid escape stays as it is.

use std::collections::VecDeque;
use std::ops::Range;

mod escape;

use escape::{Escape, LONGEST, escape};

/// A byte, and the range of the text that encodes it.
#[derive(Debug, Clone)]
pub(in crate::flows) struct Unit {
    pub(in crate::flows) byte: u8,
    pub(in crate::flows) at: Range<usize>,
}

/// The bytes of a text without any decoding.
pub(in crate::flows) fn units(text: &str) -> impl Iterator<Item = Unit> {
    text.bytes().enumerate().map(|(at, byte)| Unit {
        byte,
        at: at..at + 1,
    })
}

/// Whether a text can have an escape at all.
pub(in crate::flows) fn may_be_escaped(text: &str) -> bool {
    text.bytes().any(starts_escape)
}

fn starts_escape(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&')
}

/// Which escapes are undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Escapes {
    /// All but those of mail.
    Usual,
    /// Those that begin with `=`. They are separate because many texts contain a plain `=`.
    Mail,
}

impl Escapes {
    fn begin(self, byte: u8) -> bool {
        match self {
            Self::Usual => starts_escape(byte),
            Self::Mail => byte == b'=',
        }
    }
}

/// The units with one layer of escapes undone.
pub(in crate::flows) struct Unescaped<I> {
    inner: I,
    escapes: Escapes,
    ahead: VecDeque<Unit>,
    ready: VecDeque<Unit>,
}

impl<I: Iterator<Item = Unit>> Unescaped<I> {
    pub(in crate::flows) fn new(inner: I, escapes: Escapes) -> Self {
        Self {
            inner,
            escapes,
            ahead: VecDeque::new(),
            ready: VecDeque::new(),
        }
    }

    /// The bytes after the first byte of an escape: as many as its longest form has.
    fn rest_of(&mut self, first: u8) -> ([u8; LONGEST], usize) {
        let most = if matches!(first, b'%' | b'=') {
            2
        } else {
            LONGEST - 1
        };
        while self.ahead.len() < most
            && let Some(unit) = self.inner.next()
        {
            self.ahead.push_back(unit);
        }
        let mut bytes = [0; LONGEST];
        let mut length = 0;
        for (place, unit) in bytes.iter_mut().zip(self.ahead.iter().take(most)) {
            *place = unit.byte;
            length += 1;
        }
        (bytes, length)
    }

    /// Replaces an escape by its bytes. Each of them has the range of the whole escape.
    fn undo(&mut self, first: &Unit, escape: &Escape) {
        let last = self.ahead.drain(..escape.length - 1).next_back();
        let end = last.map_or(first.at.end, |last| last.at.end);
        let at = first.at.start..end;
        let units = escape.bytes.iter().map(|byte| Unit {
            byte: *byte,
            at: at.clone(),
        });
        self.ready.extend(units);
    }
}

impl<I: Iterator<Item = Unit>> Iterator for Unescaped<I> {
    type Item = Unit;

    fn next(&mut self) -> Option<Unit> {
        if let Some(unit) = self.ready.pop_front() {
            return Some(unit);
        }
        let first = self.ahead.pop_front().or_else(|| self.inner.next())?;
        if !self.escapes.begin(first.byte) {
            return Some(first);
        }
        let (rest, length) = self.rest_of(first.byte);
        match escape(first.byte, rest.get(..length).unwrap_or_default()) {
            Some(escape) => {
                self.undo(&first, &escape);
                self.ready.pop_front()
            }
            None => Some(first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(text: &str) -> String {
        undone_of(text, Escapes::Usual)
    }

    fn undone_of(text: &str, escapes: Escapes) -> String {
        let bytes = Unescaped::new(units(text), escapes)
            .map(|unit| unit.byte)
            .collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn each_kind_of_escape_is_undone_once_and_other_text_stays() {
        for (text, expected) in [
            ("a%2Bb%2b", "a+b+"),
            ("%C3%A9", "é"),
            (r"\u0041\u00e9\/\\\n\x42", "Aé/\\\nB"),
            (r"\ud83d\ude00", "😀"),
            ("&amp;&#39;&#x2F;&lt;&quot;", "&'/<\""),
            ("%252B", "%2B"),
            (r"\055\u{2d}\u{00002D}\u{1f600}", "---😀"),
            (r"\05 \400 \u{} \u{zz} =2D", r"\05 \400 \u{} \u{zz} =2D"),
            (r"\\u0041", r"\u0041"),
            (
                r"100% \q & &nope; \u12 %zz \ud83d &#xfffffff;",
                r"100% \q & &nope; \u12 %zz \ud83d &#xfffffff;",
            ),
            ("%", "%"),
            ("", ""),
        ] {
            assert_eq!(undone(text), expected, "{text}");
        }
    }

    #[test]
    fn mail_escapes_are_undone_separately() {
        for (text, expected) in [
            ("a=2Db=2d", "a-b-"),
            ("a=\r\nb=\nc", "a\nb\nc"),
            ("a=b==", "a=b=="),
            ("%2D=", "%2D="),
        ] {
            assert_eq!(undone_of(text, Escapes::Mail), expected, "{text}");
        }
    }

    #[test]
    fn each_byte_has_its_range_in_the_text() {
        let text = r"a%41\u00e9z";
        let found: Vec<_> = Unescaped::new(units(text), Escapes::Usual)
            .map(|unit| (unit.byte, unit.at))
            .collect();
        assert_eq!(
            found,
            [
                (b'a', 0..1),
                (b'A', 1..4),
                (0xc3, 4..10),
                (0xa9, 4..10),
                (b'z', 10..11)
            ]
        );
    }
}
