//! How an account comes and goes. What the index knows of it is written to `Directory` first and
//! counts once that has answered; a restart at any point in between is finished at the next
//! request or by the alarm.

use std::rc::Rc;

use futures_util::FutureExt;
use serde_json::{Value, json};

use crate::account::Account;
use crate::account::origin::Origin;
use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::account::contents::Contents;
use crate::flows::account::event::EventType;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::messages::account::AccountView;
use crate::flows::object::AccountObject;
use crate::ports::{Outside, Storage, Visibility};

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Stores an account with credentials it already has; it counts when the index has it.
    pub(in crate::flows) async fn import(
        &self,
        mut account: Account,
    ) -> Result<AccountView, Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        if self.record.settled().await?.is_some() {
            return Err(Failure::duplicate(
                "integrated account",
                &account.id.to_string(),
            ));
        }
        let resolved = self.record.resolved_config(&account).await?;
        let compiled = &resolved.compiled;
        compiled.check_credential(&account.authentication_method)?;
        compiled.refuse_padded(&account.context, &Value::Null)?;
        let mut contents = Contents::nothing();
        contents.write(Origin::Operator, &account.context.take())?;
        contents.complete(|context| {
            compiled.complete_context(&account.authentication_method, context)
        })?;
        let stored = Account {
            context: contents.split(compiled).0,
            status: Status::Connecting,
            ..account.clone()
        };
        let active = Account {
            status: Status::Active,
            ..stored.clone()
        };
        let new = LoadedAccount::of_nothing(stored.clone());
        let events = [EventType::Created, EventType::Active];
        let next = self
            .changes
            .next(&resolved, &new, active, &contents, &events)?;
        let loaded = self.changes.arrive(&resolved, &stored, next).await?;
        self.record.view(&loaded).await
    }

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
            self.base.outside.go_on(work.boxed_local());
        }
        Ok(())
    }
}
