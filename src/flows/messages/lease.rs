//! A lease of an account: what a front Worker needs to send its calls. It has secrets in clear, so it is held in memory
//! only, and `Debug` shows its name only.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::Account;
use crate::flows::messages::log_line::LogLine;
use crate::ports::Visibility;

/// The messages of front Workers that send leased calls.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseMessage {
    /// Leases the account to a front Worker → `Option<Lease>`; `None` where its calls go to the object
    Lease(Visibility, LeaseUse),
    /// Another credential after the provider refused a lease's → `RenewedLease`
    RenewLease(Visibility, RefusedLease),
    /// Whether the refusal of a lease's credential is confirmed → bool
    ConfirmRefusal(Visibility, RefusedLease),
    /// What leased calls leave behind → null
    ReportCalls(LeaseReport),
}

/// What a lease is requested for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseUse {
    /// All calls until it ends.
    Calls,
    /// One call under way whose lease has ended.
    ThisCall,
}

/// A digest of an account's credential, by which its object recognises the credential of a lease, also after a restart.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CredentialDigest(pub String);

/// A lease of an account.
#[derive(Serialize, Deserialize)]
pub struct Lease {
    pub credential: CredentialDigest,
    pub account: Account,
    /// The whole context, secrets included.
    pub context: Value,
    /// The sealed half as it is stored, whose values are redacted.
    pub sealed: Value,
    /// How long all calls may use it. Zero: it is for the call under way only.
    pub valid: Duration,
    /// How long the account token is valid that the lease was requested with, if it was.
    pub token_valid: Option<Duration>,
    /// Older versions of the records are not used with it.
    pub install_version: u64,
    pub integration_version: u64,
}

/// A lease whose credential the provider refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefusedLease {
    pub credential: CredentialDigest,
    /// Whether the refused call can be sent again.
    pub can_repeat: bool,
    /// The time that the call has left.
    pub left: Duration,
}

/// The result of a renewal.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RenewedLease {
    Fresh(Box<Lease>),
    Never,
    NotNow,
}

/// What leased calls leave behind.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct LeaseReport {
    /// The credential of the last call.
    pub credential: CredentialDigest,
    pub lines: Vec<LogLine>,
    /// The provider's last 403 answer.
    pub forbidden: Option<Value>,
    /// The pause that a provider asked for.
    pub pause: Option<Duration>,
    /// Whether the provider accepted the credential.
    pub is_accepted: bool,
    /// Whether a refused call succeeded with the new token.
    pub is_renewal_helpful: bool,
}

impl fmt::Debug for CredentialDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialDigest")
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lease")
    }
}

impl fmt::Debug for RenewedLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RenewedLease")
    }
}
