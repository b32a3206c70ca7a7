//! Reads published records: from the isolate's cache, then from KV, then, for a miss in KV, from the directory.
//!
//! A cache entry is used for `CONFIG_CACHE_SECONDS`. With KV's own minute the documentation promises 120 s for a change
//! or a revocation to reach everywhere. Misses are never cached.

use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::{Code, Failure};
use crate::flows::base::records::{InstallRecord, IntegrationRecord, TokenRecord};
use crate::flows::config::isolate::{Cached, Isolate, RecordCache};
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::{RootMessage, send_to_environment, send_to_root};
use crate::ids::{EnvironmentId, InstallId, IntegrationId};
use crate::json::length;
use crate::ports::Outside;
use crate::time::Timestamp;

pub trait PublishedRecord: Serialize + DeserializeOwned + 'static {
    /// The prefix of its KV keys.
    const PREFIX: &'static str;
    /// The isolate's cache of these records.
    fn cache(isolate: &Isolate) -> &RecordCache<Self>;
}

impl PublishedRecord for IntegrationRecord {
    const PREFIX: &'static str = "integration/";
    fn cache(isolate: &Isolate) -> &RecordCache<Self> {
        &isolate.integrations
    }
}

impl PublishedRecord for InstallRecord {
    const PREFIX: &'static str = "install/";
    fn cache(isolate: &Isolate) -> &RecordCache<Self> {
        &isolate.installs
    }
}

impl PublishedRecord for TokenRecord {
    const PREFIX: &'static str = "token/";
    fn cache(isolate: &Isolate) -> &RecordCache<Self> {
        &isolate.tokens
    }
}

pub fn key<T: PublishedRecord>(id: &str) -> String {
    format!("{}{id}", T::PREFIX)
}

/// The id in a KV key of this kind of record.
pub fn id_in<T: PublishedRecord>(key: &str) -> Option<&str> {
    key.strip_prefix(T::PREFIX)
}

pub async fn integration(
    outside: &impl Outside,
    isolate: &Isolate,
    id: IntegrationId,
) -> Result<Option<Rc<IntegrationRecord>>, Failure> {
    let id = id.to_string();
    let from_directory =
        async || send_to_root(outside, &RootMessage::FindIntegration(id.clone())).await;
    read(outside, isolate, &id, from_directory).await
}

pub async fn install(
    outside: &impl Outside,
    isolate: &Isolate,
    environment: EnvironmentId,
    id: InstallId,
) -> Result<Option<Rc<InstallRecord>>, Failure> {
    let from_directory = async || {
        send_to_environment(outside, environment, &EnvironmentMessage::FindInstall(id)).await
    };
    read(outside, isolate, &id.to_string(), from_directory).await
}

/// An install by its id alone. A miss in KV is final: only the directory of its environment could confirm it, and the
/// id does not name the environment.
pub async fn published_install(
    outside: &impl Outside,
    isolate: &Isolate,
    id: InstallId,
) -> Result<Option<Rc<InstallRecord>>, Failure> {
    let key = key::<InstallRecord>(&id.to_string());
    let from_directory = async || match outside.get(&key).await {
        Ok(None) => Ok(None),
        Ok(Some(text)) => parse(outside, &key, &text).map(Some),
        Err(_) => Err(Failure::storage()),
    };
    read(outside, isolate, &id.to_string(), from_directory).await
}

/// 401 where an API token is no longer good, for what goes on answering after the request was authenticated.
pub async fn check_token(
    outside: &impl Outside,
    isolate: &Isolate,
    environment: EnvironmentId,
    hash: &str,
) -> Result<(), Failure> {
    let record = token(outside, isolate, environment, hash).await?;
    let is_good = |end: Option<Timestamp>| end.is_none_or(|end| end > outside.now());
    match record {
        Some(record) if is_good(record.expires_at) => Ok(()),
        _ => Err(Failure::new(
            Code::Unauthenticated,
            "The token is unknown, revoked or expired.",
        )),
    }
}

/// An API token by its hash. `environment` is the one that the token names.
pub async fn token(
    outside: &impl Outside,
    isolate: &Isolate,
    environment: EnvironmentId,
    hash: &str,
) -> Result<Option<Rc<TokenRecord>>, Failure> {
    let from_directory = async || {
        send_to_environment(
            outside,
            environment,
            &EnvironmentMessage::FindToken(hash.to_owned()),
        )
        .await
    };
    read(outside, isolate, hash, from_directory).await
}

/// Replaces the cache entry in the isolate that wrote the record.
pub fn replace<T: PublishedRecord>(outside: &impl Outside, isolate: &Isolate, id: &str, record: T) {
    let bytes = length(&record);
    T::cache(isolate).write(
        id,
        Cached::Present(Rc::new(record)),
        bytes,
        outside.now().plus(outside.settings().config_cache),
    );
}

/// Notes the deletion in the isolate that deleted the record, until KV has it, too.
pub fn forget<T: PublishedRecord>(outside: &impl Outside, isolate: &Isolate, id: &str) {
    T::cache(isolate).write(
        id,
        Cached::Deleted,
        0,
        outside.now().plus(std::time::Duration::from_mins(2)),
    );
}

async fn read<T: PublishedRecord>(
    outside: &impl Outside,
    isolate: &Isolate,
    id: &str,
    from_directory: impl AsyncFn() -> Result<Option<T>, Failure>,
) -> Result<Option<Rc<T>>, Failure> {
    let cache = T::cache(isolate);
    match cache.get(id, outside.now()) {
        Some(Cached::Present(record)) => return Ok(Some(record)),
        Some(Cached::Deleted) => return Ok(None),
        None => {}
    }
    let writes = cache.writes();
    let record = match outside.get(&key::<T>(id)).await {
        Ok(Some(text)) => Some(parse(outside, id, &text)?),
        Ok(None) => from_directory().await?,
        Err(fault) => {
            outside.log(&json!({ "level": "warn", "event": "config_store_failed", "key": key::<T>(id), "reason": fault.to_string() }));
            from_directory().await?
        }
    };
    let record = record.map(Rc::new);
    if let Some(record) = &record {
        let until = outside.now().plus(outside.settings().config_cache);
        let entry = Cached::Present(Rc::clone(record));
        cache.keep_read(id, entry, length(&**record), until, writes);
    }
    Ok(record)
}

fn parse<T: PublishedRecord>(outside: &impl Outside, id: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        outside.log(&json!({ "level": "error", "event": "published_unreadable", "key": key::<T>(id), "reason": error.to_string() }));
        Failure::new(Code::Internal, "A published record could not be read. The log has the reason.")
    })
}
