//! What a call looks at in the moment before it is sent: the account as it is, and whether its token is worth sending.

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
    /// Whether a call waits before it sends this account's token.
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

    /// Waits for a token. A refresh for a refusal that fails leaves the token as it is: the provider may refuse it on one
    /// path and take it on others.
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
        let Some(mut under_way) = self.refresh.refreshing() else {
            return Ok(());
        };
        let ended = under_way.wait_for(Option::is_some).map(drop);
        let left = deadline.since(self.base.outside().now());
        let ended = within(self.base.outside(), left, ended).await;
        ended.ok_or_else(|| token_endpoint("it has not answered in time"))
    }
}
