//! `pkce`: `S256`, `plain` or `false`. `true` means the default.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// How an authorization code is proved to be ours (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pkce {
    /// The SHA-256 of the verifier.
    #[default]
    S256,
    /// The verifier itself.
    Plain,
    /// Not at all.
    Off,
}

impl<'de> Deserialize<'de> for Pkce {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(PkceVisitor)
    }
}

struct PkceVisitor;

impl Visitor<'_> for PkceVisitor {
    type Value = Pkce;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("`S256`, `plain` or false")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Pkce, E> {
        Ok(if flag { Pkce::S256 } else { Pkce::Off })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Pkce, E> {
        match text {
            "S256" | "true" => Ok(Pkce::S256),
            "plain" => Ok(Pkce::Plain),
            "false" => Ok(Pkce::Off),
            other => Err(E::invalid_value(Unexpected::Str(other), &self)),
        }
    }
}

impl JsonSchema for Pkce {
    fn schema_name() -> Cow<'static, str> {
        "Pkce".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"enum": ["S256", "plain", "true", "false", true, false], "default": "S256"})
    }
}
