//! Importing an account whose credentials the caller already has.

use serde_json::Value;

use crate::account::keys::Dotted;
use crate::account::status::Status;
use crate::account::{Account, keys};
use crate::config::reserved::Trusted;
use crate::error::{Code, Failure};
use crate::flows::base::records::InstallRecord;
use crate::flows::messages::account::{AccountAsk, AccountView};
use crate::flows::messages::environment::EnvironmentAsk;
use crate::flows::messages::{ask_account, ask_environment};
use crate::ids::{AccountId, EnvironmentId, InstallId, Placement, Region};
use crate::json;
use crate::ports::Outside;
use crate::settings::{CONTEXT_BYTES, CONTEXT_VALUES};

const MAX_TENANT_CHARS: usize = 255;

/// What the caller says of the account.
pub struct NewAccount {
    /// The caller's own name for the customer.
    pub tenant_id: String,
    /// Through which install.
    pub install: InstallId,
    /// Its context, secrets included.
    pub context: Value,
    /// The format of its credential.
    pub authentication_method: String,
    /// Where it shall live.
    pub region: Region,
    /// Whether it refuses writes.
    pub is_sandbox: bool,
}

/// Stores it in its region; it is active when this returns.
pub async fn import_account(
    outside: &impl Outside,
    environment: EnvironmentId,
    new: NewAccount,
) -> Result<AccountView, Failure> {
    check(&new)?;
    let install: Option<InstallRecord> = ask_environment(
        outside,
        environment,
        &EnvironmentAsk::FindInstall(new.install),
    )
    .await?;
    let install = install.ok_or_else(|| Failure::not_found("environment integration"))?;
    if !install.is_enabled {
        return Err(install_disabled());
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
    ask_account(outside, id, &AccountAsk::Import(Box::new(account))).await
}

/// The install is there, and switched off.
pub fn install_disabled() -> Failure {
    Failure::new(
        Code::InstallDisabled,
        "This integration is disabled in this environment (is_enabled is false).",
    )
}

fn check(new: &NewAccount) -> Result<(), Failure> {
    check_tenant(&new.tenant_id)?;
    check_patch(&new.context)
}

/// 1 to 255 characters.
pub fn check_tenant(tenant_id: &str) -> Result<(), Failure> {
    if tenant_id.is_empty() || tenant_id.chars().count() > MAX_TENANT_CHARS {
        return Err(Failure::invalid(
            "tenant_id",
            format!("needs 1 to {MAX_TENANT_CHARS} characters"),
        ));
    }
    Ok(())
}

/// What the application writes of a context: an object of the size of one, without dots in its keys.
pub fn check_patch(patch: &Value) -> Result<(), Failure> {
    check_context(patch)?;
    keys::check_all(patch).map_err(dotted)
}

/// A whole context: an object of at most [`CONTEXT_BYTES`].
pub fn check_context(context: &Value) -> Result<(), Failure> {
    if !context.is_object() {
        return Err(Failure::invalid("context", "is not an object"));
    }
    if json::length(context) > CONTEXT_BYTES {
        return Err(context_too_large(CONTEXT_BYTES));
    }
    if json::is_more(context, CONTEXT_VALUES) {
        let words = format!("has more than {CONTEXT_VALUES} values");
        return Err(Failure::invalid("context", words));
    }
    Ok(())
}

/// 422 for a key with a dot in it.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
pub fn dotted(key: Dotted) -> Failure {
    Failure::invalid("context", key.to_string())
}

/// 422 for a context of more than `most` bytes.
pub fn context_too_large(most: usize) -> Failure {
    Failure::invalid("context", format!("is over {most} bytes as JSON"))
}
