//! A line of an account's log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// One call, as the log tells of it: no value of a query, no header, no body, no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// The id its answer had.
    pub request_id: String,
    /// When it was answered.
    pub created_at: Timestamp,
    /// The caller's verb.
    pub method: String,
    /// The resource, `_` of an action; nothing for a path of the provider's own, and where the integration has no such
    /// resource or was not asked.
    pub resource: Option<String>,
    /// The method of the resource, or the name of the action.
    pub resource_method: Option<String>,
    /// The provider's host; nothing where it was not asked.
    pub host: Option<String>,
    /// The method's path as the file has it; of a path of the provider's own what the file knows, and `*`.
    pub path: Option<String>,
    /// The status of our answer.
    pub status: u16,
    /// The code of our error.
    pub code: Option<String>,
    /// From its coming to the head of our answer.
    pub duration_ms: u64,
    /// The status of the provider's last answer.
    pub upstream_status: Option<u16>,
    /// What of the time the provider took, until the heads of its answers.
    pub upstream_ms: Option<u64>,
    /// Bytes of the caller's body, where known.
    pub bytes_in: Option<u64>,
    /// Bytes of our answer's body, where known.
    pub bytes_out: Option<u64>,
    /// How often the request was sent again.
    pub retries: u64,
    /// Whether it was answered as the same write was before.
    pub replayed: bool,
    /// The id of the API token, or `admin_token` or `account_token`.
    pub caller: String,
}
