//! The bindings of `wrangler.toml` and `.dev.vars`, and the placement of objects. The `worker` crate does not wrap
//! `jurisdiction()`, so it is called by name.

use js_sys::{Function, JSON, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use worker::durable::{ObjectNamespace, Stub};
use worker::{Env, RateLimiter, kv::KvStore};

use crate::ids::{Placement, Region};
use crate::ports::ObjectName;

const CONFIG: &str = "CONFIG";
const ACCOUNT: &str = "ACCOUNT";
const DIRECTORY: &str = "DIRECTORY";
/// The limit of requests per token.
pub const TOKEN_RATE: &str = "TOKEN_RATE";
/// The limit of failed authentications per address.
pub const FAILED_AUTH: &str = "FAILED_AUTH";
const ROOT: &str = "root";

/// A variable or secret. A value that is not text (`wrangler.toml` also accepts numbers and `true` without quotes) is
/// returned as JSON.
pub fn variable(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env, &name.into()).ok()?;
    let text = value.as_string();
    text.or_else(|| JSON::stringify(&value).ok()?.as_string())
}

/// The KV namespace of published records.
pub fn config(env: &Env) -> worker::Result<KvStore> {
    env.kv(CONFIG)
}

/// A rate limiter of the platform, if `wrangler.toml` has it.
pub fn rate(env: &Env, name: &str) -> worker::Result<Option<RateLimiter>> {
    if Reflect::get(env, &name.into())?.is_undefined() {
        return Ok(None);
    }
    env.rate_limiter(name).map(Some)
}

/// The stub of an object. The first use creates the object where its id says.
pub fn stub(env: &Env, object: ObjectName) -> worker::Result<Stub> {
    match object {
        ObjectName::Root => env.durable_object(DIRECTORY)?.get_by_name(ROOT),
        ObjectName::Environment(id) => place(
            &env.durable_object(DIRECTORY)?,
            id.placement(),
            &id.to_string(),
        ),
        ObjectName::Account(id) => place(
            &env.durable_object(ACCOUNT)?,
            id.placement(),
            &id.to_string(),
        ),
    }
}

/// The name of an object, which the platform passes to it.
pub fn own_name(state: &worker::durable::State) -> Option<String> {
    state.id().name()
}

pub fn directory_name(name: &str) -> Option<ObjectName> {
    if name == ROOT {
        Some(ObjectName::Root)
    } else {
        name.parse().ok().map(ObjectName::Environment)
    }
}

fn place(namespace: &ObjectNamespace, placement: Placement, name: &str) -> worker::Result<Stub> {
    match placement {
        Placement::EuJurisdiction => in_jurisdiction(namespace, "eu")?.get_by_name(name),
        Placement::Hinted(region) => namespace.get_by_name_with_location_hint(name, hint(region)),
    }
}

/// The platform has no location hint `eu`. Without the jurisdiction (local development) it is western Europe.
fn hint(region: Region) -> &'static str {
    match region {
        Region::Eu => "weur",
        other => other.as_str(),
    }
}

fn in_jurisdiction(
    namespace: &ObjectNamespace,
    jurisdiction: &str,
) -> Result<ObjectNamespace, JsValue> {
    let namespace: &JsValue = namespace.as_ref();
    let function: Function = Reflect::get(namespace, &"jurisdiction".into())?.dyn_into()?;
    Ok(function
        .call1(namespace, &jurisdiction.into())?
        .unchecked_into())
}
