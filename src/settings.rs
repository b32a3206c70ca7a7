//! What the operator can set, and the limits that are fixed. Reading the platform's variables is
//! `cloudflare`'s; here is what they mean.
mod host_kind;
mod limits;
mod variables;

use std::num::NonZeroUsize;
use std::time::Duration;

use url::Url;

use crate::account::seal::{Keyring, SealError};
use crate::ids::EuJurisdiction;
use crate::secret::Secret;
use variables::EnvVariables;

pub use host_kind::HostKind;
pub use limits::*;

/// What the operator has set.
#[derive(Debug)]
pub struct Settings {
    /// `ADMIN_TOKEN`: may do everything. Without it every admin request is refused.
    pub admin_token: Option<Secret>,
    /// `SEALING_KEYS`, or why they cannot be used.
    pub sealing_keys: Result<Keyring, SealError>,
    /// `EU_JURISDICTION`: `eu` (enforced) unless it is `off`.
    pub eu_jurisdiction: EuJurisdiction,
    /// `ALLOW_PRIVATE_UPSTREAMS`: private addresses and plain http; for development only.
    pub private_upstreams: PrivateUpstreams,
    /// `PUBLIC_URL`: the origin customers and providers know us by; a request's own when absent.
    pub public_url: Option<Url>,
    /// `UNSIGNED_TOKENS`: those of before tokens and webhook URLs were signed.
    pub unsigned_tokens: UnsignedTokens,
    /// `CONFIG_CACHE_SECONDS`: how long an isolate trusts its copy of a published record.
    pub config_cache: Duration,
    /// `WEBHOOK_BODY_BYTES`: the largest webhook that is taken.
    pub webhook_body_bytes: usize,
    /// `EVENT_RETENTION_DAYS`: how long an event is kept.
    pub event_retention: Duration,
    /// `EVENT_RETENTION_COUNT`: how many settled events an account keeps.
    pub event_retention_count: usize,
    /// `LIST_PAGES`: the most pages that one call for all pages reads.
    pub list_pages: u32,
    /// `SYNC_RECORDS`: records that the syncs of an account keep together.
    pub sync_records: u64,
    /// `SYNC_BYTES`: what these records take, encrypted.
    pub sync_bytes: u64,
    /// `ACCOUNT_RATE`: requests to the provider that one account sends in [`RATE_PERIOD`]; any number when absent.
    pub account_rate: Option<NonZeroUsize>,
    /// `BUFFERED_ANSWER_BYTES`, `BUFFERED_TOTAL_BYTES` and `UNPROVED_BYTES`.
    pub buffers: Buffers,
    /// `CALLS_WAITING`: callers that may wait inside one object.
    pub calls_waiting: usize,
    /// `CALL_TIMEOUT_MS`: how long a call may take where its caller does not say.
    pub call_timeout: Duration,
    /// `MCP_ALLOWED_ORIGINS`: origins of pages whose scripts may use tools, as browsers write them.
    pub mcp_allowed_origins: Vec<String>,
    /// `MCP_RESULT_BYTES`: the largest result of a tool.
    pub mcp_result_bytes: usize,
    /// `LOG_RETENTION_DAYS`: how long a line of the log is kept.
    pub log_retention: Duration,
    /// `LOG_RETENTION_COUNT`: how many lines the log of an account keeps.
    pub log_retention_count: usize,
    /// `LOG_CALLS`: which proxied calls are on the console.
    pub log_calls: LogCalls,
    /// `LOG_STORED_CALLS`: which proxied calls the account's log has.
    pub log_stored_calls: LogCalls,
    /// What is set and cannot be read: the name of the variable and what it takes, never its value.
    pub unreadable: Vec<String>,
}

/// What an isolate may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffers {
    /// The largest answer that is looked into.
    pub answer_bytes: usize,
    /// All that proved senders hold of an isolate together; never less than twice that.
    pub total_bytes: usize,
    /// All that others hold.
    pub unproved_bytes: usize,
}

impl Default for Buffers {
    fn default() -> Self {
        Self {
            answer_bytes: BUFFERED_ANSWER_BYTES,
            total_bytes: BUFFERED_TOTAL_BYTES,
            unproved_bytes: UNPROVED_BYTES,
        }
    }
}

/// Whether requests may go to private addresses and over plain http.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateUpstreams {
    /// In production.
    Refused,
    /// In development and in tests.
    Allowed,
}

/// Whether tokens and webhook URLs count that were made before they were signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsignedTokens {
    /// Where they name something that was made then.
    Allowed,
    /// None does.
    Refused,
}

/// Which proxied calls a log has. All that failed are in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LogCalls {
    /// No others.
    Failed,
    /// All others.
    All,
    /// This share of the others, above 0 and below 1.
    Share(f64),
}

impl Settings {
    /// Reads the variables by `get`. What is absent gets its default, and so does what cannot be read, which is noted.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let variables = EnvVariables::new(get);
        let public_url = variables.origin("PUBLIC_URL");
        let webhook_body_bytes = variables.size(
            "WEBHOOK_BODY_BYTES",
            WEBHOOK_BODY_BYTES,
            1..=WEBHOOK_BODY_BYTES_MAX,
        );
        let days = |name, most| Duration::from_hours(24 * variables.number(name, most, 1..=most));
        Self {
            admin_token: variables
                .long_text("ADMIN_TOKEN", ADMIN_TOKEN_CHARACTERS)
                .map(Secret::new),
            sealing_keys: Keyring::parse(&variables.text("SEALING_KEYS").unwrap_or_default()),
            eu_jurisdiction: variables.either(
                "EU_JURISDICTION",
                ("eu", EuJurisdiction::Enforced),
                ("off", EuJurisdiction::Off),
            ),
            private_upstreams: variables.private_upstreams(public_url.as_ref()),
            public_url,
            unsigned_tokens: variables.either(
                "UNSIGNED_TOKENS",
                ("allow", UnsignedTokens::Allowed),
                ("refuse", UnsignedTokens::Refused),
            ),
            config_cache: Duration::from_secs(variables.number(
                "CONFIG_CACHE_SECONDS",
                CONFIG_CACHE_SECONDS,
                0..=MAX_CONFIG_CACHE_SECONDS,
            )),
            webhook_body_bytes,
            event_retention: days("EVENT_RETENTION_DAYS", EVENT_RETENTION_DAYS),
            event_retention_count: variables.size(
                "EVENT_RETENTION_COUNT",
                EVENT_RETENTION_COUNT,
                0..=usize::MAX,
            ),
            sync_records: variables.number("SYNC_RECORDS", SYNC_RECORDS, 1..=u64::MAX),
            sync_bytes: variables.number("SYNC_BYTES", SYNC_BYTES, 1..=SYNC_BYTES_MAX),
            list_pages: variables.pages("LIST_PAGES", LIST_PAGES),
            account_rate: NonZeroUsize::new(variables.size(
                "ACCOUNT_RATE",
                0,
                0..=ACCOUNT_RATE_MAX,
            )),
            buffers: variables.buffers(webhook_body_bytes),
            calls_waiting: variables.size("CALLS_WAITING", CALLS_WAITING, 1..=CALLS_WAITING_MAX),
            call_timeout: variables.millis("CALL_TIMEOUT_MS", CALL_TIMEOUT, CALL_TIMEOUT_MAX),
            mcp_allowed_origins: variables.origins("MCP_ALLOWED_ORIGINS"),
            mcp_result_bytes: variables.size(
                "MCP_RESULT_BYTES",
                MCP_RESULT_BYTES,
                MCP_RESULT_BYTES_MIN..=MCP_RESULT_BYTES_MAX,
            ),
            log_retention: days("LOG_RETENTION_DAYS", LOG_RETENTION_DAYS),
            log_retention_count: variables.size(
                "LOG_RETENTION_COUNT",
                LOG_RETENTION_COUNT,
                1..=LOG_RETENTION_COUNT_MAX,
            ),
            log_calls: variables.log_calls("LOG_CALLS", LogCalls::Failed),
            log_stored_calls: variables.log_calls("LOG_STORED_CALLS", LogCalls::All),
            unreadable: variables.unreadable(),
        }
    }

    /// The keys by which stored secrets are encrypted.
    pub fn keyring(&self) -> Result<&Keyring, SealError> {
        self.sealing_keys.as_ref().map_err(Clone::clone)
    }
}

#[cfg(test)]
mod tests;
