//! A section of a method that may also be switched off.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

/// A section that may be absent (the layer below counts), null (switched
/// off), or set.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Setting<T> {
    /// Absent: what the integration says counts.
    #[default]
    Inherit,
    /// null: switched off.
    Off,
    /// Its own value.
    Set(T),
}

impl<T> Setting<T> {
    /// The value, when one is set.
    pub fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Inherit | Self::Off => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(input)?.map_or(Self::Off, Self::Set))
    }
}

impl<T: JsonSchema> JsonSchema for Setting<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}OrNull", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}
