//! What comes before the log in: the socket, what is offered to the server, and how that fails.

use std::borrow::Cow;

use russh::client::Config;
use russh::keys::Algorithm;
use russh::{AlgorithmKind, Error, Preferred, SshId, compression, kex};
use worker::Socket;

use super::client::Record;
use crate::error::{Failure, Kind, Outcome};
use crate::request::Server;

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

pub async fn dial(server: &Server) -> Outcome<Socket> {
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

pub fn config(algorithms: Vec<Algorithm>, window_size: u32) -> Config {
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

pub fn failure(error: &Error, record: &Record) -> Failure {
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
