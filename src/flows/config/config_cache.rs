//! Reading the published copies: isolate cache, then KV, then, for a miss, the truth itself.
//!
//! A copy is trusted for `CONFIG_CACHE_SECONDS`; with KV's own minute the documentation promises 120 s
//! for a change or a revocation to reach everywhere. Misses are never cached.

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

/// A record that is published to KV.
pub trait PublishedRecord: Serialize + DeserializeOwned + 'static {
    /// What its keys start with.
    const PREFIX: &'static str;
    /// Where an isolate keeps its copies.
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

/// The KV key of a record.
pub fn key<T: PublishedRecord>(id: &str) -> String {
    format!("{}{id}", T::PREFIX)
}

/// The id in a KV key of this kind of record.
pub fn id_in<T: PublishedRecord>(key: &str) -> Option<&str> {
    key.strip_prefix(T::PREFIX)
}

/// An integration by id.
pub async fn integration(
    outside: &impl Outside,
    isolate: &Isolate,
    id: IntegrationId,
) -> Result<Option<Rc<IntegrationRecord>>, Failure> {
    let id = id.to_string();
    let truth = async || send_to_root(outside, &RootMessage::FindIntegration(id.clone())).await;
    read(outside, isolate, &id, truth).await
}

/// An install of an environment by id.
pub async fn install(
    outside: &impl Outside,
    isolate: &Isolate,
    environment: EnvironmentId,
    id: InstallId,
) -> Result<Option<Rc<InstallRecord>>, Failure> {
    let truth = async || {
        send_to_environment(outside, environment, &EnvironmentMessage::FindInstall(id)).await
    };
    read(outside, isolate, &id.to_string(), truth).await
}

/// An install by its id alone. A miss cannot be confirmed: nobody but its environment knows it, and a stranger's
/// made-up id names none.
pub async fn published_install(
    outside: &impl Outside,
    isolate: &Isolate,
    id: InstallId,
) -> Result<Option<Rc<InstallRecord>>, Failure> {
    let key = key::<InstallRecord>(&id.to_string());
    let truth = async || match outside.get(&key).await {
        Ok(None) => Ok(None),
        Ok(Some(text)) => parse(outside, &key, &text).map(Some),
        Err(_) => Err(Failure::storage()),
    };
    read(outside, isolate, &id.to_string(), truth).await
}

/// An API token by its hash; `environment` is the one it says it belongs to.
pub async fn token(
    outside: &impl Outside,
    isolate: &Isolate,
    environment: EnvironmentId,
    hash: &str,
) -> Result<Option<Rc<TokenRecord>>, Failure> {
    let truth = async || {
        send_to_environment(
            outside,
            environment,
            &EnvironmentMessage::FindToken(hash.to_owned()),
        )
        .await
    };
    read(outside, isolate, hash, truth).await
}

/// The isolate that wrote a record replaces its copy at once.
pub fn replace<T: PublishedRecord>(outside: &impl Outside, isolate: &Isolate, id: &str, record: T) {
    let bytes = length(&record);
    T::cache(isolate).write(
        id,
        Cached::Present(Rc::new(record)),
        bytes,
        outside.now().plus(outside.settings().config_cache),
    );
}

/// The isolate that deleted a record knows so until KV does, too.
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
    truth: impl AsyncFn() -> Result<Option<T>, Failure>,
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
        Ok(None) => truth().await?,
        Err(fault) => {
            outside.log(&json!({ "level": "warn", "event": "config_store_failed", "key": key::<T>(id), "reason": fault.to_string() }));
            truth().await?
        }
    };
    let record = record.map(Rc::new);
    if let Some(record) = &record {
        let until = outside.now().plus(outside.settings().config_cache);
        let copy = Cached::Present(Rc::clone(record));
        cache.keep_read(id, copy, length(&**record), until, writes);
    }
    Ok(record)
}

fn parse<T: PublishedRecord>(outside: &impl Outside, id: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        outside.log(&json!({ "level": "error", "event": "published_unreadable", "key": key::<T>(id), "reason": error.to_string() }));
        Failure::new(Code::Internal, "A published record cannot be read. The log has the reason.")
    })
}
