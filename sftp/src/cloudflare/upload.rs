//! An upload: to `<name>.<8 hex>.part`, which is renamed when all of it is stored. What breaks off is removed.

use futures_util::future::poll_immediate;
use futures_util::stream::{FuturesUnordered, StreamExt};
use russh_sftp::protocol::{FileAttributes, OpenFlags};
use serde_json::{Value, json};
use std::future::Future;

use super::admission::Slot;
use super::driver::Body;
use super::session::Session;
use super::short::entry;
use super::timing::within;
use crate::blocks::{Block, Gather, WRITES_IN_FLIGHT};
use crate::error::{Failure, Kind, Outcome};
use crate::path;
use crate::request::Write;

/// A part that is open at the server.
pub struct Upload {
    target: String,
    part: String,
    handle: String,
}

impl Upload {
    pub async fn open(session: &Session, write: &Write) -> Outcome<Self> {
        let target = session.target(&write.path).await?;
        let random = getrandom::u32()
            .map_err(|_| Failure::new(Kind::Failure, "There are no random numbers."))?;
        let part = path::part(&target, random);
        // The part must be new: what has the name is not ours, and a link could lead elsewhere.
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE;
        let opened = session.sftp.open(&*part, flags, FileAttributes::empty());
        let handle = session.answer(opened.await)?.handle;
        Ok(Self {
            target,
            part,
            handle,
        })
    }

    /// Moves the content, whose first bytes arrived with the head.
    pub async fn run(
        self,
        session: &Session,
        (first, body): (Vec<u8>, &mut Body),
        write: &Write,
        slot: &Slot,
    ) -> Outcome<Value> {
        let mut stored = self.store(session, first, body, slot).await;
        if let (Ok(length), Some(size)) = (&stored, write.size)
            && *length != size
        {
            let message = "The content has another length than was announced.";
            stored = Err(Failure::new(Kind::BadRequest, message));
        }
        let finished = match stored {
            Ok(length) => within(session.timeout, self.finish(session, length)).await,
            Err(failure) => Err(failure),
        };
        match finished {
            Ok(()) => {
                let attributes = within(session.timeout, session.attributes(&self.target)).await?;
                Ok(json!({ "entry": entry(&write.path, &attributes)? }))
            }
            Err(failure) => {
                let removed = session.remove_if_there(&self.part);
                // Over a lost connection it cannot be.
                let _ = within(session.timeout, removed).await;
                Err(failure)
            }
        }
    }

    /// Sends all blocks and waits for their answers. Returns the number of bytes.
    async fn store(
        &self,
        session: &Session,
        first: Vec<u8>,
        body: &mut Body,
        slot: &Slot,
    ) -> Outcome<u64> {
        let mut gather = Gather::default();
        let mut writes = FuturesUnordered::new();
        let mut piece = Some(first);
        while let Some(content) = piece {
            for block in gather.push(&content) {
                writes.push(self.write(session, block));
                make_room(session, &mut writes).await?;
            }
            slot.touch();
            piece = within(session.timeout, body.piece()).await?;
        }
        for block in gather.finish() {
            writes.push(self.write(session, block));
        }
        while let Some(written) = within(session.timeout, next(&mut writes)).await? {
            written?;
            slot.touch();
        }
        Ok(gather.length())
    }

    async fn write(&self, session: &Session, (offset, content): Block) -> Outcome<()> {
        let written = session.sftp.write(&*self.handle, offset, content).await;
        session.answer(written).map(drop)
    }

    /// The part gets its name, if the server has all of it.
    async fn finish(&self, session: &Session, length: u64) -> Outcome<()> {
        session.answer(session.sftp.close(&*self.handle).await)?;
        let stored = session.attributes(&self.part).await?.size;
        if stored.is_some_and(|size| size != length) {
            let message = "The server stored another length than it was sent.";
            return Err(Failure::new(Kind::Failure, message));
        }
        session.replace(&self.part, &self.target).await
    }
}

/// Starts the newest write, takes the answers that are there, and waits while too many have none.
async fn make_room(
    session: &Session,
    writes: &mut FuturesUnordered<impl Future<Output = Outcome<()>>>,
) -> Outcome<()> {
    while let Some(Some(written)) = poll_immediate(writes.next()).await {
        written?;
    }
    while writes.len() >= WRITES_IN_FLIGHT {
        if let Some(written) = within(session.timeout, next(writes)).await? {
            written?;
        }
    }
    Ok(())
}

async fn next<T>(writes: &mut FuturesUnordered<impl Future<Output = T>>) -> Outcome<Option<T>> {
    Ok(writes.next().await)
}
