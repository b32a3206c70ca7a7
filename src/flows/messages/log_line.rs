//! A line of an account's log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// One call, as the log shows it: without query values, header fields, bodies and secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// The id of its response.
    pub request_id: String,
    /// When it was answered.
    pub created_at: Timestamp,
    /// The caller's HTTP method.
    pub method: String,
    /// The resource; `_` for an action. Null for a path of the provider, for a resource that the integration does not
    /// have, and if the integration was not read.
    pub resource: Option<String>,
    /// The method of the resource, or the name of the action.
    pub resource_method: Option<String>,
    /// The provider's host; null if no request was sent.
    pub host: Option<String>,
    /// The method's path as the file declares it; for a path of the provider the part in the file, and `*`.
    pub path: Option<String>,
    /// The status of the gateway's response.
    pub status: u16,
    /// The code of the gateway's error.
    pub code: Option<String>,
    /// The time from the request to the head of the response.
    pub duration_ms: u64,
    /// The status of the provider's last answer.
    pub upstream_status: Option<u16>,
    /// The part of that time until the heads of the provider's answers.
    pub upstream_ms: Option<u64>,
    /// The bytes of the caller's body, if known.
    pub bytes_in: Option<u64>,
    /// The bytes of the response's body, if known.
    pub bytes_out: Option<u64>,
    /// How often the request was sent again.
    pub retries: u64,
    /// Whether the response was replayed from an earlier write with the same `Idempotency-Key`.
    pub replayed: bool,
    /// The id of the API token, or `admin_token` or `account_token`.
    pub caller: String,
}
