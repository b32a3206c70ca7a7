//! The OAuth token of an account: how the account gets it, its one refresh for all calls that need it, the schedule of
//! refreshes, and the consequences of a refused credential. It uses `account` and `config`.

pub(in crate::flows) mod also;
mod also_failures;
pub(in crate::flows) mod before_sending;
pub(in crate::flows) mod credential_actions;
pub(in crate::flows) mod credential_status;
pub(in crate::flows) mod discover;
pub(in crate::flows) mod grant;
pub(in crate::flows) mod refresh;
pub(in crate::flows) mod refresh_schedule;
pub(in crate::flows) mod refused;
pub(in crate::flows) mod suspicion;

use std::rc::Rc;

use crate::flows::account::base::Base;
use crate::flows::account::changes::Changes;
use crate::flows::account::oauth_token::TokenStore;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::schedule::Schedule;
use crate::flows::account::unclear::UnclearRefusals;
use crate::flows::tokens::also::AlsoTokens;
use crate::flows::tokens::credential_status::CredentialStatus;
use crate::flows::tokens::grant::TokenEndpoint;
use crate::flows::tokens::refresh::TokenRefresh;
use crate::flows::tokens::refresh_schedule::RefreshSchedule;
use crate::flows::tokens::refused::{Refusals, RefusedCredential};
use crate::flows::tokens::suspicion::SuspicionStore;
use crate::ports::{Outside, Storage};

/// The components that [`Tokens`] is built on.
pub(in crate::flows) struct TokenStores<'a, O, S> {
    pub(in crate::flows) oauth_token: &'a Rc<TokenStore<O, S>>,
    pub(in crate::flows) unclear_refusals: &'a Rc<UnclearRefusals<O, S>>,
    pub(in crate::flows) suspicions: &'a Rc<SuspicionStore<O, S>>,
    pub(in crate::flows) refusals: &'a Rc<Refusals>,
}

pub(in crate::flows) struct Tokens<O, S> {
    endpoint: Rc<TokenEndpoint<O, S>>,
    refresh: Rc<TokenRefresh<O, S>>,
    schedule: Rc<RefreshSchedule<O, S>>,
    refused: RefusedCredential<O, S>,
    also: Rc<AlsoTokens<O, S>>,
}

/// Held while a grant is used: a refresh token may be good for one request.
pub(in crate::flows) type GrantLock = tokio::sync::Mutex<()>;

impl<O: Outside, S: Storage> Tokens<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        changes: &Rc<Changes<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
        stores: &TokenStores<'_, O, S>,
    ) -> Self {
        let endpoint = Rc::new(TokenEndpoint::new(base, record));
        let status = CredentialStatus::new(base, record, changes, stores.unclear_refusals);
        let status = Rc::new(status);
        let grants = Rc::new(GrantLock::default());
        let refusals = stores.refusals;
        let also = AlsoTokens::new(base, record, &endpoint, refusals, &grants);
        let refresh = Rc::new(TokenRefresh::new(
            base,
            record,
            schedule,
            &endpoint,
            &status,
            stores.oauth_token,
            (refusals, &grants),
        ));
        let schedule = RefreshSchedule::new(base, record, schedule, &refresh, stores.oauth_token);
        Self {
            schedule: Rc::new(schedule),
            refused: RefusedCredential::new(
                base,
                record,
                &refresh,
                &status,
                stores.suspicions,
                stores.refusals,
            ),
            endpoint,
            refresh,
            also: Rc::new(also),
        }
    }

    pub(in crate::flows) fn also(&self) -> &Rc<AlsoTokens<O, S>> {
        &self.also
    }

    pub(in crate::flows) fn endpoint(&self) -> &Rc<TokenEndpoint<O, S>> {
        &self.endpoint
    }

    pub(in crate::flows) fn refresh(&self) -> &Rc<TokenRefresh<O, S>> {
        &self.refresh
    }

    pub(in crate::flows) fn schedule(&self) -> &Rc<RefreshSchedule<O, S>> {
        &self.schedule
    }

    pub(in crate::flows) fn refused(&self) -> &RefusedCredential<O, S> {
        &self.refused
    }
}
