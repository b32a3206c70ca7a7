//! Stores a change of the account in one write: its row, its token and its events.

use std::rc::Rc;

use crate::account::status::Status;
use crate::error::Failure;
use crate::flows::account::account_store::AccountStore;
use crate::flows::account::event::Event;
use crate::flows::account::oauth_token::TokenStore;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::row::{AccountRow, Next, NextToken};
use crate::flows::account::stored::{Components, Stored};
use crate::flows::account::unclear::UnclearRefusals;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};

/// The tables that a change of the account is written to.
pub(in crate::flows) struct Rows<O, S> {
    store: Rc<AccountStore<O, S>>,
    token_store: Rc<TokenStore<O, S>>,
    unclear_refusals: Rc<UnclearRefusals<O, S>>,
    outbox: Rc<Outbox<O, S>>,
    components: Rc<Components>,
}

impl<O: Outside, S: Storage> Rows<O, S> {
    pub(in crate::flows) fn new(
        store: &Rc<AccountStore<O, S>>,
        token_store: &Rc<TokenStore<O, S>>,
        unclear_refusals: &Rc<UnclearRefusals<O, S>>,
        outbox: &Rc<Outbox<O, S>>,
        components: &Rc<Components>,
    ) -> Self {
        Self {
            store: Rc::clone(store),
            token_store: Rc::clone(token_store),
            unclear_refusals: Rc::clone(unclear_refusals),
            outbox: Rc::clone(outbox),
            components: Rc::clone(components),
        }
    }

    /// The row with the token; `None` if this storage never held an account.
    pub(in crate::flows) fn read(&self) -> Result<Option<AccountRow>, Failure> {
        let Some(row) = self.store.read()? else {
            return Ok(None);
        };
        let token = self.token_store.read()?;
        Ok(Some(AccountRow { token, ..row }))
    }

    /// Stores this account and clears the pending change.
    pub(super) fn commit(&self, next: &Next) -> Result<(), Failure> {
        self.forget_unclear_by(next)?;
        self.store.commit(next)?;
        match &next.token {
            NextToken::Keep => {}
            NextToken::Delete => self.token_store.clear()?,
            NextToken::Replace(sealed) => {
                self.token_store.write(sealed)?;
                self.token_store.pauses().end();
            }
        }
        // The index has one key id for the secrets and the token, so both are sealed with the first key.
        self.token_store.reseal()?;
        let environment = next.account.environment_id;
        Ok(self.outbox.write_events(environment, &next.events)?)
    }

    /// Deletes everything of the account in one write. Its environment stays for the index, and its events stay.
    pub(in crate::flows) fn wipe(
        &self,
        environment: EnvironmentId,
        events: &[Event],
    ) -> Result<(), StorageFault> {
        self.components.wipe(environment)?;
        self.outbox.write_events(environment, events)
    }

    /// Forgets the unclear refusals if the change brings another credential or reactivates the account. It runs before
    /// the commit, since it compares the change with the stored row.
    fn forget_unclear_by(&self, next: &Next) -> Result<(), Failure> {
        if self.unclear_refusals.since()?.is_some() && self.is_fresh_start(next)? {
            self.unclear_refusals.forget()?;
        }
        Ok(())
    }

    fn is_fresh_start(&self, next: &Next) -> Result<bool, Failure> {
        let Some(row) = self.read()? else {
            return Ok(true);
        };
        let has_other_token = match &next.token {
            NextToken::Keep => false,
            NextToken::Delete => row.token.is_some(),
            NextToken::Replace(_) => true,
        };
        let was_active = row
            .account
            .is_some_and(|account| account.status == Status::Active);
        let is_reactivated = next.account.status == Status::Active && !was_active;
        let secrets = self.store.opened(next.sealed.as_deref())?;
        Ok(has_other_token || is_reactivated || secrets != row.secrets)
    }
}
