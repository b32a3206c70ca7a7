//! What is stored in one write when an account changes: its row, its token, the end of unclear refusals, its events.

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

    /// The row with the token; `None` when this storage never held one.
    pub(in crate::flows) fn read(&self) -> Result<Option<AccountRow>, Failure> {
        let Some(row) = self.store.read()? else {
            return Ok(None);
        };
        let token = self.token_store.read()?;
        Ok(Some(AccountRow { token, ..row }))
    }

    /// From now on this counts, and nothing is pending.
    pub(super) fn commit(&self, next: &Next) -> Result<(), Failure> {
        self.forget_unclear_by(next)?;
        self.store.commit(next)?;
        match &next.token {
            NextToken::Stays => {}
            NextToken::Goes => self.token_store.clear()?,
            NextToken::Is(sealed) => {
                self.token_store.write(sealed)?;
                self.token_store.pauses().end();
            }
        }
        // The index names one key for both: the first.
        self.token_store.reseal()?;
        let environment = next.account.environment_id;
        Ok(self.outbox.write_events(environment, &next.events)?)
    }

    /// Everything of the account goes at once; only the way out of the index is left, and the events.
    pub(in crate::flows) fn wipe(
        &self,
        environment: EnvironmentId,
        events: &[Event],
    ) -> Result<(), StorageFault> {
        self.components.wipe(environment)?;
        self.outbox.write_events(environment, events)
    }

    /// Ends the time where a change brings another credential, or the account back into use. Asked before the change is
    /// written, in the same write.
    fn forget_unclear_by(&self, next: &Next) -> Result<(), Failure> {
        if self.unclear_refusals.since()?.is_some() && self.begins_again(next)? {
            self.unclear_refusals.forget()?;
        }
        Ok(())
    }

    fn begins_again(&self, next: &Next) -> Result<bool, Failure> {
        let Some(row) = self.read()? else {
            return Ok(true);
        };
        let has_other_token = match &next.token {
            NextToken::Stays => false,
            NextToken::Goes => row.token.is_some(),
            NextToken::Is(_) => true,
        };
        let was_active = row
            .account
            .is_some_and(|account| account.status == Status::Active);
        let is_back = next.account.status == Status::Active && !was_active;
        let secrets = self.store.opened(next.sealed.as_deref())?;
        Ok(has_other_token || is_back || secrets != row.secrets)
    }
}
