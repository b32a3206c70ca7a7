//! Deletes an account. The file's `pre_delete` runs before, and its token is revoked at the provider afterwards.

use std::rc::Rc;

use futures_util::FutureExt;
use serde_json::json;

use crate::config::action::PRE_DELETE;
use crate::error::{Code, Failure};
use crate::flows::account::base::Base;
use crate::flows::account::event::EventType;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::record::AccountRecord;
use crate::flows::actions::{NamedAction, run_action};
use crate::flows::base::within::within;
use crate::flows::call::account::LiveAccount;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::call::subject::sandbox_refusal;
use crate::flows::tokens::grant::TokenEndpoint;
use crate::json::Exact;
use crate::ports::{Outside, Storage, Visibility};
use crate::settings::TOKEN_TIMEOUT;

pub(in crate::flows) struct Deletion<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    outbox: Rc<Outbox<O, S>>,
    endpoint: Rc<TokenEndpoint<O, S>>,
    calls: Rc<AccountCalls<O, S>>,
}

impl<O: Outside, S: Storage> Deletion<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        outbox: &Rc<Outbox<O, S>>,
        endpoint: &Rc<TokenEndpoint<O, S>>,
        calls: &Rc<AccountCalls<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            outbox: Rc::clone(outbox),
            endpoint: Rc::clone(endpoint),
            calls: Rc::clone(calls),
        }
    }

    /// Lets the file end at the provider what it began there. The account is deleted in any case: a provider that does not
    /// answer keeps no customer from leaving.
    async fn run_pre_delete(&self, visibility: &Visibility) -> Result<(), Failure> {
        let loaded = self.record.visible(visibility).await?;
        let Ok(resolved) = self.record.resolved_config(&loaded.account).await else {
            return Ok(());
        };
        let config = &resolved.compiled.config;
        let Some(action) = NamedAction::find(config, PRE_DELETE) else {
            return Ok(());
        };
        loaded.account.status.check_callable()?;
        if loaded.account.is_sandbox && action.may_write(config) {
            return Err(sandbox_refusal());
        }
        let deadline = self.base.outside().now().plus(TOKEN_TIMEOUT);
        let fresh = self.calls.fresh(loaded, deadline).await?;
        let (calls, input) = (&*self.calls, Exact::default());
        let outcome = run_action(calls, &fresh, &resolved, action, input, deadline);
        let outcome = within(self.base.outside(), TOKEN_TIMEOUT, outcome).await;
        outcome.unwrap_or_else(|| Err(Failure::new(Code::Timeout, "It did not end in time.")))?;
        Ok(())
    }

    /// Deletes the account in one write. The index is updated now, or later by the alarm.
    pub(in crate::flows) async fn delete(&self, visibility: &Visibility) -> Result<(), Failure> {
        self.record.visible(visibility).await?;
        if let Err(failure) = Box::pin(self.run_pre_delete(visibility)).await {
            self.base.log("pre_delete_failed", failure.code.as_str());
        }
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
