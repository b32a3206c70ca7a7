//! One input of the connect form. Its value lands in the account's context
//! under its name.

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
    /// Whether a value that is used in a host may hold dots.
    #[serde(default)]
    pub allow_dots: bool,
    /// What is done to the value before it is stored.
    #[serde(default)]
    pub transform: Option<Transform>,
    /// The example text in the empty input.
    #[serde(default)]
    pub placeholder: Option<String>,
    /// The input's label.
    #[serde(default)]
    pub help_text: Option<String>,
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
}
