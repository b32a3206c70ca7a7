//! What an account can be asked.

use serde_json::{Value, json};

use crate::error::Failure;
use crate::flows::account::capabilities::{Holder, granted, resources};
use crate::flows::account_object::AccountObject;
use crate::ports::{Outside, Sees, Storage};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// What it can be asked.
    pub(in crate::flows) async fn capabilities(&self, sees: &Sees) -> Result<Value, Failure> {
        let loaded = self.visible(sees).await?;
        let resolved = self.resolved_config(&loaded.account).await?;
        let config = &resolved.compiled.config;
        let scopes = granted(config, &loaded.account, &loaded.context);
        let holder = Holder::Account(&loaded.account, scopes.clone());
        Ok(json!({
            "id": loaded.account.id,
            "integration": resolved.integration.view(),
            "status": loaded.account.status,
            "is_sandbox": loaded.account.is_sandbox,
            "granted_scopes": scopes,
            "resources": resources(config, &holder),
        }))
    }
}
