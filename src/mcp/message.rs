//! Messages of JSON-RPC 2.0.

use serde_json::Value;

use crate::json::Exact;
use crate::json::exact;

/// A message of a client. Its parts are the insides of an `Exact`.
#[derive(Debug)]
pub enum RpcMessage<'a> {
    /// It is answered.
    Request {
        /// Its id, as JSON text.
        id: String,
        /// What it asks for.
        method: &'a str,
        /// Null where it has none.
        params: &'a Value,
    },
    /// A notification, or an answer: it is not answered.
    Silent,
    /// It is neither.
    Invalid,
}

const NULL: &Value = &Value::Null;

impl<'a> RpcMessage<'a> {
    /// Reads a message.
    pub fn read(message: &'a Value) -> Self {
        let text = |key: &str| message.get(key).and_then(exact::as_text);
        if text("jsonrpc") != Some("2.0") {
            return Self::Invalid;
        }
        let id = message.get("id");
        match (text("method"), id) {
            (Some(method), Some(id)) if is_id(id) => Self::Request {
                id: Exact::of_inside(id.clone()).to_string(),
                method,
                params: message.get("params").unwrap_or(NULL),
            },
            (Some(_), None) => Self::Silent,
            (None, Some(_)) if is_answer(message) => Self::Silent,
            _ => Self::Invalid,
        }
    }
}

impl RpcMessage<'_> {
    /// The id of a request, as JSON text.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Request { id, .. } => Some(id),
            Self::Silent | Self::Invalid => None,
        }
    }
}

/// MCP allows no null (2025-11-25, Requests).
fn is_id(id: &Value) -> bool {
    exact::as_text(id).is_some() || id.is_number() || exact::literal(id).is_some()
}

fn is_answer(message: &Value) -> bool {
    message.get("result").is_some() || message.get("error").is_some()
}
