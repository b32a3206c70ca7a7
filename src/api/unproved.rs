//! Senders who have proved nothing yet: what a wrong token, link or webhook URL costs them, and what an unsigned one may
//! still do. Nothing here reads storage.
//!
//! The platform counts failures by address (`FAILED_AUTH`). Beyond its limit the address is refused before its next
//! guess is looked at. What carries our signature goes on: a neighbour behind the same address does not block it, and a
//! provider that was made to send to a wrong URL still reaches the right ones.

use std::net::IpAddr;

use http::HeaderMap;

use super::RequestContext;
use crate::account::seal::Keyring;
use crate::error::Failure;
use crate::flows::base::failed_auth::FailedAuth;
use crate::ports::Outside;
use crate::settings::{FAILED_AUTH_PERIOD, UnsignedTokens};

/// The address of who sends, as the platform says it; not to be forged there.
const ADDRESS: &str = "cf-connecting-ip";

const TOKENS: &str = "Too many authentications from this address have failed. Wait, and send a token of this gateway.";
const DOCUMENTS: &str =
    "Too many of the documents that were asked for do not exist. Wait, and ask for one that does.";

/// Who sends a request.
pub(crate) struct Sender<'a, O> {
    outside: &'a O,
    failed: &'a FailedAuth,
    /// `None` where the platform does not say it: then nothing is counted.
    address: Option<String>,
    /// What the sender reads with a 429.
    limited: &'static str,
}

impl<'a, O: Outside> Sender<'a, O> {
    /// Of a request with these headers.
    pub(crate) fn of(context: &RequestContext<'a, O>, headers: &HeaderMap) -> Self {
        Self {
            outside: context.outside,
            failed: &context.isolate.failed_auth,
            address: headers
                .get(ADDRESS)
                .and_then(|value| value.to_str().ok())
                .and_then(counted_under),
            limited: TOKENS,
        }
    }

    /// Of a request for a client's metadata document. It has counts of its own: who asks for it is often an authorization
    /// server, whose address sends webhooks, too.
    pub(crate) fn of_document(context: &RequestContext<'a, O>, headers: &HeaderMap) -> Self {
        let Self {
            outside, address, ..
        } = Self::of(context, headers);
        Self {
            outside,
            failed: &context.isolate.failed_documents,
            address: address.map(|address| format!("document {address}")),
            limited: DOCUMENTS,
        }
    }

    /// Before a guess is looked at: 429 while its address has failed too often.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let now = self.outside.now();
        let address = self.address.as_deref();
        let until = address.and_then(|address| self.failed.refused_until(address, now));
        until.map_or(Ok(()), |until| {
            Err(self.too_many(until.since(now).as_secs()))
        })
    }

    /// Counts a failure: the refusal itself, or 429 when it was one too many.
    pub(crate) async fn failed(&self, refusal: Failure) -> Failure {
        let Some(address) = &self.address else {
            return refusal;
        };
        if self.outside.admits_failure(address).await {
            return refusal;
        }
        let until = self.outside.now().plus(FAILED_AUTH_PERIOD);
        self.failed.refuse(address, until);
        self.too_many(FAILED_AUTH_PERIOD.as_secs())
    }

    /// Before an unsigned token is looked up, which costs storage: whether it may be at all, and now.
    pub(crate) fn check_unsigned(&self) -> Result<bool, Failure> {
        if self.outside.settings().unsigned_tokens == UnsignedTokens::Refused {
            return Ok(false);
        }
        self.check_misses().map(|()| true)
    }

    /// Before storage is read for what anyone can invent: 429 while too much of it named nothing.
    pub(crate) fn check_misses(&self) -> Result<(), Failure> {
        let now = self.outside.now();
        let until = self.failed.unsigned_wait_until(now);
        until.map_or(Ok(()), |until| {
            Err(self.too_many(until.since(now).as_secs()))
        })
    }

    /// What was looked up named nothing: counts it, and the failure.
    pub(crate) async fn named_nothing(&self, refusal: Failure) -> Failure {
        self.failed.note_miss(self.outside.now());
        self.failed(refusal).await
    }

    /// The keys that signatures are checked with.
    pub(crate) fn keyring(&self) -> Result<&'a Keyring, Failure> {
        let outside: &'a O = self.outside;
        outside.settings().keyring().map_err(Failure::from)
    }

    fn too_many(&self, seconds: u64) -> Failure {
        Failure::too_many_requests(self.limited, seconds.max(1))
    }
}

/// What an address is counted under: of IPv6 the network of one customer (RFC 6177), who has all of its addresses.
fn counted_under(text: &str) -> Option<String> {
    match text.trim().parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(address) => Some(address.to_string()),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Some(format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::counted_under;

    #[test]
    fn an_address_is_counted_by_what_one_customer_has() {
        for (text, under) in [
            ("203.0.113.7", Some("203.0.113.7")),
            ("::ffff:203.0.113.7", Some("203.0.113.7")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::/64")),
            ("2001:db8:1:2::", Some("2001:db8:1:2::/64")),
            ("2001:db8:1:3::1", Some("2001:db8:1:3::/64")),
            ("not an address", None),
            ("", None),
        ] {
            assert_eq!(counted_under(text).as_deref(), under, "{text}");
        }
    }
}
