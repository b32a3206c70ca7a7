//! What a call looks at in the moment before it is sent: the account as it is, and whether its token is worth sending.

use std::rc::Rc;

use futures_util::FutureExt;

use crate::account::freshness::Freshness;
use crate::error::Failure;
use crate::flows::account_object::refresh::token_endpoint;
use crate::flows::account_object::{AccountObject, LoadedAccount, State};
use crate::flows::base::within::within;
use crate::ports::{Outside, Storage};
use crate::time::Timestamp;

/// Why a call waits for another token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum TokenWait {
    /// The provider has refused this one, and a refresh is under way.
    Refused,
    /// It expired while the call waited.
    Expired,
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// The account as it is now; nothing where it is gone.
    pub(in crate::flows) fn present(&self) -> Option<Rc<LoadedAccount>> {
        match self.state() {
            State::Here(loaded) => Some(loaded),
            State::Unread | State::Missing => None,
        }
    }

    /// Whether a call waits before it sends this account's token.
    pub(in crate::flows) fn wait_before_sending(
        &self,
        loaded: &LoadedAccount,
    ) -> Option<TokenWait> {
        if self.is_refreshing() && self.refusals.wants_refresh() {
            return Some(TokenWait::Refused);
        }
        let now = self.outside.now();
        let freshness = loaded.token().map(|token| Freshness::of(token, now));
        (freshness == Some(Freshness::Expired)).then_some(TokenWait::Expired)
    }

    /// Waits for a token. A refresh for a refusal that fails leaves the token as it is: the provider may refuse it on one
    /// path and take it on others.
    pub(in crate::flows) async fn wait_for_token(
        self: &Rc<Self>,
        wait: TokenWait,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<(), Failure> {
        if wait == TokenWait::Expired {
            return self.fresh(Rc::clone(loaded), deadline).await.map(drop);
        }
        let Some(mut under_way) = self.refreshing.borrow().clone() else {
            return Ok(());
        };
        let ended = under_way.wait_for(Option::is_some).map(drop);
        let left = deadline.since(self.outside.now());
        let ended = within(&self.outside, left, ended).await;
        ended.ok_or_else(|| token_endpoint("it has not answered in time"))
    }
}
