//! One input of the connect form. Its value lands in the account's context
//! under its name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::expression::pattern::WholePattern;

/// One input of the connect form.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The key in the account's context.
    pub name: String,
    /// What the form shows; the name, when absent.
    #[serde(default)]
    pub label: Option<String>,
    /// The kind of input; what is typed into a `password` is kept secret.
    #[serde(rename = "type", default)]
    pub kind: FieldKind,
    /// Whether the form insists on a value.
    #[serde(default)]
    pub required: bool,
    /// The value when none is given.
    #[serde(default)]
    pub default: Option<Value>,
    /// What the value must look like.
    #[serde(default)]
    pub format: Option<Format>,
    /// A regular expression the whole value must match.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub pattern: Option<WholePattern>,
    /// A regular expression that the whole value must not match.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub not_pattern: Option<WholePattern>,
    /// Whether a value that is used in a host may hold dots.
    #[serde(default)]
    pub allow_dots: bool,
    /// Whether a value may have several lines, such as a private key in PEM. A field called `private_key` always may.
    #[serde(default)]
    pub multiline: bool,
    /// What is done to the value before it is stored.
    #[serde(default)]
    pub transform: Option<Transform>,
    /// The example text in the empty input.
    #[serde(default)]
    pub placeholder: Option<String>,
    /// The input's label.
    #[serde(default)]
    pub help_text: Option<String>,
    /// Text before the input, which is no part of the value.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Text after the input, which is no part of the value.
    #[serde(default)]
    pub suffix: Option<String>,
    /// Where the provider says how to find the value: an `https://` address.
    #[serde(default)]
    pub docs_url: Option<String>,
    /// Which choice of another field shows this one; always, when absent.
    #[serde(default)]
    pub visible_when: Option<FieldVisibility>,
    /// What a `single_select` offers.
    #[serde(default)]
    pub options: Vec<Choice>,
}

/// The kind of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A line of text.
    #[default]
    Text,
    /// A line of text that is not shown, and is sealed where it is stored.
    Password,
    /// One of `options`.
    SingleSelect,
}

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// An address with `@`.
    Email,
    /// A number.
    Number,
    /// A UUID.
    Uuid,
    /// An absolute URL.
    Url,
    /// The name of a host, with dots, without scheme, port or path.
    Hostname,
}

/// A choice of another field.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldVisibility {
    /// The name of a `single_select` of the same form.
    pub field: String,
    /// Those of its values that show the field.
    #[serde(rename = "is")]
    pub values: Vec<Value>,
}

/// What is done to a value before it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// To lower case.
    Lowercase,
    /// To upper case.
    Uppercase,
    /// To the hex of its SHA-256.
    Sha256,
}

/// One choice of a `single_select`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What the form shows.
    pub label: String,
    /// What is stored.
    pub value: Value,
    /// Further keys of the context that this choice fills.
    #[serde(default)]
    pub set: BTreeMap<String, Value>,
}

impl Field {
    /// Whether its value may have several lines.
    pub fn is_multiline(&self) -> bool {
        self.kind != FieldKind::SingleSelect && (self.multiline || self.name == "private_key")
    }

    /// The keys that its options fill in addition to its own.
    pub fn set_keys(&self) -> impl Iterator<Item = &String> {
        self.options.iter().flat_map(|choice| choice.set.keys())
    }

    /// The keys of the context that the field fills: its own, and those that its options set.
    pub fn filled_keys(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.name).chain(self.set_keys())
    }

    /// Whether a choice in this context shows the field.
    pub fn is_visible(&self, context: &Value) -> bool {
        self.visible_when.as_ref().is_none_or(|condition| {
            let chosen = context.get(&condition.field);
            chosen.is_some_and(|chosen| condition.values.contains(chosen))
        })
    }
}
