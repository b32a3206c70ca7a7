//! What comes before the log in: what is offered to the server, and how that fails.

use std::borrow::Cow;

use russh::client::Config;
use russh::keys::Algorithm;
use russh::{AlgorithmKind, Error, Preferred, SshId, compression, kex};

use crate::client::Record;
use crate::error::{Failure, Kind};

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

pub fn config(algorithms: Vec<Algorithm>, window_size: u32) -> Config {
    Config {
        client_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Causeway")),
        window_size,
        // Both run on a clock that panics on wasm32; the shell has the time-outs.
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

#[cfg(test)]
mod tests {
    use russh::keys::parse_public_key_base64;

    use super::*;
    use crate::host_key::all_algorithms;

    fn names<T: AsRef<str>>(offered: &[T]) -> Vec<&str> {
        offered.iter().map(AsRef::as_ref).collect()
    }

    fn no_common(kind: AlgorithmKind) -> Error {
        Error::NoCommonAlgo {
            kind,
            ours: Vec::new(),
            theirs: vec!["one".to_owned(), "two".to_owned()],
        }
    }

    #[test]
    fn nothing_weak_or_slow_is_offered() {
        let Config { preferred, .. } = config(all_algorithms(), 1);
        let offered = [
            names(&preferred.kex),
            names(&preferred.cipher),
            names(&preferred.compression),
        ];
        for weak in ["sha1", "exchange", "group18", "cbc", "3des", "zlib"] {
            let is_offered = offered.iter().flatten().any(|name| name.contains(weak));
            assert!(!is_offered, "{weak}");
        }
        assert!(offered.iter().all(|names| !names.is_empty()));
        assert_eq!(preferred.key.to_vec(), all_algorithms());
    }

    #[test]
    fn an_unknown_host_key_is_shown() {
        let record = Record::default();
        assert_eq!(failure(&Error::UnknownKey, &record).presented, None);
        let line = include_str!("../tests/keys/ed25519.pub");
        let base64 = line.split_whitespace().nth(1).unwrap();
        record.note_host_key(parse_public_key_base64(base64).unwrap());
        let failure = failure(&Error::UnknownKey, &record);
        assert_eq!(failure.kind, Kind::HostKeyMismatch);
        assert!(line.starts_with(&failure.presented.unwrap().host_key));
    }

    #[test]
    fn a_handshake_that_fails_has_its_kind_and_the_words_of_the_server() {
        let record = Record::default();
        record.note_last_message("Too many sessions.".to_owned());
        let (offers, says) = (Some("one,two"), Some("Too many sessions."));
        for (error, kind, message) in [
            (no_common(AlgorithmKind::Key), Kind::HostKeyMismatch, offers),
            (no_common(AlgorithmKind::Kex), Kind::Failure, offers),
            (Error::Version, Kind::Unreachable, None),
            (Error::WrongServerSig, Kind::HostKeyMismatch, None),
            (Error::Disconnect, Kind::ConnectionLost, says),
        ] {
            let failure = failure(&error, &record);
            assert_eq!(failure.kind, kind, "{error}");
            assert_eq!(failure.server_message.as_deref(), message, "{error}");
            assert_eq!(failure.presented, None, "{error}");
        }
    }
}
