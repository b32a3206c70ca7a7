//! The actions of the file that concern the credential. An action makes calls, and a call can need a new token: this trait
//! breaks that cycle. `actions/` implements it.

use std::rc::Rc;

use crate::config::{CustomToken, action};
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::tokens::grant::Attempt;
use crate::json::Exact;
use crate::oauth::TokenReply;
use crate::time::Timestamp;

/// The action that gets an account its tokens: the only one that may change `oauth.token`.
pub const REFRESH_TOKEN: &str = action::REFRESH;
/// The action that gets a token for the code of a callback.
pub const EXCHANGE_CODE: &str = action::EXCHANGE;
/// The action that checks a credential.
pub const VALIDATION: &str = "validation";

/// Why the steps of a `custom_token` run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum TokenNeed {
    /// The account gets its first token. It need not be stored yet.
    Connect,
    /// The account needs another token.
    Refresh,
}

/// The actions of an account that concern its credential. `'static`, because a refresh outlives the call that started it.
pub(in crate::flows) trait CredentialActions: 'static {
    /// Gets a token by the file's `refresh_token` action and stores it.
    async fn refresh_token(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
    ) -> Result<(), Attempt>;

    /// Gets a token by the steps of a `custom_token`, without storing it.
    async fn custom_token(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        custom: &CustomToken,
        need: TokenNeed,
    ) -> Result<TokenReply, Attempt>;

    /// Gets a token by the file's `exchange_code` action, without storing it. The account need not be stored yet.
    async fn exchange_code(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        input: Exact,
    ) -> Result<TokenReply, Attempt>;

    /// Runs the file's `validation` action without storing its changes. Returns how many requests the provider answered.
    async fn validate(
        &self,
        resolved: &ResolvedConfig,
        loaded: &Rc<LoadedAccount>,
        deadline: Timestamp,
    ) -> Result<usize, Failure>;
}
