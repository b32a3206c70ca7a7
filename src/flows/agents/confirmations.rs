//! Dry runs of destructive tools that can be confirmed. They are in memory: after a restart a tool is shown again.

use std::cell::RefCell;
use std::collections::VecDeque;

use data_encoding::BASE64URL_NOPAD;

use crate::crypto;
use crate::flows::account::stored::InMemory;
use crate::ports::System;
use crate::settings::{CONFIRMATION_LIFE, CONFIRMATIONS};
use crate::time::Timestamp;

/// Random bytes of a confirmation.
const RANDOM_BYTES: usize = 24;

/// A dry run that was shown.
struct DryRun {
    /// The SHA-256 of the confirmation.
    hash: String,
    /// The SHA-256 of the call: the token, the tool and its arguments.
    call: String,
    /// The digest of the request that it would have sent.
    request: String,
    until: Timestamp,
}

/// The dry runs that can be confirmed, the oldest first.
#[derive(Default)]
pub(in crate::flows) struct Confirmations(RefCell<VecDeque<DryRun>>);

impl Confirmations {
    /// A confirmation of this call, and until when it is good.
    pub(super) fn issue(
        &self,
        system: &impl System,
        (call, request): (String, String),
    ) -> (String, Timestamp) {
        let confirmation = BASE64URL_NOPAD.encode(&system.random::<RANDOM_BYTES>());
        let until = system.now().plus(CONFIRMATION_LIFE);
        let mut all = self.0.borrow_mut();
        if all.len() >= CONFIRMATIONS {
            all.pop_front();
        }
        all.push_back(DryRun {
            hash: crypto::sha256_hex(confirmation.as_bytes()),
            call,
            request,
            until,
        });
        (confirmation, until)
    }

    /// The digest of the request that was shown for this call with this confirmation, which counts once, also where it
    /// was sent with another call.
    pub(super) fn take(&self, confirmation: &str, call: &str, now: Timestamp) -> Option<String> {
        let hash = crypto::sha256_hex(confirmation.as_bytes());
        let mut all = self.0.borrow_mut();
        all.retain(|shown| now < shown.until);
        let place = all.iter().position(|shown| shown.hash == hash);
        let shown = place.and_then(|place| all.remove(place));
        let shown = shown.filter(|shown| shown.call == call);
        shown.map(|shown| shown.request)
    }
}

impl InMemory for Confirmations {
    fn reset(&self) {
        self.0.take();
    }
}
