//! Deletes an account. Its token is revoked at the provider afterwards.

use std::rc::Rc;

use futures_util::FutureExt;
use serde_json::json;

use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::event::EventType;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::record::AccountRecord;
use crate::flows::tokens::grant::TokenEndpoint;
use crate::ports::{Outside, Storage, Visibility};

pub(in crate::flows) struct Deletion<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    outbox: Rc<Outbox<O, S>>,
    endpoint: Rc<TokenEndpoint<O, S>>,
}

impl<O: Outside, S: Storage> Deletion<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        outbox: &Rc<Outbox<O, S>>,
        endpoint: &Rc<TokenEndpoint<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            outbox: Rc::clone(outbox),
            endpoint: Rc::clone(endpoint),
        }
    }

    /// Deletes the account in one write. The index is updated now, or later by the alarm.
    pub(in crate::flows) async fn delete(&self, visibility: &Visibility) -> Result<(), Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        let loaded = self.record.visible(visibility).await?;
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
            self.base.outside().spawn(work.boxed_local());
        }
        Ok(())
    }
}
