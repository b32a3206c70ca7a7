//! Answers as JSON text: what a provider sent is put in as it came.

use serde_json::Value;

use crate::json::quoted;

/// Error codes of JSON-RPC 2.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RpcCode {
    /// The body is not JSON.
    Parse,
    /// It is no request.
    Request,
    /// There is no such method.
    Method,
    /// Its parameters do not fit.
    Params,
    /// The gateway failed.
    Internal,
}

impl RpcCode {
    fn number(self) -> i32 {
        match self {
            Self::Parse => -32700,
            Self::Request => -32600,
            Self::Method => -32601,
            Self::Params => -32602,
            Self::Internal => -32603,
        }
    }
}

/// Why a request has no result.
#[derive(Debug)]
pub struct RpcError {
    /// What kind of error.
    pub code: RpcCode,
    /// What to change.
    pub message: String,
    /// More of it.
    pub data: Option<Value>,
}

impl RpcError {
    /// An error without data.
    pub fn new(code: RpcCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }
}

/// The answer to the request with this id, both as JSON text.
pub fn answer(id: &str, result: Result<String, RpcError>) -> String {
    match result {
        Ok(result) => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#),
        Err(error) => {
            let (code, message) = (error.code.number(), quoted(&error.message));
            let data = error.data.map(|data| format!(r#","data":{data}"#));
            let data = data.unwrap_or_default();
            format!(
                r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{message}{data}}}}}"#
            )
        }
    }
}

/// Whether the tool failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolOutcome {
    /// It did what was asked.
    Done,
    /// It failed: the agent reads why.
    Failed,
}

/// The result of a tool: a JSON object, and the same as a text for people and agents.
pub fn tool_result(document: &str, text: &str, outcome: ToolOutcome) -> String {
    let (text, failed) = (quoted(text), outcome == ToolOutcome::Failed);
    format!(
        r#"{{"content":[{{"type":"text","text":{text}}}],"structuredContent":{document},"isError":{failed}}}"#
    )
}
