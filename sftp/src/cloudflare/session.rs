//! An SFTP session: paths below the root, and the requests that are not content.

use std::time::Duration;

use russh_sftp::client::error::Error as SftpError;
use russh_sftp::client::{Config, RawSftpSession};
use russh_sftp::extensions::HardlinkExtension;
use russh_sftp::protocol::{FileAttributes, Packet, StatusCode};

use super::connect::{Connection, SHORT_WINDOW, TRANSFER_WINDOW};
use crate::client::HostKeys;
use crate::error::{Failure, Kind, Outcome};
use crate::host_key::Pinned;
use crate::request::Request;
use crate::{path, private_key};

/// Replaces an existing file, which the rename of version 3 does not.
const POSIX_RENAME: &str = "posix-rename@openssh.com";
/// A server that answers with a larger packet is not one.
const PACKET_BYTES: u32 = 256 * 1024;

pub struct Session {
    pub sftp: RawSftpSession,
    pub timeout: Duration,
    connection: Connection,
    root: String,
    has_posix_rename: bool,
}

impl Session {
    pub async fn open(request: &Request) -> Outcome<Self> {
        let server = &request.server;
        // Both are read before anything is sent.
        let keys = HostKeys::Pinned(Pinned::parse(&server.host_keys)?);
        let passphrase = server.passphrase.as_deref();
        let key = server.private_key.as_deref();
        let key = key.map(|text| private_key::parse(text, passphrase));
        let window = if request.operation.is_transfer() {
            TRANSFER_WINDOW
        } else {
            SHORT_WINDOW
        };
        let mut connection = Connection::open(server, keys, window).await?;
        connection.log_in(server, key.transpose()?).await?;
        let channel = connection.sftp_channel().await?;
        let timeout = Duration::from_millis(request.timeout_ms.into());
        let config = Config {
            max_packet_len: PACKET_BYTES,
            // After ours, which ends the connection too.
            request_timeout_secs: timeout.as_secs() + 2,
            ..Config::default()
        };
        let sftp = RawSftpSession::new_with_config(channel.into_stream(), config);
        let version = sftp
            .init()
            .await
            .map_err(|error| failure(&error, &connection))?;
        let mut session = Self {
            sftp,
            timeout,
            connection,
            root: String::new(),
            has_posix_rename: version.extensions.contains_key(POSIX_RENAME),
        };
        session.root = session
            .resolve(server.root.as_deref().unwrap_or("/"))
            .await?;
        Ok(session)
    }

    /// Ends the session at the server.
    pub async fn end(self) {
        drop(self.sftp);
        self.connection.end().await;
    }

    /// The answer of the server, or how it failed.
    pub fn answer<T>(&self, result: Result<T, SftpError>) -> Outcome<T> {
        result.map_err(|error| failure(&error, &self.connection))
    }

    /// The same of the end of a file or a directory, which is an answer too.
    pub fn answer_or_end<T>(&self, result: Result<T, SftpError>) -> Outcome<Option<T>> {
        match result {
            Err(SftpError::Status(status)) if status.status_code == StatusCode::Eof => Ok(None),
            result => self.answer(result).map(Some),
        }
    }

    async fn resolve(&self, path: &str) -> Outcome<String> {
        let names = self.answer(self.sftp.realpath(path).await)?;
        match names.files.into_iter().next() {
            Some(name) if name.filename.starts_with('/') => Ok(name.filename),
            _ => Err(Failure::new(
                Kind::Failure,
                "The server did not say where a path leads.",
            )),
        }
    }

    /// Where an existing path leads on the server, if that is below the root.
    pub async fn real(&self, path: &str) -> Outcome<String> {
        let real = self.resolve(&path::join(&self.root, path)).await?;
        if path::is_within(&self.root, &real) {
            return Ok(real);
        }
        Err(Failure::new(
            Kind::OutsideRoot,
            "The path leads out of the root of this account.",
        ))
    }

    /// A name in an existing directory below the root. A symbolic link of this name is meant itself, not what it points to.
    pub async fn target(&self, path: &str) -> Outcome<String> {
        match path::parent(path) {
            Some((directory, name)) => Ok(path::child(&self.real(directory).await?, name)),
            None => Ok(self.root.clone()),
        }
    }

    /// Whether there is something of this name.
    pub async fn exists(&self, target: &str) -> Outcome<bool> {
        match self.answer(self.sftp.lstat(target).await) {
            Ok(_) => Ok(true),
            Err(Failure {
                kind: Kind::NotFound,
                ..
            }) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    pub async fn attributes(&self, real: &str) -> Outcome<FileAttributes> {
        Ok(self.answer(self.sftp.stat(real).await)?.attrs)
    }

    pub async fn remove_if_there(&self, target: &str) -> Outcome<()> {
        match self.answer(self.sftp.remove(target).await) {
            Err(failure) if failure.kind != Kind::NotFound => Err(failure),
            _ => Ok(()),
        }
    }

    /// Renames a file, and replaces what has the name.
    pub async fn replace(&self, from: &str, to: &str) -> Outcome<()> {
        if !self.has_posix_rename {
            self.remove_if_there(to).await?;
            return self.answer(self.sftp.rename(from, to).await).map(drop);
        }
        let names = HardlinkExtension {
            oldpath: from.to_owned(),
            newpath: to.to_owned(),
        };
        // The same two fields.
        let names: Vec<u8> = names
            .try_into()
            .map_err(|_| Failure::new(Kind::Failure, "The names cannot be sent to the server."))?;
        match self.answer(self.sftp.extended(POSIX_RENAME, names).await)? {
            Packet::Status(status) if status.status_code == StatusCode::Ok => Ok(()),
            Packet::Status(status) => Err(Failure::of_status(
                status.status_code as u32,
                &status.error_message,
            )),
            _ => Err(unexpected()),
        }
    }
}

fn failure(error: &SftpError, connection: &Connection) -> Failure {
    match error {
        SftpError::Status(status) => {
            Failure::of_status(status.status_code as u32, &status.error_message)
        }
        SftpError::Timeout => Failure::new(Kind::Timeout, "The server did not answer in time."),
        SftpError::Limited(_) | SftpError::UnexpectedPacket => unexpected(),
        // russh-sftp ends without saying why: what it waited for is gone.
        SftpError::IO(_) | SftpError::UnexpectedBehavior(_) => connection.lost(),
    }
}

fn unexpected() -> Failure {
    Failure::new(Kind::Failure, "The server answered with something else.")
}
