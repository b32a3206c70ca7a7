//! Imports an account whose credentials the caller already has.

use crate::flows::base::context_limits::{check_patch, check_tenant};
use serde_json::Value;

use crate::account::Account;
use crate::account::status::Status;
use crate::config::reserved::Trusted;
use crate::error::Failure;
use crate::flows::base::records::InstallRecord;
use crate::flows::messages::account::{AccountMessage, AccountView};
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::{send_to_account, send_to_environment};
use crate::ids::{AccountId, EnvironmentId, InstallId, Placement, Region};
use crate::ports::Outside;

/// The values of an imported account.
pub struct NewAccount {
    /// The caller's id of the customer.
    pub tenant_id: String,
    pub install: InstallId,
    /// The context, secrets included.
    pub context: Value,
    /// The format of the credential.
    pub authentication_method: String,
    pub region: Region,
    pub is_sandbox: bool,
}

/// Stores the account in its region. It is active when this returns.
pub async fn import_account(
    outside: &impl Outside,
    environment: EnvironmentId,
    new: NewAccount,
) -> Result<AccountView, Failure> {
    check(&new)?;
    let install: Option<InstallRecord> = send_to_environment(
        outside,
        environment,
        &EnvironmentMessage::FindInstall(new.install),
    )
    .await?;
    let install = install.ok_or_else(|| Failure::not_found("environment integration"))?;
    if !install.is_enabled {
        return Err(Failure::install_disabled());
    }
    let now = outside.now();
    let placement = Placement::new(new.region, outside.settings().eu_jurisdiction);
    let id = AccountId::new(now, placement, outside.random());
    let account = Account {
        id,
        tenant_id: new.tenant_id,
        environment_id: environment,
        environment_integration_id: install.id,
        integration_id: install.integration_id,
        context: new.context,
        status: Status::Connecting,
        authentication_method: new.authentication_method,
        region: new.region,
        is_sandbox: new.is_sandbox,
        last_error: None,
        last_action_run_result: None,
        last_forbidden_error: None,
        integration_override: None,
        override_by_admin_token: Trusted::new(),
        created_at: now,
        updated_at: now,
    };
    send_to_account(outside, id, &AccountMessage::Import(Box::new(account))).await
}

fn check(new: &NewAccount) -> Result<(), Failure> {
    check_tenant(&new.tenant_id)?;
    check_patch(&new.context)
}
