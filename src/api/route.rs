//! Which URL means what: the one place that knows our paths.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::proxy::Target;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `GET` or `HEAD` `/health`
    Health,
    /// `GET` or `HEAD` `/`
    Home,
    /// `GET` or `HEAD` `/integration.schema.json`
    IntegrationSchema,
    /// `GET` or `HEAD` `/openapi.json`
    OpenApi,
    /// The data plane.
    Call(Target),
    /// `POST /proxy/_/{action}`
    Action(String),
    /// What a customer sees.
    Connect(ConnectRoute),
    /// What providers send.
    Webhook(WebhookRoute),
    /// Everything that configures.
    Admin(AdminRoute),
}

/// Where providers send to, by `POST`, and by `GET` for a handshake; ids, each with its signature, are not
/// parsed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookRoute {
    /// `/integrated-account-webhook/{id}`
    Account(String),
    /// `/environment-integration-webhook/{id}`
    Install(String),
}

/// The pages of connecting; an integration by its slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectRoute {
    /// `GET /connect`
    Choose,
    /// `GET /connect/{integration}`
    Form(String),
    /// `POST /connect/{integration}`
    Submit(String),
    /// `GET` or `POST /connect/{integration}/callback`
    Callback(String),
}

/// The rows of the admin table; ids are not parsed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminRoute {
    /// `GET /environment`
    ListEnvironments,
    /// `POST /environment`
    CreateEnvironment,
    /// `GET /environment/{id}`
    GetEnvironment(String),
    /// `PATCH /environment/{id}`
    ChangeEnvironment(String),
    /// `DELETE /environment/{id}`
    DeleteEnvironment(String),
    /// `GET /api-token`
    ListTokens,
    /// `POST /api-token`
    CreateToken,
    /// `DELETE /api-token/{id}`
    DeleteToken(String),
    /// `GET /integration`
    ListIntegrations,
    /// `POST /integration`
    CreateIntegration,
    /// `POST /integration/validate`
    ValidateIntegration,
    /// `GET /integration/{id or name}`
    GetIntegration(String),
    /// `PUT /integration/{name}`
    ReplaceIntegration(String),
    /// `PATCH /integration/{id or name}`
    ChangeIntegration(String),
    /// `DELETE /integration/{id or name}`
    DeleteIntegration(String),
    /// `GET /environment-integration`
    ListInstalls,
    /// `POST /environment-integration`
    CreateInstall,
    /// `GET /environment-integration/{id}`
    GetInstall(String),
    /// `PATCH /environment-integration/{id}`
    ChangeInstall(String),
    /// `DELETE /environment-integration/{id}`
    DeleteInstall(String),
    /// `GET /integrated-account`
    ListAccounts,
    /// `POST /integrated-account`
    ImportAccount,
    /// `GET /integrated-account/{id}`
    GetAccount(String),
    /// `DELETE /integrated-account/{id}`
    DeleteAccount(String),
    /// `PATCH /integrated-account/{id}`
    ChangeAccount(String),
    /// `PATCH /integrated-account/{id}/credentials`
    ReplaceCredentials(String),
    /// `POST /integrated-account/refresh-credentials`
    RefreshCredentials,
    /// `POST /integrated-account/token`
    CreateAccountToken,
    /// `POST /integrated-account/bulk-delete`
    DeleteAccounts,
    /// `GET /link-token`
    ListLinks,
    /// `POST /link-token`
    CreateLink,
    /// `DELETE /link-token/{id}`
    DeleteLink(String),
    /// `GET /webhook`
    ListWebhooks,
    /// `POST /webhook`
    CreateWebhook,
    /// `GET /webhook/{id}`
    GetWebhook(String),
    /// `PATCH /webhook/{id}`
    ChangeWebhook(String),
    /// `DELETE /webhook/{id}`
    DeleteWebhook(String),
    /// `POST /webhook/{id}/rotate-secret`
    RotateWebhookSecret(String),
    /// `POST /webhook/test`
    TestWebhook,
    /// `GET /event`
    ListEvents,
    /// `GET /event/{id}`
    GetEvent(String),
    /// `GET /log`
    ListLog,
    /// `GET /integration/{id or name}/capabilities`
    GetIntegrationCapabilities(String),
    /// `GET /integrated-account/{id}/capabilities`
    GetAccountCapabilities(String),
    /// `POST /event/{id}/replay`
    ReplayEvent(String),
    /// `POST /event/replay`
    ReplayEvents,
    /// `POST /sealing/rotate`
    RotateSealing,
    /// `GET /sealing`
    GetSealing,
    /// `GET /integrated-account/me`
    GetMe,
    /// `PATCH /integrated-account/me`
    ChangeMe,
}

/// The outcome of looking a path up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This is it.
    Route(Route),
    /// The path exists with these methods (an `Allow` list).
    OtherMethods(String),
    /// No such path.
    Nothing,
}

const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Finds the route of a method and a percent-encoded path.
pub fn find(method: &Method, path: &str) -> Found {
    if let Some(route) = route(method, path) {
        return Found::Route(route);
    }
    let others: Vec<_> = METHODS
        .iter()
        .filter(|other| route(other, path).is_some())
        .map(Method::as_str)
        .collect();
    if others.is_empty() {
        Found::Nothing
    } else {
        Found::OtherMethods(others.join(", "))
    }
}

/// The part of a path behind `/custom`, as it was written.
fn custom_path(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/custom")?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

fn route(method: &Method, path: &str) -> Option<Route> {
    use AdminRoute as A;

    if let Some(rest) = custom_path(path) {
        return Some(Route::Call(Target::Custom {
            path: rest.to_owned(),
        }));
    }
    if path == "/" {
        return matches!(*method, Method::GET | Method::HEAD).then_some(Route::Home);
    }
    let segments = decode(path)?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let owned = |text: &&str| (*text).to_owned();
    let admin = match (method.as_str(), segments.as_slice()) {
        ("GET" | "HEAD", ["health"]) => return Some(Route::Health),
        ("GET" | "HEAD", ["openapi.json"]) => return Some(Route::OpenApi),
        ("GET" | "HEAD", ["integration.schema.json"]) => return Some(Route::IntegrationSchema),
        // `_` is no resource.
        ("POST", ["proxy", "_", action]) => return Some(Route::Action(owned(action))),
        (_, ["proxy", "_", ..]) => return None,
        ("GET" | "POST", ["integrated-account-webhook", id]) => {
            return Some(Route::Webhook(WebhookRoute::Account(owned(id))));
        }
        ("GET" | "POST", ["environment-integration-webhook", id]) => {
            return Some(Route::Webhook(WebhookRoute::Install(owned(id))));
        }
        (verb, ["connect", rest @ ..]) => return connect_route(verb, rest).map(Route::Connect),
        (_, ["proxy", rest @ ..]) => return proxy_target(method.as_str(), rest).map(Route::Call),
        ("GET", ["environment"]) => A::ListEnvironments,
        ("POST", ["environment"]) => A::CreateEnvironment,
        ("GET", ["environment", id]) => A::GetEnvironment(owned(id)),
        ("PATCH", ["environment", id]) => A::ChangeEnvironment(owned(id)),
        ("DELETE", ["environment", id]) => A::DeleteEnvironment(owned(id)),
        ("GET", ["api-token"]) => A::ListTokens,
        ("POST", ["api-token"]) => A::CreateToken,
        ("DELETE", ["api-token", id]) => A::DeleteToken(owned(id)),
        ("GET", ["integration"]) => A::ListIntegrations,
        ("POST", ["integration"]) => A::CreateIntegration,
        ("POST", ["integration", "validate"]) => A::ValidateIntegration,
        ("GET", ["integration", key]) => A::GetIntegration(owned(key)),
        ("PUT", ["integration", name]) => A::ReplaceIntegration(owned(name)),
        ("PATCH", ["integration", key]) => A::ChangeIntegration(owned(key)),
        ("DELETE", ["integration", key]) => A::DeleteIntegration(owned(key)),
        ("GET", ["environment-integration"]) => A::ListInstalls,
        ("POST", ["environment-integration"]) => A::CreateInstall,
        ("GET", ["environment-integration", id]) => A::GetInstall(owned(id)),
        ("PATCH", ["environment-integration", id]) => A::ChangeInstall(owned(id)),
        ("DELETE", ["environment-integration", id]) => A::DeleteInstall(owned(id)),
        ("GET", ["integrated-account"]) => A::ListAccounts,
        ("POST", ["integrated-account"]) => A::ImportAccount,
        ("GET", ["link-token"]) => A::ListLinks,
        ("POST", ["link-token"]) => A::CreateLink,
        ("DELETE", ["link-token", id]) => A::DeleteLink(owned(id)),
        ("GET", ["webhook"]) => A::ListWebhooks,
        ("POST", ["webhook"]) => A::CreateWebhook,
        ("POST", ["webhook", "test"]) => A::TestWebhook,
        ("GET", ["webhook", id]) => A::GetWebhook(owned(id)),
        ("PATCH", ["webhook", id]) => A::ChangeWebhook(owned(id)),
        ("DELETE", ["webhook", id]) => A::DeleteWebhook(owned(id)),
        ("POST", ["webhook", id, "rotate-secret"]) => A::RotateWebhookSecret(owned(id)),
        ("GET", ["event"]) => A::ListEvents,
        ("POST", ["event", "replay"]) => A::ReplayEvents,
        ("GET", ["event", id]) => A::GetEvent(owned(id)),
        ("POST", ["event", id, "replay"]) => A::ReplayEvent(owned(id)),
        ("GET", ["log"]) => A::ListLog,
        ("GET", ["integration", key, "capabilities"]) => A::GetIntegrationCapabilities(owned(key)),
        ("GET", ["integrated-account", id, "capabilities"]) => A::GetAccountCapabilities(owned(id)),
        ("POST", ["sealing", "rotate"]) => A::RotateSealing,
        ("GET", ["sealing"]) => A::GetSealing,
        ("GET", ["integrated-account", "me"]) => A::GetMe,
        ("PATCH", ["integrated-account", "me"]) => A::ChangeMe,
        ("POST", ["integrated-account", "refresh-credentials"]) => A::RefreshCredentials,
        ("POST", ["integrated-account", "token"]) => A::CreateAccountToken,
        ("POST", ["integrated-account", "bulk-delete"]) => A::DeleteAccounts,
        ("PATCH", ["integrated-account", id]) => A::ChangeAccount(owned(id)),
        ("PATCH", ["integrated-account", id, "credentials"]) => A::ReplaceCredentials(owned(id)),
        ("GET", ["integrated-account", id]) => A::GetAccount(owned(id)),
        ("DELETE", ["integrated-account", id]) => A::DeleteAccount(owned(id)),
        _ => return None,
    };
    Some(Route::Admin(admin))
}

fn connect_route(verb: &str, rest: &[&str]) -> Option<ConnectRoute> {
    match (verb, rest) {
        ("GET", []) => Some(ConnectRoute::Choose),
        ("GET", [name]) => Some(ConnectRoute::Form((*name).to_owned())),
        ("POST", [name]) => Some(ConnectRoute::Submit((*name).to_owned())),
        ("GET" | "POST", [name, "callback"]) => Some(ConnectRoute::Callback((*name).to_owned())),
        _ => None,
    }
}

fn proxy_target(verb: &str, rest: &[&str]) -> Option<Target> {
    let (resource, method, id) = match (verb, rest) {
        ("GET", [resource]) => (resource, "list", None),
        ("POST", [resource]) => (resource, "create", None),
        ("GET", [resource, id]) => (resource, "get", Some(id)),
        ("PATCH" | "PUT", [resource, id]) => (resource, "update", Some(id)),
        ("DELETE", [resource, id]) => (resource, "delete", Some(id)),
        ("POST", [resource, method]) => (resource, *method, None),
        _ => return None,
    };
    Some(Target::Method {
        resource: (*resource).to_owned(),
        method: method.to_owned(),
        id: id.map(|id| (*id).to_owned()),
    })
}

/// The segments between the slashes, decoded one by one, so that an id may hold an encoded slash.
fn decode(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let segments = path.split('/').map(|segment| {
        percent_decode_str(segment)
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .ok()
    });
    segments
        .collect::<Option<Vec<_>>>()
        .filter(|segments| segments.iter().all(|segment| !segment.is_empty()))
}

#[cfg(test)]
mod tests;
