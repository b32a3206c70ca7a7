//! What the operator can set, and the limits that are fixed. Reading the platform's variables is
//! `cloudflare`'s; here is what they mean.

use std::num::NonZeroUsize;
use std::time::Duration;

use url::Url;

use crate::account::seal::{Keyring, SealError};
use crate::ids::EuJurisdiction;
use crate::secret::Secret;

/// A body of known length up to this is held, so that it may be sent again.
pub const REPLAYABLE_BODY_BYTES: usize = 64 * 1024;
/// The largest answer that is looked into.
pub const BUFFERED_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// All buffered answers of an isolate together.
pub const BUFFERED_TOTAL_BYTES: usize = 32 * 1024 * 1024;
/// The largest body of an admin call.
pub const ADMIN_BODY_BYTES: usize = 1024 * 1024;
/// The deepest nesting of such a body.
pub const ADMIN_BODY_DEPTH: usize = 64;
/// With KV's own minute, 120 s for a change to reach everywhere, as the documentation promises.
pub const MAX_CONFIG_CACHE_SECONDS: u64 = 60;
/// The largest context of an account, as JSON. SQLite's row takes 2 MB, and holds it twice while it changes.
pub const CONTEXT_BYTES: usize = 256 * 1024;
/// The largest body that a method's `body` template may look into.
pub const TEMPLATE_BODY_BYTES: usize = 1024 * 1024;
/// The most values (at any depth) of an answer that an expression looks into. Built, each takes
/// [`VALUE_BYTES`] or so.
pub const EXPRESSION_VALUES: usize = 200_000;
/// What a built value takes in memory, its copy for the expression engine included.
pub const VALUE_BYTES: usize = 100;
/// Calls of one account that may wait for the head of an answer at a time. The platform gives an
/// object six such connections; one is kept for refreshing tokens, one for deliveries.
pub const CALL_SLOTS: usize = 4;
/// How long a token endpoint may take.
pub const TOKEN_TIMEOUT: Duration = Duration::from_secs(20);
/// The largest answer of a token endpoint.
pub const TOKEN_ANSWER_BYTES: usize = 256 * 1024;
/// What the lifecycle actions of an account may take together.
pub const SET_UP_TIMEOUT: Duration = Duration::from_mins(1);
/// Steps that an action may run.
pub const ACTION_STEPS: usize = 50;
/// The largest form of a connect page.
pub const FORM_BYTES: usize = 256 * 1024;
/// The largest webhook, unless `WEBHOOK_BODY_BYTES` says otherwise; also the largest payload of an event.
pub const WEBHOOK_BODY_BYTES: usize = 1024 * 1024;
/// The most it can be set to: an event is one row, and a row takes 2 MB.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 1_900_000;
/// The most values, at any depth, of a webhook's JSON.
pub const WEBHOOK_VALUES: usize = 100_000;
/// How long a webhook's sender waits at most.
pub const RECEIVE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a repeated webhook is known by its `event_id`.
pub const DEDUPLICATION: Duration = Duration::from_hours(72);
/// How long an event is kept at most.
pub const EVENT_RETENTION_DAYS: u64 = 30;
/// How many settled events an account keeps, unless `EVENT_RETENTION_COUNT` says otherwise.
pub const EVENT_RETENTION_COUNT: usize = 10_000;
/// Pages of one walk through a list, unless `LIST_PAGES` says otherwise: a provider that never ends is stopped there.
pub const LIST_PAGES: u32 = 100_000;
/// The largest place in a list, as JSON: sealed, it has to fit into the 16 KB of a URL.
pub const CURSOR_BYTES: usize = 8 * 1024;
/// A walk through all pages is handed on in pieces of this size.
pub const PIECE_BYTES: usize = 64 * 1024;
/// The largest body of a write with an `Idempotency-Key`.
pub const KEYED_BODY_BYTES: usize = 1024 * 1024;
/// The largest answer that is given again under one.
pub const KEPT_ANSWER_BYTES: usize = 256 * 1024;
/// What such answers of an account take together, sealed; the oldest are then known by their status alone.
pub const KEPT_ANSWERS_BYTES: i64 = 64 * 1024 * 1024;
/// How long such a key is known.
pub const KEPT_ANSWER: Duration = Duration::from_hours(24);
/// The longest such key.
pub const KEY_CHARACTERS: usize = 255;
/// How many lines the log of an account keeps.
pub const LOG_LINES: usize = 10_000;
/// How long it keeps one.
pub const LOG_RETENTION: Duration = Duration::from_hours(24 * 7);
/// Redirects that are followed.
pub const MAX_REDIRECTS: usize = 5;
/// How long a proxied call may take, unless its caller says otherwise by `x-timeout-ms`.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest a caller may ask for.
pub const CALL_TIMEOUT_MAX: Duration = Duration::from_secs(100);
/// How often a request that only reads is sent again, unless its caller says otherwise by `x-max-retries`.
pub const READ_RETRIES: u32 = 2;
/// The most a caller may ask for.
pub const CALL_RETRIES_MAX: u32 = 5;
/// What the caller of a rate-limited provider waits when the provider does not say.
pub const RATE_LIMIT_WAIT: Duration = Duration::from_secs(30);
/// The time that `ACCOUNT_RATE` and `TOKEN_RATE` count requests in.
pub const RATE_PERIOD: Duration = Duration::from_secs(10);
/// The most `ACCOUNT_RATE` can be set to: the times of so many requests are held in memory.
pub const ACCOUNT_RATE_MAX: usize = 10_000;

/// What the operator has set.
#[derive(Debug)]
pub struct Settings {
    /// `ADMIN_TOKEN`: may do everything; without it nobody may.
    pub admin_token: Option<Secret>,
    /// `SEALING_KEYS`, or why they cannot be used.
    pub sealing_keys: Result<Keyring, SealError>,
    /// `EU_JURISDICTION`: `eu` (enforced) unless it is `off`.
    pub eu_jurisdiction: EuJurisdiction,
    /// `ALLOW_PRIVATE_UPSTREAMS`: private addresses and plain http; for development only.
    pub private_upstreams: PrivateUpstreams,
    /// `PUBLIC_URL`: the origin customers and providers know us by; a request's own when absent.
    pub public_url: Option<Url>,
    /// `CONFIG_CACHE_SECONDS`: how long an isolate trusts its copy of a published record.
    pub config_cache: Duration,
    /// `WEBHOOK_BODY_BYTES`: the largest webhook that is taken.
    pub webhook_body_bytes: usize,
    /// `EVENT_RETENTION_DAYS`: how long an event is kept.
    pub event_retention: Duration,
    /// `EVENT_RETENTION_COUNT`: how many settled events an account keeps.
    pub event_retention_count: usize,
    /// `LIST_PAGES`: the pages of the longest walk through a list.
    pub list_pages: u32,
    /// `ACCOUNT_RATE`: requests to the provider that one account sends in [`RATE_PERIOD`]; any number when absent.
    pub account_rate: Option<NonZeroUsize>,
}

/// Whether requests may go to private addresses and over plain http.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateUpstreams {
    /// In production.
    Refused,
    /// In development and in tests.
    Allowed,
}

impl Settings {
    /// Reads the variables by `get`; what is absent or unreadable gets its safe default.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| {
            get(name)
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        let number = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
        let size = |name: &str| number(name).and_then(|number| usize::try_from(number).ok());
        let days = number("EVENT_RETENTION_DAYS").unwrap_or(EVENT_RETENTION_DAYS);
        Self {
            admin_token: text("ADMIN_TOKEN").map(Secret::new),
            sealing_keys: Keyring::parse(&text("SEALING_KEYS").unwrap_or_default()),
            eu_jurisdiction: match text("EU_JURISDICTION").as_deref() {
                Some("off") => EuJurisdiction::Off,
                _ => EuJurisdiction::Enforced,
            },
            private_upstreams: match text("ALLOW_PRIVATE_UPSTREAMS").as_deref() {
                Some("true") => PrivateUpstreams::Allowed,
                _ => PrivateUpstreams::Refused,
            },
            public_url: text("PUBLIC_URL")
                .and_then(|text| Url::parse(&text).ok())
                .filter(|url| matches!(url.scheme(), "http" | "https")),
            config_cache: Duration::from_secs(
                number("CONFIG_CACHE_SECONDS")
                    .unwrap_or(30)
                    .min(MAX_CONFIG_CACHE_SECONDS),
            ),
            webhook_body_bytes: size("WEBHOOK_BODY_BYTES")
                .unwrap_or(WEBHOOK_BODY_BYTES)
                .min(WEBHOOK_BODY_BYTES_MAX),
            event_retention: Duration::from_hours(24 * days.clamp(1, EVENT_RETENTION_DAYS)),
            event_retention_count: size("EVENT_RETENTION_COUNT").unwrap_or(EVENT_RETENTION_COUNT),
            list_pages: number("LIST_PAGES")
                .and_then(|pages| u32::try_from(pages).ok())
                .filter(|pages| *pages > 0)
                .unwrap_or(LIST_PAGES),
            account_rate: NonZeroUsize::new(
                size("ACCOUNT_RATE").unwrap_or(0).min(ACCOUNT_RATE_MAX),
            ),
        }
    }

    /// The keys secrets rest under.
    pub fn keyring(&self) -> Result<&Keyring, SealError> {
        self.sealing_keys.as_ref().map_err(Clone::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_gets_the_safe_default() {
        let settings = Settings::read(|_| None);
        assert!(settings.admin_token.is_none());
        assert!(settings.keyring().is_err());
        assert_eq!(settings.eu_jurisdiction, EuJurisdiction::Enforced);
        assert_eq!(settings.private_upstreams, PrivateUpstreams::Refused);
        assert_eq!(settings.config_cache, Duration::from_secs(30));
        assert_eq!(settings.account_rate, None);
    }

    #[test]
    fn the_rate_of_an_account_is_off_at_0_and_bounded() {
        let rate = |text: &str| {
            let settings = Settings::read(|name| (name == "ACCOUNT_RATE").then(|| text.to_owned()));
            settings.account_rate.map_or(0, NonZeroUsize::get)
        };
        let read = ["0", "1", "10000", "10001", "-1", "many"].map(rate);
        assert_eq!(read, [0, 1, 10_000, 10_000, 0, 0]);
    }

    #[test]
    fn only_the_exact_words_loosen_anything() {
        let settings = Settings::read(|name| match name {
            "ALLOW_PRIVATE_UPSTREAMS" => Some("1".to_owned()),
            "EU_JURISDICTION" => Some("of".to_owned()),
            "CONFIG_CACHE_SECONDS" => Some("9999".to_owned()),
            _ => Some("  ".to_owned()),
        });
        assert_eq!(settings.private_upstreams, PrivateUpstreams::Refused);
        assert_eq!(settings.eu_jurisdiction, EuJurisdiction::Enforced);
        assert_eq!(
            settings.config_cache,
            Duration::from_mins(1),
            "with a minute of KV the documented 120 s hold"
        );
        assert!(settings.admin_token.is_none());
    }
}
