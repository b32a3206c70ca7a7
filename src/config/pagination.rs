//! How a provider's lists are paged through. Callers see only `limit` and
//! `next_cursor`, whatever stands here.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

use crate::expression::{Expression, Template};
use crate::json::Path;

use super::schema::{Aliases, aliases, also};
use super::{Count, Entries};

// Second spellings, for the JSON Schema; serde's `alias` reads them.
const PAGE_ALIASES: Aliases = &[
    ("page_key", &["page_param"]),
    ("limit_key", &["limit_param"]),
];
const OFFSET_ALIASES: Aliases = &[
    ("offset_key", &["offset_param"]),
    ("limit_key", &["limit_param"]),
];
const LIMIT_ALIASES: Aliases = &[("limit_key", &["limit_param"])];
const PLACE_ALSO: &[&str] = &["headers"];
const LIMIT_TYPE_ALSO: &[&str] = &["integer", "int", "str"];

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

/// How lists are paged through.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    tag = "format",
    content = "config",
    rename_all = "snake_case",
    deny_unknown_fields
)]
#[schemars(transform = super::schema::optional_config)]
pub enum Pagination {
    /// An opaque cursor, or a link, in the answer.
    Cursor(Box<Cursor>),
    /// Page numbers.
    Page(Page),
    /// The number of items to skip.
    Offset(Offset),
    /// `Link: …; rel="next"` (RFC 8288).
    LinkHeader(LinkHeader),
    /// `Range` and `Content-Range` (RFC 9110, section 14).
    Range(Range),
    /// Computed by JSONata.
    Dynamic(Dynamic),
}

/// An opaque cursor, or a link, in the answer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CursorPagination")]
#[allow(clippy::struct_excessive_bools)] // one key of the file each
pub struct Cursor {
    /// Where the next cursor stands in the answer.
    pub cursor_path: Path,
    /// The parameter that carries the cursor.
    #[serde(default)]
    pub cursor_key: Option<String>,
    /// Where the cursor of the page before stands.
    #[serde(default)]
    pub prev_cursor_path: Option<Path>,
    /// Where the answer says whether there is a next page.
    #[serde(default)]
    pub has_next_path: Option<Path>,
    /// The parameter that carries the page size.
    #[serde(default)]
    pub limit_key: Option<String>,
    /// The largest page the provider gives.
    #[serde(default)]
    pub max_limit: Option<Count>,
    /// How the page size is written in a body.
    #[serde(default)]
    pub limit_data_type: Option<LimitDataType>,
    /// Whether the cursor is a link to the next page.
    #[serde(default)]
    pub is_link: bool,
    /// Whether a link that is only a path is put behind the method's path.
    #[serde(default)]
    pub include_path: bool,
    /// Whether cursor and page size go into the body.
    #[serde(default)]
    pub add_to_body: bool,
    /// Whether cursor and page size go into the query; so when neither is said.
    #[serde(default)]
    pub add_to_query: Option<bool>,
    /// Whether the cursor stands in the body or in a header of the answer.
    #[serde(default)]
    pub cursor_path_object: CursorPathObject,
    /// Whether the cursor is already percent-encoded.
    #[serde(default)]
    pub is_cursor_url_encoded: bool,
    /// Whether the page size is left out of the requests after the first.
    #[serde(default)]
    pub ignore_limit_in_pagination: bool,
    /// Whether an empty page may have a next one.
    #[serde(default)]
    pub allow_empty_page_cursor: bool,
    /// Whether a page equal to the one before ends the walk.
    #[serde(default)]
    pub use_content_hash: bool,
    /// Headers of the requests for pages.
    #[serde(default)]
    pub headers: Entries,
}

/// Where a cursor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = also(PLACE_ALSO))]
pub enum CursorPathObject {
    /// In the body.
    #[default]
    Body,
    /// In a header.
    #[serde(alias = "headers")]
    Header,
}

/// How a page size is written in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = also(LIMIT_TYPE_ALSO))]
pub enum LimitDataType {
    /// `100`
    #[serde(alias = "integer", alias = "int")]
    Number,
    /// `"100"`
    #[serde(alias = "str")]
    String,
}

/// Page numbers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    rename = "PagePagination",
    transform = aliases(PAGE_ALIASES)
)]
pub struct Page {
    /// The parameter that carries the page number. Also written `page_param`.
    #[serde(alias = "page_param")]
    pub page_key: String,
    /// The parameter that carries the page size. Also written `limit_param`.
    #[serde(default, alias = "limit_param")]
    pub limit_key: Option<String>,
    /// The number of the first page.
    #[serde(default = "one")]
    pub start_page: Count,
    /// The largest page the provider gives.
    #[serde(default)]
    pub max_limit: Option<Count>,
    /// Where the answer gives the number of pages.
    #[serde(default)]
    pub total_pages_path: Option<Path>,
    /// Where the answer gives the number of items.
    #[serde(default)]
    pub total_path: Option<Path>,
    /// Whether the parameters go into the body.
    #[serde(default)]
    pub add_to_body: bool,
}

/// The number of items to skip.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(
    rename = "OffsetPagination",
    transform = aliases(OFFSET_ALIASES)
)]
pub struct Offset {
    /// The parameter that carries the offset. Also written `offset_param`.
    #[serde(alias = "offset_param")]
    pub offset_key: String,
    /// The parameter that carries the page size. Also written `limit_param`.
    #[serde(default, alias = "limit_param")]
    pub limit_key: Option<String>,
    /// The first offset.
    #[serde(default = "zero")]
    pub start_offset: Count,
    /// The largest page the provider gives.
    #[serde(default)]
    pub max_limit: Option<Count>,
    /// Where the answer gives the number of items.
    #[serde(default)]
    pub total_path: Option<Path>,
    /// Whether the parameters go into the body.
    #[serde(default)]
    pub add_to_body: bool,
}

/// `Link: …; rel="next"` (RFC 8288).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LinkHeaderPagination", transform = aliases(LIMIT_ALIASES))]
pub struct LinkHeader {
    /// The parameter that carries the page size. Also written `limit_param`.
    #[serde(default, alias = "limit_param")]
    pub limit_key: Option<String>,
    /// The largest page the provider gives.
    #[serde(default)]
    pub max_limit: Option<Count>,
}

/// `Range` and `Content-Range` (RFC 9110, section 14).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RangePagination")]
pub struct Range {
    /// The range unit; `items` when absent.
    #[serde(default)]
    pub range_unit: Option<Template>,
    /// The largest page the provider gives.
    #[serde(default)]
    pub max_limit: Option<Count>,
}

/// Computed by JSONata; values enter requests through `{{pagination.x}}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DynamicPagination")]
pub struct Dynamic {
    /// The values of the first request.
    #[serde(default)]
    pub get_initial_pagination_values_expression: Option<Expression>,
    /// The values of the next request; null stops.
    pub get_pagination_values_expression: Expression,
    /// The cursor that callers are given.
    #[serde(default)]
    pub get_cursor_from_response_expression: Option<Expression>,
}

fn one() -> Count {
    Count(1)
}

fn zero() -> Count {
    Count(0)
}
