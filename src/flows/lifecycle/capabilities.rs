//! What an account can be asked.

use crate::error::Failure;
use crate::flows::account::capabilities::{AccountCapabilities, granted, of_account, resources};
use crate::flows::lifecycle::account_edits::AccountEdits;
use crate::ports::{Outside, Storage, Visibility};

impl<O: Outside, S: Storage> AccountEdits<O, S> {
    /// What it can be asked.
    pub(in crate::flows) async fn capabilities(
        &self,
        sees: &Visibility,
    ) -> Result<AccountCapabilities, Failure> {
        let loaded = self.record.visible(sees).await?;
        let resolved = self.record.resolved_config(&loaded.account).await?;
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
}
