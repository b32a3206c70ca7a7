//! Pages of a directory. SFTP lists a directory from its beginning only, and a page has its own connection. So a cursor says how
//! many entries were given, and a digest of the last one: the next page reads up to it and goes on. Names that were added or
//! removed before it in that time move nothing; only if the entry itself is gone, the number alone decides.

use data_encoding::BASE64URL_NOPAD;

use crate::error::{Failure, Kind, Outcome};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    count: u64,
    last: u64,
}

impl Cursor {
    pub fn parse(text: &str) -> Outcome<Self> {
        let wrong = || Failure::new(Kind::BadRequest, "The cursor is not one of this Worker.");
        let bytes = BASE64URL_NOPAD
            .decode(text.as_bytes())
            .map_err(|_| wrong())?;
        let (count, last) = bytes
            .split_first_chunk::<8>()
            .and_then(|(count, last)| Some((count, <[u8; 8]>::try_from(last).ok()?)))
            .ok_or_else(wrong)?;
        Ok(Self {
            count: u64::from_be_bytes(*count),
            last: u64::from_be_bytes(last),
        })
    }

    pub fn text(self) -> String {
        let bytes = [self.count.to_be_bytes(), self.last.to_be_bytes()].concat();
        BASE64URL_NOPAD.encode(&bytes)
    }
}

/// FNV-1a, 64 bits: short, and the same in every version. Not a secret: names that collide move pages of their own directory only.
fn digest(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Beginning,
    /// After the entry that the cursor names.
    After(Cursor),
    /// After as many entries as the cursor counts: that entry is gone.
    AfterCount(Cursor),
}

/// What becomes of an entry that the directory has.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// Before the page.
    Before,
    OnPage,
    /// The page is full, and this is the first entry after it.
    Next,
}

/// Counts the entries of one reading of a directory.
pub struct Page {
    start: Start,
    limit: usize,
    seen: u64,
    given: usize,
    last: u64,
    has_begun: bool,
}

impl Page {
    pub fn new(start: Start, limit: usize) -> Self {
        let has_begun = match start {
            Start::Beginning => true,
            Start::After(_) => false,
            Start::AfterCount(cursor) => cursor.count == 0,
        };
        Self {
            start,
            limit,
            seen: 0,
            given: 0,
            last: 0,
            has_begun,
        }
    }

    pub fn place(&mut self, name: &str) -> Place {
        let digest = digest(name);
        if !self.has_begun {
            self.seen += 1;
            self.has_begun = match self.start {
                Start::Beginning => true,
                Start::After(cursor) => digest == cursor.last,
                Start::AfterCount(cursor) => self.seen >= cursor.count,
            };
            return Place::Before;
        }
        if self.given >= self.limit {
            return Place::Next;
        }
        self.seen += 1;
        self.given += 1;
        self.last = digest;
        Place::OnPage
    }

    /// At the end of the directory: where the page begins instead, if the entry of the cursor was not found.
    pub fn retry(&self) -> Option<Start> {
        match self.start {
            Start::After(cursor) if !self.has_begun => Some(Start::AfterCount(cursor)),
            _ => None,
        }
    }

    /// The cursor of the page after this one.
    pub fn next(&self) -> Cursor {
        Cursor {
            count: self.seen,
            last: self.last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One page as the shell reads it, over a directory in memory.
    fn read(names: &[&str], start: Start, limit: usize) -> (Vec<String>, Option<Cursor>) {
        let mut page = Page::new(start, limit);
        let mut given = Vec::new();
        for name in names {
            match page.place(name) {
                Place::Before => {}
                Place::OnPage => given.push((*name).to_owned()),
                Place::Next => return (given, Some(page.next())),
            }
        }
        match page.retry() {
            Some(start) => read(names, start, limit),
            None => (given, None),
        }
    }

    fn after(cursor: Option<Cursor>) -> Start {
        Start::After(Cursor::parse(&cursor.unwrap().text()).unwrap())
    }

    #[test]
    fn pages_have_each_entry_once() {
        let names = ["c", "a", "e", "b", "d"];
        let (first, next) = read(&names, Start::Beginning, 2);
        let (second, further) = read(&names, after(next), 2);
        let (third, end) = read(&names, after(further), 2);
        assert_eq!([first, second, third].concat(), names);
        assert_eq!(end, None);
    }

    #[test]
    fn a_page_that_ends_with_the_directory_has_no_cursor() {
        assert_eq!(
            read(&["a", "b"], Start::Beginning, 2),
            (vec!["a".to_owned(), "b".to_owned()], None)
        );
        assert_eq!(read(&[], Start::Beginning, 2), (vec![], None));
    }

    #[test]
    fn names_that_come_and_go_before_the_page_move_nothing() {
        let (_, next) = read(&["a", "b", "c", "d"], Start::Beginning, 2);
        assert_eq!(
            read(&["new", "a", "b", "c", "d"], after(next), 9).0,
            ["c", "d"]
        );
        assert_eq!(read(&["b", "c", "d"], after(next), 9).0, ["c", "d"]);
    }

    #[test]
    fn without_the_entry_of_the_cursor_the_number_decides() {
        let (_, next) = read(&["a", "b", "c", "d"], Start::Beginning, 2);
        assert_eq!(read(&["a", "c", "d"], after(next), 9).0, ["d"]);
        assert_eq!(read(&["a"], after(next), 9).0, Vec::<String>::new());
    }

    #[test]
    fn a_text_that_is_no_cursor_is_refused() {
        for text in ["", "!", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(
                Cursor::parse(text).unwrap_err().kind,
                Kind::BadRequest,
                "{text}"
            );
        }
        let cursor = Cursor { count: 7, last: 9 };
        assert_eq!(cursor.text().len(), 22);
        assert_eq!(Cursor::parse(&cursor.text()).unwrap(), cursor);
    }
}
