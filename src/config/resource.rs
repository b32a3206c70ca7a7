//! One method of a resource: the request it represents. `list`, `get`,
//! `create`, `update` and `delete` are the canonical names; any other is a
//! custom method.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::expression::{PathTemplate, TemplateTree, UrlTemplate};
use crate::json::Path;

use super::files::FileOperation;
use super::{
    Authorizations, Entries, ErrorExpression, Pagination, QueryArrayFormat, RateLimit, Setting,
};

/// One method: the request that it sends.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools)] // one key of the file each
pub struct Method {
    /// The HTTP method, in any case; `get` when absent.
    pub method: HttpMethod,
    /// The path after the base URL, with an optional query.
    pub path: PathTemplate,
    /// Instead of the file's `base_url`.
    pub base_url: Option<UrlTemplate>,
    /// Over the file's headers; null removes one.
    pub headers: Entries,
    /// Over the file's query; null removes an entry, a missing value leaves it out.
    pub query: Entries,
    /// How arrays are written in the query, and in a form.
    pub query_array_format: Option<QueryArrayFormat>,
    /// The body, with placeholders; the caller's own, byte for byte, when absent or when the caller says
    /// `truto_body_passthrough=true`.
    pub body: Option<TemplateTree>,
    /// How the body is written. The caller's own stays as it is.
    pub body_format: Option<BodyFormat>,
    /// Where the result is in the answer; the whole answer when absent.
    pub response_path: Option<Path>,
    /// How this method pages; null for not at all.
    pub pagination: Setting<Pagination>,
    /// The path of the pages after the first.
    pub pagination_path: Option<PathTemplate>,
    /// Instead of the file's `authorization`.
    pub authorization: Option<Authorizations>,
    /// Whether the request is sent without credentials.
    pub no_auth: bool,
    /// Whether the caller's query goes into the body.
    pub add_query_to_body: bool,
    /// Whether the caller's body is left out.
    pub ignore_body: bool,
    /// Whether the body is left out of the requests for pages.
    pub ignore_body_in_pagination: bool,
    /// Whether credentials are left out when a redirect is followed.
    pub ignore_credentials_on_redirect: bool,
    /// What the provider answers; what its `content-type` says when absent.
    pub api_response_format: Option<ApiResponseFormat>,
    /// Instead of the file's `error_expression`.
    pub error_expression: Option<ErrorExpression>,
    /// Instead of the file's `rate_limit`.
    pub rate_limit: Option<RateLimit>,
    /// The OAuth scopes the method needs.
    pub scopes: Vec<String>,
    /// What the method does.
    pub description: Option<String>,
    /// Where the provider documents it.
    pub api_documentation_url: Option<String>,
    /// What the query may hold, as a JSON Schema.
    pub query_schema: Option<Value>,
    /// What the body may hold, as a JSON Schema.
    pub body_schema: Option<Value>,
    /// What the answer holds, as a JSON Schema.
    pub response_schema: Option<Value>,
    /// Example requests and answers.
    pub examples: Option<Value>,
    /// What it does on a server of files, for a method of the resource `files`, which no file declares.
    #[serde(skip)]
    pub operation: Option<FileOperation>,
    /// The caller's parameters that the templates above use; filled in by who asks first.
    #[serde(skip)]
    pub(crate) used_parameters: OnceCell<BTreeSet<String>>,
}

impl Method {
    /// Whether its requests can carry this entry of the file's `body`.
    pub fn sends_file_entry(&self, name: &str) -> bool {
        let has_own = match &self.body {
            Some(TemplateTree::Object(own)) => own.iter().any(|(own, _)| own == name),
            _ => false,
        };
        let carries_body = !matches!(self.method.0, http::Method::GET | http::Method::HEAD);
        let has_entries = matches!(
            self.body_format.unwrap_or_default(),
            BodyFormat::Json | BodyFormat::Form
        );
        carries_body && !has_own && (has_entries || self.body.is_none())
    }
}

/// An HTTP method (RFC 9110, section 9; RFC 5789), read in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpMethod(pub http::Method);

impl Default for HttpMethod {
    fn default() -> Self {
        Self(http::Method::GET)
    }
}

const HTTP_METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

impl<'de> Deserialize<'de> for HttpMethod {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        let known = HTTP_METHODS.contains(&text.to_ascii_lowercase().as_str());
        let method = http::Method::from_bytes(text.to_ascii_uppercase().as_bytes())
            .ok()
            .filter(|_| known);
        method.map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is not an HTTP method; the methods are {}",
                HTTP_METHODS.join(", ")
            ))
        })
    }
}

impl JsonSchema for HttpMethod {
    fn schema_name() -> Cow<'static, str> {
        "HttpMethod".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"enum": HTTP_METHODS},
            {"type": "string", "pattern": "^(?:[Gg][Ee][Tt]|[Pp][Oo][Ss][Tt]|[Pp][Uu][Tt]|[Pp][Aa][Tt][Cc][Hh]|[Dd][Ee][Ll][Ee][Tt][Ee]|[Hh][Ee][Aa][Dd]|[Oo][Pp][Tt][Ii][Oo][Nn][Ss])$"}
        ]})
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BodyFormat {
    /// `application/json`
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`: an object; arrays as `query_array_format` says.
    Form,
    /// `multipart/form-data` (RFC 7578): an object. A file is `{filename, content_type, data}` with `data` in base64,
    /// or with `text` instead.
    Multipart,
    /// A text as it is.
    Raw,
    /// `application/xml`: an object with one key, the root element. `@name` is an attribute, `#text` a text, an array
    /// elements of one name.
    Xml,
}

/// What a provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiResponseFormat {
    /// JSON.
    #[default]
    Json,
    /// XML, which callers get as JSON: `@name` is an attribute, `#text` a text, elements of one name are an array.
    Xml,
    /// Text that is not cut.
    Text,
    /// Bytes that are passed on unread.
    Binary,
}
