//! Storing an account whose credentials the caller already has.

use serde_json::Value;

use crate::account::Account;
use crate::account::origin::Origin;
use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::account::contents::Contents;
use crate::flows::account::event::EventType;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::lifecycle::account_edits::AccountEdits;
use crate::flows::messages::account::AccountView;
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> AccountEdits<O, S> {
    /// Stores an account with the credentials in its context. It becomes active when the index has it.
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
        let mut contents = Contents::empty();
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
        let new = LoadedAccount::new(stored.clone());
        let events = [EventType::Created, EventType::Active];
        let next = self
            .changes
            .next(&resolved, &new, active, &contents, &events)?;
        let loaded = self.changes.create(&resolved, &stored, next).await?;
        self.record.view(&loaded).await
    }
}
