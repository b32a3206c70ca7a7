//! How an account ends: it is erased at once, its token revoked at the provider afterwards.

use std::rc::Rc;

use futures_util::FutureExt;
use serde_json::json;

use crate::error::Failure;
use crate::flows::account::event::EventType;
use crate::flows::lifecycle::account_edits::AccountEdits;
use crate::ports::{Outside, Storage, Visibility};

impl<O: Outside, S: Storage> AccountEdits<O, S> {
    /// Erases the account at once; the index follows, now or by alarm.
    pub(in crate::flows) async fn delete(&self, sees: &Visibility) -> Result<(), Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.record.visible(sees).await?;
        let resolved = self.record.resolved_config(&loaded.account).await;
        let account = &loaded.account;
        let payload = json!({
            "id": account.id,
            "tenant_id": account.tenant_id,
            "environment_id": account.environment_id,
            "environment_integration_id": account.environment_integration_id,
        });
        let event = self.outbox.event(EventType::Deleted, &payload)?;
        self.record
            .withdraw(account.environment_id, &[event])
            .await?;
        if let Ok(resolved) = resolved {
            let (endpoint, loaded) = (Rc::clone(&self.endpoint), Rc::clone(&loaded));
            let work = async move { endpoint.revoke(&resolved, &loaded).await };
            self.base.outside().go_on(work.boxed_local());
        }
        Ok(())
    }
}
