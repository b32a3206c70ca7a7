//! How a provider's lists are paged through. Callers see only `limit` and
//! `next_cursor`. `docs/pagination.md` says how to choose.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::expression::{Expression, Template};
use crate::json::Path;

use super::schema::{Aliases, aliases, also};
use super::{Count, Entries};

mod end_status;
pub use end_status::EndStatus;

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
    Page(PagePagination),
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
    /// Where the next cursor is in the answer. `data.-1.id` is that of the last record; a key may have dots in it.
    pub cursor_path: Path,
    /// The parameter that carries the cursor; in a body, dots nest: `page.after`.
    #[serde(default)]
    pub cursor_key: Option<String>,
    /// Where the cursor of the previous page is.
    #[serde(default)]
    pub prev_cursor_path: Option<Path>,
    /// Where the answer says whether there is a next page; nothing there means no.
    #[serde(default)]
    pub has_next_path: Option<Path>,
    /// The parameter that carries the page size; in a body, dots nest.
    #[serde(default)]
    pub limit_key: Option<String>,
    /// The smallest page the provider accepts; a caller who wants less gets it all the same.
    #[serde(default)]
    pub min_limit: Option<Count>,
    /// The largest page the provider gives.
    #[serde(default)]
    pub max_limit: Option<Count>,
    /// How the page size is written in a body; as a number when absent.
    #[serde(default)]
    pub limit_data_type: Option<LimitDataType>,
    /// Whether the cursor is a link to the next page, on the provider's own host. It replaces the method's query.
    #[serde(default)]
    pub is_link: bool,
    /// Whether the link's path is used too, and not only its query. A link without a query is used whole.
    #[serde(default)]
    pub include_path: bool,
    /// Whether cursor and page size go into the body.
    #[serde(default)]
    pub add_to_body: bool,
    /// Whether cursor and page size go into the query; so when neither is said.
    #[serde(default)]
    pub add_to_query: Option<bool>,
    /// Whether the cursor is in the body or in a header of the answer.
    #[serde(default)]
    pub cursor_path_object: CursorPathObject,
    /// Whether the cursor comes percent-encoded; it is decoded once.
    #[serde(default)]
    pub is_cursor_url_encoded: bool,
    /// Whether the page size is left out of the requests after the first.
    #[serde(default)]
    pub ignore_limit_in_pagination: bool,
    /// Whether an empty page may have a next one. When not, it is the end, even if a cursor comes with it.
    #[serde(default)]
    pub allow_empty_page_cursor: bool,
    /// Whether a page equal to the one before ends the list.
    #[serde(default)]
    pub use_content_hash: bool,
    /// Headers of the requests for pages; one without a value, such as `{{pagination.cursor}}` on the first page, is left out.
    #[serde(default)]
    pub headers: Entries,
}

/// Where a cursor is.
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
pub struct PagePagination {
    /// The parameter that carries the page number; in a body, dots nest. Also written `page_param`.
    #[serde(alias = "page_param")]
    pub page_key: String,
    /// The parameter that carries the page size. Also written `limit_param`.
    #[serde(default, alias = "limit_param")]
    pub limit_key: Option<String>,
    /// The number of the first page.
    #[serde(default = "one")]
    pub start_page: Count,
    /// The smallest page the provider accepts.
    #[serde(default)]
    pub min_limit: Option<Count>,
    /// The largest page the provider gives.
    #[serde(default)]
    pub max_limit: Option<Count>,
    /// Where the answer gives the number of pages.
    #[serde(default)]
    pub total_pages_path: Option<Path>,
    /// Where the answer gives the number of items.
    #[serde(default)]
    pub total_path: Option<Path>,
    /// Statuses of an answer after the first page that say that the list has ended, in addition to 404 and 416.
    #[serde(default)]
    pub end_statuses: Vec<EndStatus>,
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
    /// The parameter that carries the offset; in a body, dots nest. Also written `offset_param`.
    #[serde(alias = "offset_param")]
    pub offset_key: String,
    /// The parameter that carries the page size. Also written `limit_param`.
    #[serde(default, alias = "limit_param")]
    pub limit_key: Option<String>,
    /// The first offset.
    #[serde(default = "zero")]
    pub start_offset: Count,
    /// The smallest page the provider accepts.
    #[serde(default)]
    pub min_limit: Option<Count>,
    /// The largest page the provider gives.
    #[serde(default)]
    pub max_limit: Option<Count>,
    /// Where the answer gives the number of items.
    #[serde(default)]
    pub total_path: Option<Path>,
    /// Statuses of an answer after the first page that say that the list has ended, in addition to 404 and 416.
    #[serde(default)]
    pub end_statuses: Vec<EndStatus>,
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
    /// The smallest page the provider accepts.
    #[serde(default)]
    pub min_limit: Option<Count>,
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
    /// The smallest page the provider accepts.
    #[serde(default)]
    pub min_limit: Option<Count>,
    /// The largest page the provider gives.
    #[serde(default)]
    pub max_limit: Option<Count>,
    /// Statuses of an answer after the first page that say that the list has ended, in addition to 404 and 416.
    #[serde(default)]
    pub end_statuses: Vec<EndStatus>,
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
    /// The smallest page the provider accepts.
    #[serde(default)]
    pub min_limit: Option<Count>,
    /// The largest page the provider gives: `{{pagination.limit}}` is never more.
    #[serde(default)]
    pub max_limit: Option<Count>,
}

fn one() -> Count {
    Count(1)
}

fn zero() -> Count {
    Count(0)
}
