//! Content codings (RFC 9110 §8.4): which a body has, and undoing those that can be undone within a limit.
//!
//! `br` and `zstd` are not among them: their windows take up to 16 MB and 8 MB whatever the body is.

use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use miniz_oxide::inflate::TINFLStatus as Status;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER,
    TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// More than any sender applies to one body.
const MOST_CODINGS: usize = 4;
/// Room is taken, and output made, in steps of so many bytes.
const STEP: usize = 64 * 1024;
/// The registered codings that are not undone (RFC 9110 §18.6, and the registry).
const NOT_UNDONE: [&str; 9] = [
    "br",
    "zstd",
    "compress",
    "x-compress",
    "dcb",
    "dcz",
    "exi",
    "pack200-gzip",
    "aes128gcm",
];

/// A coding that can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950; some send RFC 1951 alone.
    Deflate,
}

/// Why a body is not decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodingError {
    /// A coding that is not undone here.
    #[error("it is compressed with `{0}`, which is not undone here")]
    Unknown(&'static str),
    /// More codings than anybody applies.
    #[error("it has more than {MOST_CODINGS} content codings")]
    TooMany,
    /// The bytes are not of the coding.
    #[error("it is not {0}, which its content-encoding says")]
    Broken(&'static str),
    /// It would be larger than allowed.
    #[error("it is more than {0} bytes when it is decoded")]
    TooLarge(usize),
}

/// Why decoding ended early.
#[derive(Debug)]
pub enum Stopped<E> {
    /// The body's fault.
    Coding(CodingError),
    /// There was no room for more.
    NoRoom(E),
}

impl<E> From<CodingError> for Stopped<E> {
    fn from(error: CodingError) -> Self {
        Self::Coding(error)
    }
}

/// The codings of a body, in the order they were applied. Names are read in any case (§8.4.1), `x-gzip` too (§8.4.1.3);
/// `identity` and words that are no coding (`utf-8`, `none`) say nothing of the bytes.
pub fn of(headers: &HeaderMap) -> Result<Vec<Coding>, CodingError> {
    let mut found = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        for name in value.as_bytes().split(|byte| *byte == b',') {
            let name = name.trim_ascii();
            let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
            if is("gzip") || is("x-gzip") {
                found.push(Coding::Gzip);
            } else if is("deflate") {
                found.push(Coding::Deflate);
            } else if let Some(known) = NOT_UNDONE.iter().find(|known| is(known)) {
                return Err(CodingError::Unknown(known));
            }
            if found.len() > MOST_CODINGS {
                return Err(CodingError::TooMany);
            }
        }
    }
    Ok(found)
}

/// Undoes these codings of `body`, the last first; no step gives more than `limit` bytes. `take` is asked for room before
/// each piece of output.
pub fn undo<E>(
    codings: &[Coding],
    body: &[u8],
    limit: usize,
    take: &dyn Fn(usize) -> Result<(), E>,
) -> Result<Vec<u8>, Stopped<E>> {
    let mut bytes: Option<Vec<u8>> = None;
    for coding in codings.iter().rev() {
        let input = bytes.as_deref().unwrap_or(body);
        let mut output = Output {
            bytes: Vec::new(),
            end: 0,
            limit,
            take,
        };
        match coding {
            _ if input.is_empty() => {}
            Coding::Gzip => gunzip(input, &mut output)?,
            Coding::Deflate => undeflate(input, &mut output)?,
        }
        output.bytes.truncate(output.end);
        bytes = Some(output.bytes);
    }
    Ok(bytes.unwrap_or_else(|| body.to_vec()))
}

/// What was made, up to `end`, with some space behind it.
struct Output<'t, E> {
    bytes: Vec<u8>,
    end: usize,
    limit: usize,
    take: &'t dyn Fn(usize) -> Result<(), E>,
}

impl<E> Output<'_, E> {
    /// Makes space where there is none. One byte over the limit tells whether there is more.
    fn grow(&mut self) -> Result<(), Stopped<E>> {
        if self.end > self.limit {
            return Err(CodingError::TooLarge(self.limit).into());
        }
        if self.end < self.bytes.len() {
            return Ok(());
        }
        let most = self.limit.saturating_add(1).saturating_sub(self.end);
        let more = STEP.min(most);
        (self.take)(more).map_err(Stopped::NoRoom)?;
        self.bytes.resize(self.end.saturating_add(more), 0);
        Ok(())
    }

    /// Inflates one stream; how much of the input it was.
    fn inflate(
        &mut self,
        input: &[u8],
        flags: u32,
        broken: CodingError,
    ) -> Result<usize, Stopped<E>> {
        let (start, mut used) = (self.end, 0);
        let mut inflater = Box::<DecompressorOxide>::default();
        loop {
            self.grow()?;
            let rest = input.get(used..).unwrap_or_default();
            // Earlier members are out of its reach.
            let space = self.bytes.get_mut(start..).unwrap_or_default();
            let flags = flags | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
            let (status, read, made) = decompress(
                &mut inflater,
                rest,
                space,
                self.end.saturating_sub(start),
                flags,
            );
            used = used.saturating_add(read);
            self.end = self.end.saturating_add(made);
            match status {
                Status::Done if self.end <= self.limit => return Ok(used),
                Status::Done | Status::HasMoreOutput => {}
                _ => return Err(broken.into()),
            }
        }
    }
}

/// One member behind the other (RFC 1952 §2.2).
fn gunzip<E>(input: &[u8], output: &mut Output<E>) -> Result<(), Stopped<E>> {
    const BROKEN: CodingError = CodingError::Broken("gzip");
    let mut rest = input;
    while !rest.is_empty() {
        let body = behind_header(rest).ok_or(BROKEN)?;
        let start = output.end;
        let used = output.inflate(body, 0, BROKEN)?;
        let trailer = body
            .get(used..)
            .and_then(<[u8]>::first_chunk::<8>)
            .ok_or(BROKEN)?;
        let made = output.bytes.get(start..output.end).unwrap_or_default();
        let [a, b, c, d, size @ ..] = *trailer;
        #[allow(clippy::cast_possible_truncation)] // modulo 2^32 (RFC 1952 §2.3.1)
        let is_whole = u32::from_le_bytes([a, b, c, d]) == crc32(made)
            && u32::from_le_bytes(size) == made.len() as u32;
        if !is_whole {
            return Err(BROKEN.into());
        }
        rest = body.get(used.saturating_add(8)..).unwrap_or_default();
    }
    Ok(())
}

/// What follows the header of a member (RFC 1952 §2.3).
fn behind_header(member: &[u8]) -> Option<&[u8]> {
    let [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, rest @ ..] = member else {
        return None;
    };
    let has = |bit: u8| flags & (1 << bit) != 0;
    let mut rest = rest;
    if has(2) {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        rest = behind.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [3, 4] {
        if has(text) {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end.checked_add(1)?..)?;
        }
    }
    if has(1) {
        rest = rest.get(2..)?;
    }
    Some(rest)
}

/// With the header of RFC 1950, or else without.
fn undeflate<E>(input: &[u8], output: &mut Output<E>) -> Result<(), Stopped<E>> {
    const BROKEN: CodingError = CodingError::Broken("deflate");
    let zlib = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_COMPUTE_ADLER32;
    match output.inflate(input, zlib, BROKEN) {
        Err(Stopped::Coding(CodingError::Broken(_))) => {}
        other => return other.map(drop),
    }
    output.end = 0;
    output.inflate(input, 0, BROKEN).map(drop)
}

/// RFC 1952 §8, four bits at a time.
fn crc32(bytes: &[u8]) -> u32 {
    const fn of_bits(low: u32) -> u32 {
        let (mut value, mut bit) = (low, 0);
        while bit < 4 {
            value = (value >> 1) ^ (0xedb8_8320 & (value & 1).wrapping_neg());
            bit += 1;
        }
        value
    }
    const TABLE: [u32; 16] = [
        of_bits(0),
        of_bits(1),
        of_bits(2),
        of_bits(3),
        of_bits(4),
        of_bits(5),
        of_bits(6),
        of_bits(7),
        of_bits(8),
        of_bits(9),
        of_bits(10),
        of_bits(11),
        of_bits(12),
        of_bits(13),
        of_bits(14),
        of_bits(15),
    ];
    let step = |crc: u32, low: u32| {
        let index = usize::try_from((crc ^ low) & 15).unwrap_or_default();
        (crc >> 4) ^ TABLE.get(index).copied().unwrap_or_default()
    };
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        let byte = u32::from(*byte);
        step(step(crc, byte), byte >> 4)
    });
    !crc
}

#[cfg(test)]
mod tests;
