//! The ports on Cloudflare: clock, random numbers, settings, log, KV and rate limiters. `http_client` sends requests to
//! providers, `objects` to other objects.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, LocalBoxFuture, select};
use serde_json::Value;
use worker::kv::KvError;
use worker::{Delay, Env, console_error, console_log};

use super::timers::Timers;
use super::{bindings, random, tasks};
use crate::flows::config::isolate::Isolate;
use crate::ports::{ConfigStore, StoreUnavailable, System, TokenRate};
use crate::settings::Settings;
use crate::time::Timestamp;

/// KV normally answers within milliseconds.
const KV_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit of a rate limiter.
const RATE_TIMEOUT: Duration = Duration::from_secs(1);
/// The shortest time that the platform accepts. The isolate's cache keeps entries as long by default.
const KV_CACHE_SECONDS: u64 = 30;

thread_local! {
    static ISOLATE: std::cell::OnceCell<Rc<Isolate>> = const { std::cell::OnceCell::new() };
    static SETTINGS: std::cell::OnceCell<Rc<Settings>> = const { std::cell::OnceCell::new() };
}

/// The platform, through the `env` of a Worker or an object.
#[derive(Clone)]
pub struct Edge {
    pub(super) env: Rc<Env>,
    settings: Rc<Settings>,
    /// Of an object. The platform's timers of the front Worker end with their request, so its requests share none.
    timers: Option<Rc<Timers>>,
}

impl Edge {
    /// Reads the settings once per isolate: they are the same for all its requests.
    pub fn new(env: Env) -> Self {
        let settings =
            SETTINGS.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(read_settings(&env)))));
        Self {
            env: Rc::new(env),
            settings,
            timers: None,
        }
    }

    /// The same for an object.
    pub fn of_object(env: Env) -> Self {
        Self {
            timers: Some(Rc::default()),
            ..Self::new(env)
        }
    }

    pub(super) fn is_of_object(&self) -> bool {
        self.timers.is_some()
    }

    pub fn isolate(&self) -> Rc<Isolate> {
        let new = || Rc::new(Isolate::new(self.settings.buffers));
        ISOLATE.with(|cell| Rc::clone(cell.get_or_init(new)))
    }
}

/// Milliseconds since 1970.
#[expect(clippy::cast_possible_truncation, reason = "far below 2^53")]
pub(super) fn now() -> i64 {
    js_sys::Date::now() as i64
}

fn read_settings(env: &Env) -> Settings {
    Settings::read(|name| bindings::variable(env, name))
}

impl System for Edge {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(now())
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        random::fill(bytes);
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn spawn(&self, work: LocalBoxFuture<'static, ()>) {
        tasks::spawn(work);
    }

    fn log(&self, line: &Value) {
        match line.get("level").and_then(Value::as_str) {
            Some("error") => console_error!("{line}"),
            _ => console_log!("{line}"),
        }
    }

    async fn sleep(&self, duration: Duration) {
        match &self.timers {
            Some(timers) => timers.sleep(duration).await,
            None => Delay::from(duration).await,
        }
    }
}

impl ConfigStore for Edge {
    async fn get(&self, key: &str) -> Result<Option<String>, StoreUnavailable> {
        let store = bindings::config(&self.env).map_err(|_| StoreUnavailable)?;
        in_time(
            self,
            KV_TIMEOUT,
            store.get(key).cache_ttl(KV_CACHE_SECONDS).text(),
        )
        .await
        .ok_or(StoreUnavailable)?
        .map_err(unavailable)
    }

    async fn put(&self, key: &str, text: &str) -> Result<(), StoreUnavailable> {
        let store = bindings::config(&self.env).map_err(|_| StoreUnavailable)?;
        let put = store.put(key, text).map_err(unavailable)?;
        in_time(self, KV_TIMEOUT, put.execute())
            .await
            .ok_or(StoreUnavailable)?
            .map_err(unavailable)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreUnavailable> {
        let store = bindings::config(&self.env).map_err(|_| StoreUnavailable)?;
        in_time(self, KV_TIMEOUT, store.delete(key))
            .await
            .ok_or(StoreUnavailable)?
            .map_err(unavailable)
    }
}

impl TokenRate for Edge {
    async fn admits(&self, key: &str) -> bool {
        self.counts(bindings::TOKEN_RATE, key).await
    }

    async fn admits_failure(&self, address: &str) -> bool {
        self.counts(bindings::FAILED_AUTH, address).await
    }
}

impl Edge {
    /// Counts at this location, within milliseconds. A limiter that fails limits nothing.
    async fn counts(&self, limit: &str, key: &str) -> bool {
        let outcome = async {
            let Some(limiter) = bindings::rate(&self.env, limit)? else {
                return Ok(true);
            };
            limiter
                .limit(key.to_owned())
                .await
                .map(|outcome| outcome.success)
        };
        match in_time(self, RATE_TIMEOUT, outcome).await {
            Some(Ok(is_within)) => is_within,
            Some(Err(error)) => failed_to_count(limit, &error.to_string()),
            None => failed_to_count(limit, "it did not answer"),
        }
    }
}

fn failed_to_count(limit: &str, reason: &str) -> bool {
    let event = format!("{}_failed", limit.to_ascii_lowercase());
    console_error!(
        "{{\"level\":\"error\",\"event\":\"{event}\",\"reason\":{}}}",
        Value::String(reason.to_owned())
    );
    true
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn unavailable(error: KvError) -> StoreUnavailable {
    console_error!(
        "{{\"level\":\"error\",\"event\":\"kv_failed\",\"reason\":{}}}",
        Value::String(error.to_string())
    );
    StoreUnavailable
}

/// The result of `work`, or `None` after `limit`.
pub(super) async fn in_time<T>(
    edge: &Edge,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    match select(pin!(work), pin!(edge.sleep(limit))).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => None,
    }
}
