//! Finds the route of a request: the first row of the table (`super::table`) that fits its method and path.

use http::Method;
use percent_encoding::percent_decode_str;

use super::path_id::PathId;
use super::rights::Right;
use super::table::rows;
use crate::config::files::FILES;
use crate::proxy::Target;

pub use super::path_id::{IntegrationKey, SyncName};
pub use super::table::AdminRoute;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/health`
    Health,
    /// `/`
    Home,
    /// `/integration.schema.json`
    IntegrationSchema,
    /// `/openapi.json`
    OpenApi,
    /// `/oauth-client/{id}`
    ClientDocument(String),
    /// `/batch-request`
    Batch,
    /// `/mcp/{token}`
    Mcp(String),
    /// The data plane.
    Call(Target),
    /// `/proxy/_/{action}`
    Action(String),
    /// `GET /record`
    Changes,
    /// `GET /record/{id}`
    Record(String),
    /// What a customer sees.
    Connect(ConnectRoute),
    /// What providers send.
    Webhook(WebhookRoute),
    /// Everything that configures.
    Admin(AdminRoute),
}

/// The webhooks of providers; ids, each with its signature, are not parsed yet.
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

/// The outcome of looking a path up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteMatch {
    /// The route.
    Route(Route),
    /// The path exists with these methods (an `Allow` list).
    OtherMethods(String),
    /// No such path.
    Nothing,
}

/// One route: a method and a path, the right they need, and what they mean.
pub struct RouteRow {
    /// Its methods; the first is the one that is documented.
    pub methods: &'static [&'static str],
    /// Its path, a parameter in braces.
    pub path: &'static str,
    /// What it needs.
    pub right: Right,
    /// The route, with the values of the path's parameters; `None` where they do not fit.
    pub(super) route: fn(&PathParameters<'_>) -> Option<Route>,
}

/// The decoded values of a path's parameters, in the order of the path.
pub(super) struct PathParameters<'a>(Vec<&'a str>);

impl PathParameters<'_> {
    /// The first of them.
    fn first(&self) -> Option<String> {
        self.0.first().map(|text| (*text).to_owned())
    }

    /// The first of them as the id of a record.
    pub(super) fn id<I>(&self) -> Option<PathId<I>> {
        self.nth_id(0)
    }

    /// One of them as the id of a record.
    pub(super) fn nth_id<I>(&self, place: usize) -> Option<PathId<I>> {
        let text = self.0.get(place)?;
        Some(PathId::new((*text).to_owned()))
    }

    pub(super) fn connect(&self, page: fn(String) -> ConnectRoute) -> Option<Route> {
        self.first().map(page).map(Route::Connect)
    }

    pub(super) fn webhook(&self, of: fn(String) -> WebhookRoute) -> Option<Route> {
        self.first().map(of).map(Route::Webhook)
    }

    pub(super) fn action(&self) -> Option<Route> {
        self.first().map(Route::Action)
    }

    pub(super) fn mcp(&self) -> Option<Route> {
        self.first().map(Route::Mcp)
    }

    pub(super) fn record(&self) -> Option<Route> {
        self.first().map(Route::Record)
    }

    pub(super) fn client_document(&self) -> Option<Route> {
        self.first().map(Route::ClientDocument)
    }

    /// A call of this method of a resource; with an id where the path has one.
    pub(super) fn call(&self, method: &str) -> Option<Route> {
        self.target(method, self.0.get(1).copied())
    }

    /// A call of the method that the path names.
    pub(super) fn named_call(&self) -> Option<Route> {
        self.target(self.0.get(1)?, None)
    }

    /// A call of this method of the resource that each integration with a server of SFTP has.
    pub(super) fn files(&self, method: &str) -> Route {
        Route::Call(Target::Method {
            resource: FILES.to_owned(),
            method: method.to_owned(),
            id: self.first(),
        })
    }

    fn target(&self, method: &str, id: Option<&str>) -> Option<Route> {
        // `_` is no resource: actions are below it.
        let resource = self.first().filter(|resource| resource != "_")?;
        Some(Route::Call(Target::Method {
            resource,
            method: method.to_owned(),
            id: id.map(str::to_owned),
        }))
    }
}

impl RouteRow {
    fn find(&self, method: &Method, segments: &[String]) -> Option<Route> {
        if !self.methods.contains(&method.as_str()) {
            return None;
        }
        (self.route)(&self.parameters(segments)?)
    }

    fn parameters<'a>(&self, segments: &'a [String]) -> Option<PathParameters<'a>> {
        let mut patterns = segments_of(self.path);
        let mut values = Vec::new();
        for segment in segments {
            let pattern = patterns.next()?;
            if pattern.starts_with('{') {
                values.push(segment.as_str());
            } else if pattern != segment {
                return None;
            }
        }
        patterns.next().is_none().then_some(PathParameters(values))
    }
}

/// The segments of a row's path.
fn segments_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

const METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// The route of a method and a percent-encoded path.
pub fn find(method: &Method, path: &str) -> RouteMatch {
    lookup(method, path).map_or_else(
        || other_methods(path),
        |(_, route)| RouteMatch::Route(route),
    )
}

/// The same, with the right that the route needs.
pub(super) fn lookup(method: &Method, path: &str) -> Option<(Right, Route)> {
    // The provider's own path stays as it was written, and any method goes on to it.
    if let Some(rest) = custom_path(path) {
        let path = rest.to_owned();
        return Some((Right::Call, Route::Call(Target::Custom { path })));
    }
    let segments = decode(path)?;
    rows().find_map(|row| Some((row.right, row.find(method, &segments)?)))
}

/// The methods of a path for which the one of the request has no route.
pub(super) fn other_methods(path: &str) -> RouteMatch {
    let others: Vec<_> = METHODS
        .iter()
        .filter(|other| lookup(other, path).is_some())
        .map(Method::as_str)
        .collect();
    if others.is_empty() {
        RouteMatch::Nothing
    } else {
        RouteMatch::OtherMethods(others.join(", "))
    }
}

/// Whether a path is one of the provider's.
pub(super) fn is_call(path: &str) -> bool {
    custom_path(path).is_some()
}

/// Whether a path is one of an MCP client's.
pub(super) fn is_mcp(path: &str) -> bool {
    decode(path).is_some_and(|segments| segments.first().is_some_and(|first| first == "mcp"))
}

/// The part of a path behind `/custom`, as it was written.
fn custom_path(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/custom")?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// The segments between the slashes, decoded one by one, so that an id may hold an encoded slash.
fn decode(path: &str) -> Option<Vec<String>> {
    if path == "/" {
        return Some(Vec::new());
    }
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
