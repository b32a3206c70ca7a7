//! MCP tokens in messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::flows::base::records::PageRequest;
use crate::ids::McpTokenId;
use crate::ports::Visibility;
use crate::settings::{MCP_CONFIG_WORDS, MCP_WORD_CHARACTERS};
use crate::time::Timestamp;
use crate::tools::ToolFilter;

/// What an MCP token offers. An empty list leaves nothing out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct McpConfig {
    /// `read`, `write`, or names of methods.
    #[schemars(length(max = MCP_CONFIG_WORDS), inner(length(max = MCP_WORD_CHARACTERS)))]
    pub methods: Vec<String>,
    /// Tags of resources (`tool_tags`).
    #[schemars(length(max = MCP_CONFIG_WORDS), inner(length(max = MCP_WORD_CHARACTERS)))]
    pub tags: Vec<String>,
    /// Names of resources.
    #[schemars(length(max = MCP_CONFIG_WORDS), inner(length(max = MCP_WORD_CHARACTERS)))]
    pub resources: Vec<String>,
    /// Whether clients also send an API token of the environment, as `Authorization: Bearer`.
    pub require_api_token_auth: bool,
    /// Whether tools that may change or delete what is there first show their request, and need its confirmation.
    pub require_confirmation: bool,
}

impl McpConfig {
    /// 422 where it has too many words, or too long ones.
    pub fn check(&self) -> Result<(), Failure> {
        for (key, words) in [
            ("methods", &self.methods),
            ("tags", &self.tags),
            ("resources", &self.resources),
        ] {
            let is_long = |word: &String| word.chars().count() > MCP_WORD_CHARACTERS;
            if words.len() > MCP_CONFIG_WORDS || words.iter().any(is_long) {
                let message = format!(
                    "has at most {MCP_CONFIG_WORDS} entries of {MCP_WORD_CHARACTERS} characters"
                );
                return Err(Failure::invalid(&format!("config.{key}"), message));
            }
        }
        Ok(())
    }

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
    /// → `ListPage<McpTokenRecord>`, the oldest first
    ListMcpTokens(Visibility, PageRequest),
    /// → `McpTokenRecord`, or not found
    GetMcpToken(Visibility, McpTokenId),
    /// → null, or not found
    DeleteMcpToken(Visibility, McpTokenId),
}
