//! The check of the token right before a call is sent: whether it has expired or been refused since it was read.

use std::rc::Rc;

use futures_util::FutureExt;

use crate::account::freshness::Freshness;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::renewal::TokenWait;
use crate::flows::base::within::within;
use crate::flows::tokens::credential_actions::CredentialActions;
use crate::flows::tokens::refresh::token_endpoint;
use crate::flows::tokens::refused::RefusedCredential;
use crate::ports::{Outside, Storage};
use crate::time::Timestamp;

impl<O: Outside, S: Storage> RefusedCredential<O, S> {
    /// Why a call waits before it sends this account's token; `None` if it does not.
    pub(in crate::flows) fn wait_before_sending(
        &self,
        loaded: &LoadedAccount,
    ) -> Option<TokenWait> {
        if self.refresh.is_refreshing() && self.refusals.wants_refresh() {
            return Some(TokenWait::Refused);
        }
        let now = self.base.outside().now();
        let freshness = loaded.token().map(|token| Freshness::of(token, now));
        (freshness == Some(Freshness::Expired)).then_some(TokenWait::Expired)
    }

    /// Waits for a token. If a refresh after a refusal fails, the call is sent with the old token: the provider may refuse it
    /// on one path and accept it on others.
    pub(in crate::flows) async fn wait_for_token<A: CredentialActions>(
        &self,
        actions: &Rc<A>,
        wait: TokenWait,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<(), Failure> {
        if wait == TokenWait::Expired {
            return self
                .refresh
                .fresh(actions, Rc::clone(loaded), deadline)
                .await
                .map(drop);
        }
        let Some(mut refreshing) = self.refresh.refreshing() else {
            return Ok(());
        };
        let ended = refreshing.wait_for(Option::is_some).map(drop);
        let left = deadline.since(self.base.outside().now());
        let ended = within(self.base.outside(), left, ended).await;
        ended.ok_or_else(|| token_endpoint("it has not answered in time"))
    }
}
