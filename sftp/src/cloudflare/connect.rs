//! From a host and a port to an SSH connection that is logged in.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{AuthResult, Config, Handle, KeyboardInteractiveAuthResponse, connect_stream};
use russh::keys::{Algorithm, PrivateKey, PrivateKeyWithHashAlg};
use russh::{
    AlgorithmKind, Channel, ChannelMsg, Disconnect, Error, MethodKind, MethodSet, Preferred, SshId,
    compression, kex,
};
use worker::Socket;

use super::client::{Client, HostKeys, Record};
use super::timing::at_most;
use super::wire::{Line, Wire};
use crate::error::{Failure, Kind, Outcome, Presented};
use crate::host_key;
use crate::private_key::rsa_hashes;
use crate::request::Server;

/// What a server may send before it waits: 2 MiB keep a connection of 30 ms busy.
pub const TRANSFER_WINDOW: u32 = 2 * 1024 * 1024;
pub const SHORT_WINDOW: u32 = 256 * 1024;
/// How long the end of a connection may take. It is cut then.
const FAREWELL: Duration = Duration::from_secs(1);

/// No group exchange: a group of 8,192 bits, which russh prefers, takes 4.7 s of processor time. No group above 4,096 for the
/// same reason, none below 2,048, no SHA-1.
const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_G14_SHA256,
    kex::DH_G16_SHA512,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

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
        let config = Arc::new(config(algorithms, window_size));
        match connect_stream(config, wire, client).await {
            Ok(handle) => Ok(Self {
                handle,
                record,
                _line: line,
            }),
            Err(error) => Err(handshake_failure(&error, &record)),
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

    /// The password as the answer to one hidden prompt. Other questions (a one-time code) have no answer here.
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
        let mut password = Some(password.to_owned());
        loop {
            let answers = match step {
                Step::Success => return Ok(None),
                Step::Failure {
                    remaining_methods, ..
                } => return Ok(Some(remaining_methods)),
                Step::InfoRequest { prompts, .. } => match prompts.as_slice() {
                    [] => Vec::new(),
                    [prompt] if !prompt.echo && password.is_some() => {
                        password.take().into_iter().collect()
                    }
                    _ => {
                        return Err(Failure::new(
                            Kind::WrongCredentials,
                            "The server asks for more than a password, such as a one-time code. That cannot be answered here.",
                        ));
                    }
                },
            };
            let answered = self
                .handle
                .authenticate_keyboard_interactive_respond(answers)
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

fn config(algorithms: Vec<Algorithm>, window_size: u32) -> Config {
    Config {
        client_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Causeway")),
        window_size,
        // Both run on a clock that panics on wasm32; `timing` has the time-outs.
        inactivity_timeout: None,
        keepalive_interval: None,
        preferred: Preferred {
            kex: Cow::Borrowed(KEX),
            key: Cow::Owned(algorithms),
            compression: Cow::Borrowed(&[compression::NONE]),
            ..Preferred::DEFAULT
        },
        ..Config::default()
    }
}

fn handshake_failure(error: &Error, record: &Record) -> Failure {
    let mismatch = |message: &str| Failure::new(Kind::HostKeyMismatch, message);
    match error {
        Error::UnknownKey => {
            let failure = mismatch(
                "The server's host key is not one that is pinned: it has a new key, or another server answers. Nothing was sent to it.",
            );
            match record.host_key() {
                Some(presented) => failure.with_presented(presented),
                None => failure,
            }
        }
        Error::NoCommonAlgo {
            kind: AlgorithmKind::Key,
            theirs,
            ..
        } => mismatch("The server has no host key of the algorithms that are pinned.")
            .with_server_message(&theirs.join(",")),
        Error::NoCommonAlgo { kind, theirs, .. } => Failure::new(
            Kind::Failure,
            format!("The server supports no algorithm that is safe enough ({kind:?})."),
        )
        .with_server_message(&theirs.join(",")),
        Error::Version => Failure::new(Kind::Unreachable, "No SSH server answers there."),
        Error::WrongServerSig => mismatch("The server could not prove that it has its host key."),
        _ => Failure::new(
            Kind::ConnectionLost,
            "The server closed the connection before the log in.",
        )
        .with_server_message(&record.last_message()),
    }
}
