//! A batch: calls of one account as a graph. Here it is read and checked, and its order is found; nothing is sent.

mod plan;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::expression::{Expression, TemplateTree};

pub use plan::{BatchMistake, BatchPlan, PlannedNode};

/// The most nodes of a batch.
pub const MOST_NODES: usize = 50;

/// A batch as it is sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BatchRequest")]
pub struct SentBatch {
    /// The account; an account token has its own.
    #[serde(default)]
    pub integrated_account_id: Option<String>,
    /// The calls.
    #[schemars(length(min = 1, max = MOST_NODES))]
    pub resources: Vec<SentNode>,
    /// Values for placeholders and expressions: `{{args.x}}`.
    #[serde(default)]
    pub args: Value,
}

/// A call, or one for each item of a list. Texts in `id`, `query` and `body` read `{{resources.<name>.0.id}}`, `{{args.x}}`
/// and, with `loop_on`, `{{item}}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BatchNode")]
pub struct SentNode {
    /// Its name in the answer and in placeholders; the resource when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// The resource.
    pub resource: String,
    /// The method of the resource.
    pub method: String,
    /// The id of the record.
    #[serde(default)]
    pub id: Option<TemplateTree>,
    /// The query, as an object.
    #[serde(default)]
    pub query: Option<TemplateTree>,
    /// The body.
    #[serde(default)]
    pub body: Option<TemplateTree>,
    /// Nodes that have to succeed before; what placeholders and expressions name counts, too.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// JSONata over `resources` and `args`: one call for each item that it gives.
    #[serde(default)]
    pub loop_on: Option<Expression>,
    /// JSONata over `resources` and `args`: the node is left out unless it gives what counts as true.
    #[serde(default)]
    pub run_if: Option<Expression>,
    /// Whether the answer has its records; true when absent.
    #[serde(default)]
    pub persist: Option<bool>,
}

#[cfg(test)]
mod tests;
