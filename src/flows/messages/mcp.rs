//! MCP tokens in messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::McpTokenId;
use crate::ports::Visibility;
use crate::time::Timestamp;
use crate::tools::ToolFilter;

/// What an MCP token offers. An empty list leaves nothing out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct McpConfig {
    /// `read`, `write`, or names of methods.
    pub methods: Vec<String>,
    /// Tags of resources (`tool_tags`).
    pub tags: Vec<String>,
    /// Names of resources.
    pub resources: Vec<String>,
    /// Whether clients also send an API token of the environment, as `Authorization: Bearer`.
    pub require_api_token_auth: bool,
    /// Whether tools that may change or delete what is there first show their request, and need its confirmation.
    pub require_confirmation: bool,
}

impl McpConfig {
    pub fn filter(&self) -> ToolFilter {
        ToolFilter {
            methods: self.methods.clone(),
            tags: self.tags.clone(),
            resources: self.resources.clone(),
            ..ToolFilter::default()
        }
    }
}

/// An MCP token, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "McpToken")]
pub struct McpTokenRecord {
    pub id: McpTokenId,
    /// The name that its owner gave it.
    pub name: String,
    /// What it offers.
    pub config: McpConfig,
    /// When it expires; null: never.
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// A message about the MCP tokens of an account.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum McpMessage {
    /// Stores a token by its hash; refused where it has no tool → null
    CreateMcpToken(Visibility, McpTokenRecord, String),
    /// → `Vec<McpTokenRecord>`
    ListMcpTokens(Visibility),
    /// → null, or not found
    DeleteMcpToken(Visibility, McpTokenId),
}
