//! The body of a request: 4 bytes (big-endian N), the head of N bytes of JSON, then the content of an upload. So no credential is
//! in a URL or a header field, which logs and traces show.

use crate::error::{Failure, Outcome};
use crate::request::wrong;

pub const HEAD_BYTES: usize = 64 * 1024;
const LENGTH_BYTES: usize = 4;

/// Takes the head off a body that arrives in pieces.
#[derive(Default)]
pub struct HeadReader(Vec<u8>);

/// The head, and what of the content arrived with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Split {
    pub head: Vec<u8>,
    pub content: Vec<u8>,
}

impl HeadReader {
    /// The head once it is complete.
    pub fn push(&mut self, piece: &[u8]) -> Outcome<Option<Split>> {
        self.0.extend_from_slice(piece);
        let Some(length) = self.0.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > HEAD_BYTES {
            return Err(wrong("its head is longer than 64 KiB"));
        }
        let end = LENGTH_BYTES + length;
        if self.0.len() < end {
            return Ok(None);
        }
        let content = self.0.split_off(end);
        let head = self.0.split_off(LENGTH_BYTES);
        Ok(Some(Split { head, content }))
    }
}

/// What a body says that ends before its head does.
pub fn without_head() -> Failure {
    wrong("its body ends within the head")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn the_head_is_taken_off_pieces_of_any_size() {
        let body = [&6u32.to_be_bytes()[..], b"{head}content"].concat();
        let whole = Split {
            head: b"{head}".to_vec(),
            content: b"content".to_vec(),
        };
        assert_eq!(HeadReader::default().push(&body).unwrap(), Some(whole));
        let mut reader = HeadReader::default();
        for byte in &body[..9] {
            assert_eq!(reader.push(&[*byte]).unwrap(), None);
        }
        let split = reader.push(&body[9..10]).unwrap().unwrap();
        assert_eq!(
            (split.head, split.content),
            (b"{head}".to_vec(), Vec::new())
        );
    }

    #[test]
    fn a_head_has_64_kib_at_most() {
        let length = |bytes: u32| HeadReader::default().push(&bytes.to_be_bytes());
        assert_eq!(length(65_536).unwrap(), None);
        assert_eq!(length(65_537).unwrap_err().kind, Kind::BadRequest);
    }
}
