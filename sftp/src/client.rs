//! What the SSH client decides about the server: its key, and the channels that it would open.

use std::sync::{Arc, Mutex};

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use russh::{Channel, Error};

use crate::error::Presented;
use crate::host_key::{self, Pinned};

/// Which host keys are accepted.
pub enum HostKeys {
    Pinned(Pinned),
    /// None: the key is reported, and the connection ends before a credential is sent.
    Report,
}

/// What the server showed of itself.
#[derive(Default)]
struct Seen {
    host_key: Option<PublicKey>,
    last_message: Option<String>,
}

#[derive(Clone, Default)]
pub struct Record(Arc<Mutex<Seen>>);

impl Record {
    fn note(&self, change: impl FnOnce(&mut Seen)) {
        if let Ok(mut seen) = self.0.lock() {
            change(&mut seen);
        }
    }

    pub fn note_host_key(&self, key: PublicKey) {
        self.note(|seen| seen.host_key = Some(key));
    }

    pub fn note_last_message(&self, message: String) {
        self.note(|seen| seen.last_message = Some(message));
    }

    /// The host key that the server proved to have.
    pub fn host_key(&self) -> Option<Presented> {
        let seen = self.0.lock().ok()?;
        host_key::presented(seen.host_key.as_ref()?)
    }

    /// With which words the server ended the connection.
    pub fn last_message(&self) -> String {
        let seen = self.0.lock().ok();
        seen.and_then(|seen| seen.last_message.clone())
            .unwrap_or_default()
    }
}

pub struct Client {
    keys: HostKeys,
    record: Record,
}

impl Client {
    pub fn new(keys: HostKeys, record: Record) -> Self {
        Self { keys, record }
    }

    fn accepts(&self, key: &PublicKeyOrCertificate) -> bool {
        // A certificate says that an authority signed the key, and no authority is pinned: none is asked for either.
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else {
            return false;
        };
        self.record.note_host_key(key.clone());
        match &self.keys {
            HostKeys::Pinned(pinned) => pinned.contains(key),
            HostKeys::Report => false,
        }
    }
}

impl Handler for Client {
    type Error = Error;

    /// Called after the server proved that it has the key, and before anything is sent that is secret.
    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Error> {
        Ok(self.accepts(key))
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Error>) -> Result<(), Error> {
        if let DisconnectReason::ReceivedDisconnect(info) = reason {
            self.record.note_last_message(info.message);
        }
        Ok(())
    }

    // A handle that is dropped refuses the channel. russh would accept: a server has nothing to open here.

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _: Channel<Msg>,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _: Channel<Msg>,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use russh::keys::{Certificate, parse_public_key_base64};

    use super::*;

    const ED25519: &str = include_str!("../tests/keys/ed25519.pub");
    const CERTIFICATE: &str = include_str!("../tests/keys/ed25519-cert.pub");
    const ECDSA: &str = include_str!("../tests/keys/ecdsa-256.pub");

    fn key(line: &str) -> PublicKeyOrCertificate {
        let base64 = line.split_whitespace().nth(1).unwrap();
        parse_public_key_base64(base64).unwrap().into()
    }

    fn pinned(line: &str) -> HostKeys {
        HostKeys::Pinned(Pinned::parse(&[line.to_owned()]).unwrap())
    }

    /// Whether the key is accepted, and which one was noted.
    fn show(keys: HostKeys, key: &PublicKeyOrCertificate) -> (bool, Option<String>) {
        let record = Record::default();
        let is_accepted = Client::new(keys, record.clone()).accepts(key);
        (is_accepted, record.host_key().map(|key| key.host_key))
    }

    /// The line without its comment.
    fn bare(line: &str) -> String {
        let words: Vec<_> = line.split_whitespace().take(2).collect();
        words.join(" ")
    }

    #[test]
    fn a_host_key_is_accepted_if_it_is_pinned_and_noted_in_any_case() {
        let (ecdsa, noted) = (key(ECDSA), Some(bare(ECDSA)));
        assert_eq!(show(pinned(ECDSA), &ecdsa), (true, noted.clone()));
        assert_eq!(show(pinned(ED25519), &ecdsa), (false, noted.clone()));
        assert_eq!(show(HostKeys::Report, &ecdsa), (false, noted));
    }

    #[test]
    fn a_certificate_of_the_pinned_key_is_not_accepted() {
        let certificate = Certificate::from_openssh(CERTIFICATE).unwrap();
        assert_eq!(show(pinned(ED25519), &certificate.into()), (false, None));
    }
}
