//! What agents use: the tools of an account, the account as an MCP server, and batches. It uses `call`, and `account` for
//! the MCP tokens.

mod agent_call;
pub(in crate::flows) mod batch;
pub(in crate::flows) mod confirmations;
mod dry_run;
pub(in crate::flows) mod mcp;
pub(in crate::flows) mod mcp_tokens;
mod tool_call;
mod tool_result;
pub mod tools;
