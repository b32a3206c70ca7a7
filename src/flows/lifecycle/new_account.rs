//! The account that an import or a link token creates.

use serde_json::{Map, Value};

use crate::account::Account;
use crate::account::status::Status;
use crate::config::reserved::Trusted;
use crate::flows::base::records::InstallRecord;
use crate::ids::{AccountId, Region};
use crate::time::Timestamp;

/// An account of this install that is not connected yet and has no context.
pub(super) fn new_account(
    id: AccountId,
    install: &InstallRecord,
    (tenant_id, region): (String, Region),
    authentication_method: String,
    now: Timestamp,
) -> Account {
    Account {
        id,
        tenant_id,
        environment_id: install.environment_id,
        environment_integration_id: install.id,
        integration_id: install.integration_id,
        context: Value::Object(Map::new()),
        status: Status::Connecting,
        authentication_method,
        region,
        is_sandbox: false,
        last_error: None,
        last_action_run_result: None,
        last_forbidden_error: None,
        integration_override: None,
        override_by_admin_token: Trusted::new(),
        created_at: now,
        updated_at: now,
    }
}
