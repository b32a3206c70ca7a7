//! A download: many reads are in flight, and their answers go into the response one after another. What is not read by the caller
//! is not asked of the server: 32 blocks are held at most.

use futures_util::future::{Either, select};
use futures_util::stream::{FuturesOrdered, StreamExt};
use russh_sftp::protocol::{FileAttributes, OpenFlags};
use serde_json::json;
use std::pin::pin;

use super::admission::Slot;
use super::driver::Pipe;
use super::session::Session;
use super::timing::within;
use crate::blocks::{READS_IN_FLIGHT, Range};
use crate::entry;
use crate::error::{Failure, Kind, Outcome};
use crate::request::Read;

/// A file that is open at the server.
pub struct Download {
    handle: String,
    range: Range,
    size: u64,
    attributes: FileAttributes,
}

impl Download {
    pub async fn open(session: &Session, wanted: &Read) -> Outcome<Self> {
        let real = session.real(&wanted.path).await?;
        let opened = session
            .sftp
            .open(&*real, OpenFlags::READ, FileAttributes::empty());
        let handle = match session.answer(opened.await) {
            Ok(opened) => opened.handle,
            // Some servers open a directory, others do not.
            Err(failure) if failure.kind == Kind::Failure => {
                refuse_directory(&session.attributes(&real).await?)?;
                return Err(failure);
            }
            Err(failure) => return Err(failure),
        };
        let attributes = session.answer(session.sftp.fstat(&*handle).await)?.attrs;
        refuse_directory(&attributes)?;
        let Some(size) = attributes.size else {
            let message = "The server does not say how long the file is.";
            return Err(Failure::new(Kind::Failure, message));
        };
        Ok(Self {
            handle,
            range: Range::of_file(size, wanted.offset, wanted.length),
            size,
            attributes,
        })
    }

    pub fn length(&self) -> u64 {
        self.range.length
    }

    /// The header fields of the response, as JSON.
    pub fn headers(&self) -> String {
        json!({
            "content-type": "application/octet-stream",
            "content-length": self.length().to_string(),
            "x-file-size": self.size.to_string(),
            "last-modified": entry::http_date(&self.attributes),
        })
        .to_string()
    }

    /// Moves the content. Unless all of it has moved, the response breaks.
    pub async fn run(mut self, session: &Session, mut pipe: Pipe, slot: &Slot) -> Outcome<()> {
        let handle = self.handle.clone();
        let mut reads = FuturesOrdered::new();
        loop {
            while reads.len() < READS_IN_FLIGHT
                && let Some((offset, length)) = self.range.take_block()
            {
                reads.push_back(read_block(session, &handle, offset, length));
            }
            let answer = async {
                match select(reads.next(), pin!(pipe.gone())).await {
                    Either::Left((answer, _)) => answer.transpose(),
                    Either::Right((failure, _)) => Err(failure),
                }
            };
            let Some(block) = within(session.timeout, answer).await? else {
                break;
            };
            within(session.timeout, pipe.write(&block)).await?;
            slot.touch();
        }
        within(session.timeout, pipe.close()).await
    }
}

fn refuse_directory(attributes: &FileAttributes) -> Outcome<()> {
    if entry::kind(attributes) == "directory" {
        let message = "The path is a directory, which has no content.";
        return Err(Failure::new(Kind::BadRequest, message));
    }
    Ok(())
}

/// All bytes of a block: a server may answer with fewer than were asked for.
async fn read_block(
    session: &Session,
    handle: &str,
    mut offset: u64,
    mut length: u32,
) -> Outcome<Vec<u8>> {
    let mut block = Vec::new();
    while length > 0 {
        let answer = session.sftp.read(handle, offset, length).await;
        let data = session.answer_or_end(answer)?.map(|answer| answer.data);
        let data = data.unwrap_or_default();
        let read = u32::try_from(data.len()).unwrap_or(u32::MAX);
        if read == 0 || read > length {
            let message = "The file became shorter while it was read.";
            return Err(Failure::new(Kind::Failure, message));
        }
        offset += u64::from(read);
        length -= read;
        if block.is_empty() {
            block = data;
        } else {
            block.extend_from_slice(&data);
        }
    }
    Ok(block)
}
