//! From a host and a port to an SSH connection that is logged in.

use std::sync::Arc;
use std::time::Duration;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse, connect_stream};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg};
use russh::{Channel, ChannelMsg, Disconnect, Error, MethodKind, MethodSet};
use worker::Socket;

use super::timing::at_most;
use super::wire::{Line, Wire};
use crate::client::{Client, HostKeys, Record};
use crate::error::{Failure, Kind, Outcome, Presented};
use crate::private_key::rsa_hashes;
use crate::prompt::Answers;
use crate::request::Server;
use crate::{handshake, host_key};

/// What a server may send before it waits: 2 MiB keep a connection of 30 ms busy.
pub const TRANSFER_WINDOW: u32 = 2 * 1024 * 1024;
pub const SHORT_WINDOW: u32 = 256 * 1024;
/// How long the end of a connection may take. It is cut then.
const FAREWELL: Duration = Duration::from_secs(1);

/// An SSH connection. Dropped, it is cut; `end` says farewell first.
pub struct Connection {
    handle: Handle<Client>,
    record: Record,
    _line: Line,
}

impl Connection {
    pub async fn open(server: &Server, keys: HostKeys, window_size: u32) -> Outcome<Self> {
        let algorithms = match &keys {
            HostKeys::Pinned(pinned) => pinned.algorithms(),
            HostKeys::Report => host_key::all_algorithms(),
        };
        let socket = dial(server).await?;
        let (wire, line) = Wire::new(socket);
        let record = Record::default();
        let client = Client::new(keys, record.clone());
        let config = Arc::new(handshake::config(algorithms, window_size));
        match connect_stream(config, wire, client).await {
            Ok(handle) => Ok(Self {
                handle,
                record,
                _line: line,
            }),
            Err(error) => Err(handshake::failure(&error, &record)),
        }
    }

    /// The key of a server, which is not logged in to.
    pub async fn host_key(server: &Server) -> Outcome<Presented> {
        match Self::open(server, HostKeys::Report, SHORT_WINDOW).await {
            Err(Failure {
                kind: Kind::HostKeyMismatch,
                presented: Some(presented),
                ..
            }) => Ok(presented),
            Err(failure) => Err(failure),
            // Unreachable by `Client::check_server_key`.
            Ok(_) => Err(Failure::new(
                Kind::Failure,
                "The server showed no host key.",
            )),
        }
    }

    pub async fn log_in(&mut self, server: &Server, key: Option<PrivateKey>) -> Outcome<()> {
        let mut methods = None;
        if let Some(key) = key {
            match self.offer_key(server, key).await? {
                None => return Ok(()),
                left => methods = left,
            }
        }
        if let Some(password) = &server.password {
            match self.offer_password(server, password).await? {
                None => return Ok(()),
                left => methods = left,
            }
        }
        let Some(methods) = methods else {
            return Err(Failure::new(
                Kind::BadRequest,
                "There is neither a password nor a private key to log in with.",
            ));
        };
        let names = methods.iter().map(<&str>::from).collect::<Vec<_>>();
        let message = format!(
            "The server refused the log in: user name, password or private key are wrong, or the key is not authorized there. It offers: {}.",
            names.join(", ")
        );
        Err(Failure::new(Kind::WrongCredentials, message))
    }

    /// Nothing when it is accepted, otherwise the methods that the server still offers.
    async fn offer_key(&mut self, server: &Server, key: PrivateKey) -> Outcome<Option<MethodSet>> {
        let known = self.handle.best_supported_rsa_hash().await;
        let known = known.map_err(|_| self.lost())?.flatten();
        let key = Arc::new(key);
        let mut methods = MethodSet::empty();
        for hash in rsa_hashes(&key, known) {
            let key = PrivateKeyWithHashAlg::new(key.clone(), hash);
            let asked = self.handle.authenticate_publickey(&server.username, key);
            let asked = asked.await;
            match self.left(asked)? {
                None => return Ok(None),
                Some(left) => methods = left,
            }
        }
        Ok(Some(methods))
    }

    async fn offer_password(
        &mut self,
        server: &Server,
        password: &str,
    ) -> Outcome<Option<MethodSet>> {
        let asked = self
            .handle
            .authenticate_password(&server.username, password);
        let asked = asked.await;
        match self.left(asked)? {
            Some(left) if left.contains(&MethodKind::KeyboardInteractive) => {
                self.answer_prompt(server, password).await
            }
            left => Ok(left),
        }
    }

    async fn answer_prompt(
        &mut self,
        server: &Server,
        password: &str,
    ) -> Outcome<Option<MethodSet>> {
        use KeyboardInteractiveAuthResponse as Step;
        let username = server.username.as_str();
        let started = self
            .handle
            .authenticate_keyboard_interactive_start(username, None)
            .await;
        let mut step = started.map_err(|_| self.lost())?;
        let mut answers = Answers::new(password);
        loop {
            let responses = match step {
                Step::Success => return Ok(None),
                Step::Failure {
                    remaining_methods, ..
                } => return Ok(Some(remaining_methods)),
                Step::InfoRequest { prompts, .. } => answers.answer(&prompts)?,
            };
            let answered = self
                .handle
                .authenticate_keyboard_interactive_respond(responses)
                .await;
            step = answered.map_err(|_| self.lost())?;
        }
    }

    fn left(&self, result: Result<AuthResult, Error>) -> Outcome<Option<MethodSet>> {
        match result {
            Ok(AuthResult::Success) => Ok(None),
            // russh reports a connection that ended as a refusal.
            Ok(AuthResult::Failure {
                remaining_methods, ..
            }) if !self.handle.is_closed() => Ok(Some(remaining_methods)),
            _ => Err(self.lost()),
        }
    }

    /// A channel to the SFTP server.
    pub async fn sftp_channel(&self) -> Outcome<Channel<russh::client::Msg>> {
        let opened = self.handle.channel_open_session().await;
        let mut channel = opened.map_err(|error| match error {
            Error::ChannelOpenFailure(_) => Failure::new(
                Kind::Unsupported,
                "The server opens no session for this user.",
            ),
            _ => self.lost(),
        })?;
        let asked = channel.request_subsystem(true, "sftp").await;
        asked.map_err(|_| self.lost())?;
        loop {
            match channel.wait().await {
                Some(ChannelMsg::Success) => return Ok(channel),
                Some(ChannelMsg::Failure | ChannelMsg::Close | ChannelMsg::Eof) => {
                    return Err(Failure::new(
                        Kind::Unsupported,
                        "The server offers no SFTP to this user.",
                    ));
                }
                Some(_) => {}
                None => return Err(self.lost()),
            }
        }
    }

    pub fn lost(&self) -> Failure {
        Failure::new(Kind::ConnectionLost, "The server closed the connection.")
            .with_server_message(&self.record.last_message())
    }

    /// Ends the session at the server.
    pub async fn end(self) {
        let said = self.handle.disconnect(Disconnect::ByApplication, "", "en");
        at_most(FAREWELL, said).await;
        at_most(FAREWELL, self.handle).await;
    }
}

async fn dial(server: &Server) -> Outcome<Socket> {
    let unreachable = || {
        Failure::new(
            Kind::Unreachable,
            "The server cannot be reached: check its host and port, and its firewall.",
        )
    };
    let socket = Socket::builder().connect(&server.host, server.port);
    let socket = socket.map_err(|_| unreachable())?;
    socket.opened().await.map_err(|_| unreachable())?;
    Ok(socket)
}
