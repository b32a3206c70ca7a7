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
use crate::flows::config::isolate::{Copy, Isolate, Shelf};
use crate::flows::messages::environment::EnvironmentAsk;
use crate::flows::messages::{RootAsk, ask_environment, ask_root};
use crate::ids::{EnvironmentId, InstallId, IntegrationId};
use crate::json::length;
use crate::ports::Outside;

/// A record that is published to KV.
pub trait Published: Serialize + DeserializeOwned + 'static {
    /// What its keys start with.
    const PREFIX: &'static str;
    /// Where an isolate keeps its copies.
    fn shelf(isolate: &Isolate) -> &Shelf<Self>;
}

impl Published for IntegrationRecord {
    const PREFIX: &'static str = "integration/";
    fn shelf(isolate: &Isolate) -> &Shelf<Self> {
        &isolate.integrations
    }
}

impl Published for InstallRecord {
    const PREFIX: &'static str = "install/";
    fn shelf(isolate: &Isolate) -> &Shelf<Self> {
        &isolate.installs
    }
}

impl Published for TokenRecord {
    const PREFIX: &'static str = "token/";
    fn shelf(isolate: &Isolate) -> &Shelf<Self> {
        &isolate.tokens
    }
}

/// The KV key of a record.
pub fn key<T: Published>(id: &str) -> String {
    format!("{}{id}", T::PREFIX)
}

/// The id in a KV key of this kind of record.
pub fn id_in<T: Published>(key: &str) -> Option<&str> {
    key.strip_prefix(T::PREFIX)
}

/// An integration by id.
pub async fn integration(
    outside: &impl Outside,
    isolate: &Isolate,
    id: IntegrationId,
) -> Result<Option<Rc<IntegrationRecord>>, Failure> {
    let id = id.to_string();
    let truth = async || ask_root(outside, &RootAsk::FindIntegration(id.clone())).await;
    read(outside, isolate, &id, truth).await
}

/// An install of an environment by id.
pub async fn install(
    outside: &impl Outside,
    isolate: &Isolate,
    environment: EnvironmentId,
    id: InstallId,
) -> Result<Option<Rc<InstallRecord>>, Failure> {
    let truth =
        async || ask_environment(outside, environment, &EnvironmentAsk::FindInstall(id)).await;
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
        ask_environment(
            outside,
            environment,
            &EnvironmentAsk::FindToken(hash.to_owned()),
        )
        .await
    };
    read(outside, isolate, hash, truth).await
}

/// The isolate that wrote a record replaces its copy at once.
pub fn replace<T: Published>(outside: &impl Outside, isolate: &Isolate, id: &str, record: T) {
    let bytes = length(&record);
    T::shelf(isolate).write(
        id,
        Copy::Here(Rc::new(record)),
        bytes,
        outside.now().plus(outside.settings().config_cache),
    );
}

/// The isolate that deleted a record knows so until KV does, too.
pub fn forget<T: Published>(outside: &impl Outside, isolate: &Isolate, id: &str) {
    T::shelf(isolate).write(
        id,
        Copy::Gone,
        0,
        outside.now().plus(std::time::Duration::from_mins(2)),
    );
}

async fn read<T: Published>(
    outside: &impl Outside,
    isolate: &Isolate,
    id: &str,
    truth: impl AsyncFn() -> Result<Option<T>, Failure>,
) -> Result<Option<Rc<T>>, Failure> {
    let shelf = T::shelf(isolate);
    match shelf.get(id, outside.now()) {
        Some(Copy::Here(record)) => return Ok(Some(record)),
        Some(Copy::Gone) => return Ok(None),
        None => {}
    }
    let writes = shelf.writes();
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
        let copy = Copy::Here(Rc::clone(record));
        shelf.keep_read(id, copy, length(&**record), until, writes);
    }
    Ok(record)
}

fn parse<T: Published>(outside: &impl Outside, id: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        outside.log(&json!({ "level": "error", "event": "published_unreadable", "key": key::<T>(id), "reason": error.to_string() }));
        Failure::new(Code::Internal, "A published record cannot be read. The log has the reason.")
    })
}
