//! The bindings of `wrangler.toml` and `.dev.vars`, and the placement of objects. The `worker` crate does not wrap
//! `jurisdiction()`, so it is called by name.

use js_sys::{JSON, Reflect};
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
/// The Worker that speaks SFTP.
pub const SFTP: &str = "SFTP";
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

/// Whether there is a binding of this name.
pub fn has(env: &Env, name: &str) -> bool {
    Reflect::get(env, &name.into()).is_ok_and(|binding| binding.is_object())
}

/// An object: its class, its name, and where its first use creates it.
pub struct ObjectPlace {
    pub binding: &'static str,
    pub name: String,
    /// A location hint, `eu` for that jurisdiction, or empty.
    pub location: &'static str,
}

pub fn place_of(object: ObjectName) -> ObjectPlace {
    let of = |binding, name, placement| ObjectPlace {
        binding,
        name,
        location: match placement {
            Placement::EuJurisdiction => "eu",
            Placement::Hinted(region) => hint(region),
        },
    };
    match object {
        ObjectName::Root => ObjectPlace {
            binding: DIRECTORY,
            name: ROOT.to_owned(),
            location: "",
        },
        ObjectName::Environment(id) => of(DIRECTORY, id.to_string(), id.placement()),
        ObjectName::Account(id) => of(ACCOUNT, id.to_string(), id.placement()),
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

/// The platform has no location hint `eu`. Without the jurisdiction (local development) it is western Europe.
fn hint(region: Region) -> &'static str {
    match region {
        Region::Eu => "weur",
        other => other.as_str(),
    }
}
