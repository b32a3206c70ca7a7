//! The operations that move no content.

use russh_sftp::protocol::FileAttributes;
use serde_json::{Value, json};

use super::session::Session;
use crate::cursor::{Page, Place, Start};
use crate::entry::Entry;
use crate::error::{Failure, Kind, Outcome};
use crate::path;
use crate::request::{List, Rename};

pub async fn check(session: &Session) -> Outcome<Value> {
    let root = session.real("/").await?;
    let handle = session.answer(session.sftp.opendir(root).await)?.handle;
    session.answer_or_end(session.sftp.readdir(handle).await)?;
    Ok(json!({}))
}

/// A symbolic link is followed, as for `read`: the entry is of what it points to.
pub async fn stat(session: &Session, path: &str) -> Outcome<Value> {
    let real = session.real(path).await?;
    entry(path, &session.attributes(&real).await?)
}

pub fn entry(path: &str, attributes: &FileAttributes) -> Outcome<Value> {
    serde_json::to_value(Entry::new(path, attributes))
        .map_err(|_| Failure::new(Kind::Failure, "The entry cannot be shown."))
}

pub async fn delete(session: &Session, path: &str) -> Outcome<Value> {
    let target = session.target(path).await?;
    session.answer(session.sftp.remove(target).await)?;
    Ok(json!({}))
}

pub async fn mkdir(session: &Session, path: &str) -> Outcome<Value> {
    let target = session.target(path).await?;
    let made = session.sftp.mkdir(&*target, FileAttributes::empty()).await;
    match session.answer(made) {
        Ok(_) => Ok(json!({})),
        Err(failure) if failure.kind == Kind::Failure && session.exists(&target).await? => {
            Err(exists(path))
        }
        Err(failure) => Err(failure),
    }
}

pub async fn rmdir(session: &Session, path: &str) -> Outcome<Value> {
    let target = session.target(path).await?;
    session.answer(session.sftp.rmdir(target).await)?;
    Ok(json!({}))
}

/// Asks first: version 3 lets a server replace the target or refuse.
pub async fn rename(session: &Session, names: &Rename) -> Outcome<Value> {
    let from = session.target(&names.from).await?;
    let to = session.target(&names.to).await?;
    if session.exists(&to).await? {
        return Err(exists(&names.to));
    }
    session.answer(session.sftp.rename(from, to).await)?;
    Ok(json!({}))
}

fn exists(path: &str) -> Failure {
    Failure::new(
        Kind::Exists,
        format!("There is already something named {path}."),
    )
}

pub async fn list(session: &Session, list: &List) -> Outcome<Value> {
    let real = session.real(&list.path).await?;
    let mut start = list.after.map_or(Start::Beginning, Start::After);
    loop {
        match read_page(session, &real, list, start).await? {
            Reading::Page(page) => return Ok(page),
            Reading::Again(from) => start = from,
        }
    }
}

enum Reading {
    Page(Value),
    /// The entry of the cursor is gone.
    Again(Start),
}

/// Reads up to the end of the page, one answer of the server at a time.
async fn read_page(session: &Session, real: &str, list: &List, start: Start) -> Outcome<Reading> {
    let handle = session.answer(session.sftp.opendir(real).await)?.handle;
    let mut page = Page::new(start, list.limit);
    let mut entries = Vec::new();
    let mut next_cursor = None;
    'directory: while let Some(names) =
        session.answer_or_end(session.sftp.readdir(&*handle).await)?
    {
        if names.files.is_empty() {
            break; // a server that neither ends nor goes on
        }
        for file in names.files {
            if !path::is_name(&file.filename) {
                continue;
            }
            match page.place(&file.filename) {
                Place::Before => {}
                Place::OnPage => {
                    let path = path::child(&list.path, &file.filename);
                    entries.push(Entry::new(&path, &file.attrs));
                }
                Place::Next => {
                    next_cursor = Some(page.next().text());
                    break 'directory;
                }
            }
        }
    }
    if next_cursor.is_none()
        && let Some(start) = page.retry()
    {
        session.answer(session.sftp.close(handle).await)?;
        return Ok(Reading::Again(start));
    }
    Ok(Reading::Page(
        json!({ "entries": entries, "next_cursor": next_cursor }),
    ))
}
