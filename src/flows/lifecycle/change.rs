//! Changes of an account by the operator. The index is updated first, then one write stores the rest.

use serde_json::Value;

use crate::account::origin::Origin;
use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::account::account_tokens::unknown_token;
use crate::flows::account::changes::refuse_host_keys;
use crate::flows::account::contents::Contents;
use crate::flows::account::event::EventType;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::base::context_limits::{check_context, check_patch, check_tenant};
use crate::flows::config::resolved_config::Compiled;
use crate::flows::lifecycle::account_edits::AccountEdits;
use crate::flows::lifecycle::import::gets_token;
use crate::flows::lifecycle::own_override::change_override;
use crate::flows::messages::account::{AccountChange, AccountView};
use crate::ports::{Outside, Storage, Visibility};

impl<O: Outside, S: Storage> AccountEdits<O, S> {
    /// Changes the account, except for values that decide to which host or for whom its secrets are sent.
    pub(in crate::flows) async fn change(
        &self,
        visibility: &Visibility,
        change: AccountChange,
    ) -> Result<AccountView, Failure> {
        if matches!(visibility, Visibility::AccountToken(_)) {
            return Err(unknown_token());
        }
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.record.visible(visibility).await?;
        let resolved = self
            .record
            .resolved_config_to_change(&loaded.account)
            .await?;
        let mut account = loaded.account.clone();
        let mut contents = Contents::of(&loaded);
        if let Some(patch) = &change.context {
            check_patch(patch)?;
            resolved.compiled.refuse_padded(patch, &loaded.sealed)?;
            contents.write(Origin::Operator, patch)?;
            check_context(contents.context())?;
            let method = &account.authentication_method;
            refuse_host_keys(
                &resolved.compiled,
                method,
                &loaded.context,
                contents.context(),
            )?;
        }
        if let Some(tenant_id) = change.tenant_id {
            check_tenant(&tenant_id)?;
            account.tenant_id = tenant_id;
        }
        account.is_sandbox = change.is_sandbox.unwrap_or(account.is_sandbox);
        if let Some(patch) = &change.integration_override {
            change_override(&self.base, &mut account, patch).await?;
        }
        self.changes
            .store(&loaded, account, &contents, &[EventType::Updated])
            .await
    }

    /// Replaces the credentials of an account that needs no set-up.
    pub(super) async fn replace_credentials(
        &self,
        visibility: &Visibility,
        patch: &Value,
    ) -> Result<AccountView, Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.record.visible(visibility).await?;
        let resolved = self.record.resolved_config(&loaded.account).await?;
        let contents = with_credentials(&resolved.compiled, &loaded, patch)?;
        let mut account = loaded.account.clone();
        let mut events = vec![EventType::Updated];
        if account.status == Status::NeedsReauth {
            account.status = Status::Active;
            events.push(EventType::Reactivated);
        }
        account.last_error = None;
        account.last_forbidden_error = None;
        let changed = self.changes.store(&loaded, account, &contents, &events);
        let view = changed.await?;
        if gets_another(&resolved.compiled, &loaded, patch) {
            // What refused the old values has not seen the new ones.
            self.calls.tokens().refresh().pauses().end();
        }
        Ok(view)
    }
}

/// The account's context with new credentials merged into it. If they name another host, the stored secrets are dropped
/// first.
pub(super) fn with_credentials(
    compiled: &Compiled,
    loaded: &LoadedAccount,
    patch: &Value,
) -> Result<Contents, Failure> {
    check_patch(patch)?;
    compiled.refuse_padded(patch, &loaded.sealed)?;
    let method = &loaded.account.authentication_method;
    let mut contents = Contents::of(loaded);
    contents.give(Origin::Operator, patch)?;
    if refuse_host_keys(compiled, method, &loaded.context, contents.context()).is_err() {
        contents = Contents::of(loaded);
        contents.drop_secrets(compiled);
        contents.give(Origin::Operator, patch)?;
    }
    if gets_another(compiled, loaded, patch) {
        // It was got with the old values; the set-up or the next call gets one with the new ones.
        contents.drop_token();
    }
    check_context(contents.context())?;
    contents.complete(|context| compiled.complete_context(method, context))?;
    Ok(contents)
}

/// Whether the new values alone give another token.
fn gets_another(compiled: &Compiled, loaded: &LoadedAccount, patch: &Value) -> bool {
    let method = &loaded.account.authentication_method;
    let credential = compiled.config.credential(method);
    credential.is_some_and(gets_token) && patch.pointer("/oauth/token").is_none()
}
