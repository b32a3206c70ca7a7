//! Types that are one string in JSON.

/// Writes `Deserialize`, `Serialize` and `JsonSchema` of a type: how it is read from a string, how it is shown as one,
/// whether the schema repeats it at each use, and what the schema says of it.
macro_rules! text_type {
    (
        $name:ident,
        read: |$given:ident| $read:expr,
        show: |$own:ident| $text:expr,
        inline: $is_inline:literal,
        schema: $schema:tt $(,)?
    ) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let $given: &str = &<String as serde::Deserialize>::deserialize(input)?;
                $read.map_err(serde::de::Error::custom)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
                let $own = self;
                output.collect_str($text)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                $is_inline
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}

pub(crate) use text_type;
