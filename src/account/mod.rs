//! A connected account: what it is, who set what of it, whether it may be called, how its secrets rest, how
//! long its token lasts; and how what names it to the outside is signed.
//! Storing and calling it are the flows' work.

pub mod freshness;
pub mod keys;
pub mod origin;
pub mod refusals;
pub mod seal;
pub mod status;
pub mod token;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::reserved::Trusted;
use crate::ids::{AccountId, EnvironmentId, InstallId, IntegrationId, Region};
use crate::time::Timestamp;
pub use status::Status;

/// What is stored of a connected account in clear; its secret half is sealed and stored separately.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Its id, which says where it lives.
    pub id: AccountId,
    /// The caller's own name for the customer it belongs to.
    pub tenant_id: String,
    /// The environment it belongs to; others cannot see it.
    pub environment_id: EnvironmentId,
    /// The install it was connected through.
    pub environment_integration_id: InstallId,
    /// The integration of that install.
    pub integration_id: IntegrationId,
    /// The public half of its context: an object.
    pub context: Value,
    /// Its place in its life.
    pub status: Status,
    /// The `format` of the credential it was connected with.
    pub authentication_method: String,
    /// Where it was asked to live.
    pub region: Region,
    /// A sandbox account refuses writes.
    pub is_sandbox: bool,
    /// What last went wrong, for people.
    pub last_error: Option<String>,
    /// The outcome of the last lifecycle action.
    pub last_action_run_result: Option<Value>,
    /// The last refusal by the provider (403).
    pub last_forbidden_error: Option<Value>,
    /// This account's own changes to the integration's config.
    pub integration_override: Option<Value>,
    /// What the admin token wrote of them: digests of values, by place.
    #[serde(default)]
    pub override_by_admin_token: Trusted,
    /// When it was stored first.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}
