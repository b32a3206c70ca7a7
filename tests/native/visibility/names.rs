//! What a request of each route names.

use causeway::api::route::{AdminRoute as A, ConnectRoute, Route, WebhookRoute};

/// What a request names. It decides what a token of another environment gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// The gateway itself, or integrations: they belong to no environment.
    Shared,
    /// An environment, or one record of an environment by its id: 404 for a foreign token.
    Record,
    /// Several records by their ids, each answered by itself: `not_found` for a foreign token.
    Records,
    /// The account of the account token that calls.
    Own,
    /// What a link token, or the `state` of a login, is for: the bearer token is not looked at.
    Link,
    /// The account of the MCP token in the path: the bearer token is not looked at.
    Mcp,
    /// An account or install that a provider sends to: its signature is the proof.
    Signed,
    /// An install whose OAuth client has a document that is public.
    Public,
}

/// The matches have no wildcard: a new route does not compile without its line.
pub fn names(route: &Route) -> Names {
    match route {
        Route::Home | Route::Health | Route::IntegrationSchema | Route::OpenApi => Names::Shared,
        Route::ClientDocument(_) => Names::Public,
        Route::Mcp(_) => Names::Mcp,
        Route::Call(_) | Route::Action(_) | Route::Batch | Route::Changes | Route::Record(_) => {
            Names::Record
        }
        Route::Connect(
            ConnectRoute::Choose
            | ConnectRoute::Form(_)
            | ConnectRoute::Submit(_)
            | ConnectRoute::Callback(_),
        ) => Names::Link,
        Route::Webhook(WebhookRoute::Account(_) | WebhookRoute::Install(_)) => Names::Signed,
        Route::Admin(admin) => named_by_admin(admin),
    }
}

fn named_by_admin(route: &A) -> Names {
    match route {
        A::ListCategories
        | A::ListIntegrations
        | A::CreateIntegration
        | A::ValidateIntegration
        | A::GetIntegration(_)
        | A::ReplaceIntegration(_)
        | A::ChangeIntegration(_)
        | A::DeleteIntegration(_)
        | A::GetIntegrationCapabilities(_)
        | A::ListIntegrationTools(_)
        | A::ListEnvironments
        | A::CreateEnvironment
        | A::RotateSealing
        | A::GetSealing => Names::Shared,
        A::GetEnvironment(_)
        | A::ChangeEnvironment(_)
        | A::DeleteEnvironment(_)
        | A::ListApiTokens
        | A::CreateApiToken
        | A::DeleteApiToken(_)
        | A::ListInstalls
        | A::CreateInstall
        | A::GetInstall(_)
        | A::ChangeInstall(_)
        | A::DeleteInstall(_)
        | A::ListAccounts
        | A::ImportAccount
        | A::GetAccount(_)
        | A::DeleteAccount(_)
        | A::ChangeAccount(_)
        | A::ReplaceCredentials(_)
        | A::RefreshCredentials
        | A::CreateAccountToken
        | A::ListLinkTokens
        | A::CreateLinkToken
        | A::DeleteLinkToken(_)
        | A::ListWebhooks
        | A::CreateWebhook
        | A::GetWebhook(_)
        | A::ChangeWebhook(_)
        | A::DeleteWebhook(_)
        | A::RotateWebhookSecret(_)
        | A::TestWebhook
        | A::ListEvents
        | A::GetEvent(_)
        | A::ListLog
        | A::ListSyncs
        | A::RunSync(_)
        | A::ChangeSync(_)
        | A::StopSync(_)
        | A::ResetSync(_)
        | A::ListSyncRuns
        | A::GetAccountCapabilities(_)
        | A::ListAccountTools(_)
        | A::ListMcpTokens(_)
        | A::CreateMcpToken(_)
        | A::GetMcpToken(..)
        | A::DeleteMcpToken(..)
        | A::ShowHostKey(_)
        | A::ReplayEvent(_)
        | A::ReplayEvents => Names::Record,
        A::DeleteAccounts => Names::Records,
        A::GetMe | A::ChangeMe => Names::Own,
    }
}
