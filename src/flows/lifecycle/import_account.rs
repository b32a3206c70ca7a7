//! Imports an account whose credentials the caller already has.

use crate::flows::base::context_limits::{check_patch, check_tenant};
use serde_json::Value;

use crate::account::Account;
use crate::error::Failure;
use crate::flows::base::records::InstallRecord;
use crate::flows::lifecycle::new_account::new_account;
use crate::flows::messages::account::{AccountMessage, AccountView, LifecycleActions};
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
    pub actions: LifecycleActions,
}

/// Connects the account in its region. Its status says how its lifecycle actions ended.
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
        context: new.context,
        is_sandbox: new.is_sandbox,
        ..new_account(
            id,
            &install,
            (new.tenant_id, new.region),
            new.authentication_method,
            now,
        )
    };
    let message = AccountMessage::Import(Box::new(account), new.actions);
    send_to_account(outside, id, &message).await
}

fn check(new: &NewAccount) -> Result<(), Failure> {
    check_tenant(&new.tenant_id)?;
    check_patch(&new.context)
}
