//! `content-encoding` (RFC 9110 section 8.4): what was done to a body, by names of any case, in any number, with empty
//! elements among them; and the undoing of it, within a limit.

use std::fmt;
use std::io::{self, Write};

use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue};

/// A coding that is undone here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// `gzip` (RFC 1952), also called `x-gzip`.
    Gzip,
    /// `deflate`: zlib (RFC 1950), or, as some servers send it, bare DEFLATE (RFC 1951).
    Deflate,
}

/// Why codings are not undone here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotUndone {
    /// One of the registry that is none of [`Coding`].
    #[error("it is compressed with `{0}`, which is not undone here")]
    Other(&'static str),
    /// More of them than any sender has a reason for.
    #[error("it has more than {MOST} content codings")]
    TooMany,
}

/// Why a body could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undecoded<E> {
    /// Its codings are not undone here.
    #[error(transparent)]
    NotUndone(#[from] NotUndone),
    /// It is not what its fields say, or breaks off.
    #[error("it is not {0}, which its content-encoding says")]
    Broken(Coding),
    /// It is longer than so many bytes.
    #[error("it is more than {0} bytes when it is decoded")]
    TooLarge(usize),
    /// There is no room for it.
    #[error("there is no room for it")]
    NoRoom(E),
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
        })
    }
}

/// What the IANA registry has in addition to those of [`Coding`] and `identity`. The windows of `br` and `zstd` alone would take up
/// to 16 MB and 8 MB.
const OTHERS: [&str; 9] = [
    "aes128gcm",
    "br",
    "compress",
    "dcb",
    "dcz",
    "exi",
    "pack200-gzip",
    "x-compress",
    "zstd",
];
/// Layers that are undone.
const MOST: usize = 4;
/// Members of one gzip body (RFC 1952 section 2.2). Each costs a window, also one that decodes to nothing, so a limit on
/// the decoded bytes does not bound their number.
const MEMBERS: usize = 64;
/// Bytes that are decoded at a time.
const PIECE: usize = 32 * 1024;

/// What is left to undo of an answer, the outermost first. The platform has undone what is named exactly so.
pub fn of_answer(headers: &HeaderMap) -> Result<Vec<Coding>, NotUndone> {
    if is_undone_by_platform(headers) {
        return Ok(Vec::new());
    }
    named(headers)
}

/// Whether the platform hands the body of an answer on decoded: it knows these names, in this spelling, alone.
pub fn is_undone_by_platform(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    let only = values.next().map(HeaderValue::as_bytes);
    matches!(only, None | Some(b"gzip" | b"br" | b"identity" | b"")) && values.next().is_none()
}

/// What the fields name, the outermost first. A word that is no coding of the registry says nothing of the bytes: what
/// reads them finds out.
pub fn named(headers: &HeaderMap) -> Result<Vec<Coding>, NotUndone> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        for word in value.as_bytes().split(|byte| *byte == b',') {
            let word = word.trim_ascii().to_ascii_lowercase();
            match word.as_slice() {
                b"gzip" | b"x-gzip" => codings.push(Coding::Gzip),
                b"deflate" => codings.push(Coding::Deflate),
                other => {
                    if let Some(own) = OTHERS.iter().find(|own| own.as_bytes() == other) {
                        return Err(NotUndone::Other(own));
                    }
                }
            }
        }
    }
    codings.reverse();
    let is_within = codings.len() <= MOST;
    is_within.then_some(codings).ok_or(NotUndone::TooMany)
}

/// The bytes without these codings: never more than `most`, and each piece only after `take` had room for it.
pub fn undo<E>(
    codings: &[Coding],
    bytes: &[u8],
    most: usize,
    take: &mut dyn FnMut(usize) -> Result<(), E>,
) -> Result<Vec<u8>, Undecoded<E>> {
    let mut decoded: Option<Vec<u8>> = None;
    for coding in codings {
        let source = decoded.as_deref().unwrap_or(bytes);
        let mut sink = Sink {
            decoded: Vec::new(),
            most,
            take: &mut *take,
            refused: None,
        };
        let done = match coding {
            Coding::Gzip => gzip(source, &mut sink),
            Coding::Deflate => deflate(source, &mut sink),
        };
        match (done, sink.refused) {
            (Ok(()), _) => decoded = Some(sink.decoded),
            (Err(_), Some(refused)) => return Err(refused),
            (Err(_), None) => return Err(Undecoded::Broken(*coding)),
        }
    }
    Ok(decoded.unwrap_or_else(|| bytes.to_vec()))
}

/// Where decoded bytes go.
struct Sink<'t, E> {
    decoded: Vec<u8>,
    most: usize,
    take: &'t mut dyn FnMut(usize) -> Result<(), E>,
    refused: Option<Undecoded<E>>,
}

impl<E> Write for Sink<'_, E> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let fits = self.decoded.len().saturating_add(piece.len()) <= self.most;
        let taken = if fits {
            (self.take)(piece.len()).map_err(Undecoded::NoRoom)
        } else {
            Err(Undecoded::TooLarge(self.most))
        };
        if let Err(refused) = taken {
            self.refused = Some(refused);
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.decoded.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn gzip(bytes: &[u8], sink: &mut impl Write) -> io::Result<()> {
    let mut left = bytes;
    for _ in 0..MEMBERS {
        let mut member = GzDecoder::new(left);
        io::copy(&mut member, sink)?;
        left = member.into_inner();
        if left.is_empty() {
            return Ok(());
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

fn deflate(bytes: &[u8], sink: &mut impl Write) -> io::Result<()> {
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let mut decoder = Decompress::new(has_zlib_header(bytes));
    let mut piece = vec![0; PIECE];
    let mut left = bytes;
    loop {
        let (came, gave) = (decoder.total_in(), decoder.total_out());
        let status = decoder.decompress(left, &mut piece, FlushDecompress::None);
        let status = status.map_err(|_| broken())?;
        let eaten = usize::try_from(decoder.total_in() - came).map_err(|_| broken())?;
        let made = usize::try_from(decoder.total_out() - gave).map_err(|_| broken())?;
        left = left.get(eaten..).ok_or_else(broken)?;
        sink.write_all(piece.get(..made).ok_or_else(broken)?)?;
        match status {
            Status::StreamEnd => return Ok(()),
            _ if eaten == 0 && made == 0 => return Err(broken()),
            _ => {}
        }
    }
}

/// RFC 1950 section 2.2: the method 8, and the two bytes a multiple of 31.
fn has_zlib_header(bytes: &[u8]) -> bool {
    match bytes {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]).is_multiple_of(31)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests;
