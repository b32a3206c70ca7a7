//! Who may call what. The match is exhaustive: a new route does not compile without its line.

use super::caller::Caller;
use super::route::{AdminRoute as A, Route};
use crate::error::Failure;
use crate::flows::base::records::TokenScope;

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Anybody.
    Open,
    /// The admin token only.
    AdminToken,
    /// An account's own token only.
    AccountToken,
    /// The admin token, or an API token with this scope (`admin` stands for all).
    Scope(TokenScope),
}

/// The part of an override that only the admin token may write, as the documentation says it.
const OVERRIDES: &str = "Of an override, only the admin token may write what changes a host or what signs requests in, and what reads a secret.";

/// What of a route's request only the admin token may write: the second column of the table. `Caller::writer` says who
/// writes, `config::reserved` what is such an entry.
pub fn reserved(route: &Route) -> Option<&'static str> {
    match route {
        Route::Admin(A::CreateInstall | A::ChangeInstall(_) | A::ChangeAccount(_)) => {
            Some(OVERRIDES)
        }
        // Everything of them is the admin token's, or nothing is.
        Route::Admin(_)
        | Route::Home
        | Route::Health
        | Route::IntegrationSchema
        | Route::OpenApi
        | Route::Connect(_)
        | Route::Webhook(_)
        | Route::Call(_)
        | Route::Action(_) => None,
    }
}

/// The right a route asks for.
pub fn needed(route: &Route) -> Right {
    match route {
        Route::Home
        | Route::Health
        | Route::IntegrationSchema
        | Route::OpenApi
        | Route::Connect(_)
        | Route::Webhook(_) => Right::Open,
        Route::Call(_) | Route::Action(_) => Right::Scope(TokenScope::Proxy),
        Route::Admin(route) => needed_by_admin(route),
    }
}

fn needed_by_admin(route: &A) -> Right {
    match route {
        A::ListEnvironments
        | A::CreateEnvironment
        | A::GetEnvironment(_)
        | A::ChangeEnvironment(_)
        | A::DeleteEnvironment(_)
        | A::CreateIntegration
        | A::ReplaceIntegration(_)
        | A::ChangeIntegration(_)
        | A::DeleteIntegration(_)
        | A::RotateSealing
        | A::GetSealing => Right::AdminToken,
        A::ListTokens
        | A::ListIntegrations
        | A::ValidateIntegration
        | A::GetIntegration(_)
        | A::ListInstalls
        | A::ListLinks
        | A::ListWebhooks
        | A::GetWebhook(_)
        | A::ListEvents
        | A::GetEvent(_)
        | A::ListLog
        | A::GetIntegrationCapabilities(_)
        | A::GetAccountCapabilities(_)
        | A::GetInstall(_)
        | A::ListAccounts
        | A::GetAccount(_) => Right::Scope(TokenScope::Read),
        A::ImportAccount
        | A::CreateLink
        | A::DeleteLink(_)
        | A::ChangeAccount(_)
        | A::ReplaceCredentials(_)
        | A::RefreshCredentials => Right::Scope(TokenScope::Connect),
        A::CreateAccountToken => Right::Scope(TokenScope::Proxy),
        A::GetMe | A::ChangeMe => Right::AccountToken,
        A::CreateToken
        | A::DeleteToken(_)
        | A::CreateInstall
        | A::ChangeInstall(_)
        | A::DeleteInstall(_)
        | A::CreateWebhook
        | A::ChangeWebhook(_)
        | A::DeleteWebhook(_)
        | A::RotateWebhookSecret(_)
        | A::TestWebhook
        | A::ReplayEvent(_)
        | A::ReplayEvents
        | A::DeleteAccount(_)
        | A::DeleteAccounts => Right::Scope(TokenScope::Admin),
    }
}

/// 403 when the caller may not.
pub(super) fn check(caller: &Caller, needed: Right) -> Result<(), Failure> {
    match needed {
        Right::Open => Ok(()),
        Right::AdminToken => caller.must_be_admin(),
        Right::AccountToken => caller.must_be_account(),
        Right::Scope(scope) => caller.must_have(scope),
    }
}
