//! The categories of integrations: a field of their files, not records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A category of integrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Category {
    /// As the integration files say it.
    pub name: String,
    /// The name with a capital letter and with spaces.
    pub label: String,
    /// When its first integration was created.
    pub created_at: Timestamp,
    /// When an integration of it was last changed.
    pub updated_at: Timestamp,
}
