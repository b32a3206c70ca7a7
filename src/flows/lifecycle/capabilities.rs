//! The capabilities of an account: the methods of its resources that a caller can use.

use crate::error::Failure;
use crate::flows::account::capabilities::{AccountCapabilities, granted, of_account, resources};
use crate::flows::account::record::AccountRecord;
use crate::ports::{Outside, Storage, Visibility};

pub(in crate::flows) async fn capabilities<O: Outside, S: Storage>(
    record: &AccountRecord<O, S>,
    visibility: &Visibility,
) -> Result<AccountCapabilities, Failure> {
    let loaded = record.visible(visibility).await?;
    let resolved = record.resolved_config(&loaded.account).await?;
    let config = &resolved.compiled.config;
    let scopes = granted(config, &loaded.account, &loaded.context);
    let is_sandbox = loaded.account.is_sandbox;
    let resources = resources(config, |method| {
        of_account(method, is_sandbox, scopes.as_deref())
    });
    Ok(AccountCapabilities {
        id: loaded.account.id,
        integration: resolved.integration.view(),
        status: loaded.account.status,
        is_sandbox,
        granted_scopes: scopes,
        resources,
    })
}
