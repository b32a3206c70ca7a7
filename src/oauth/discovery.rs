//! Where a protected resource gets its tokens, as it says itself: the MCP specification of 2025-11-25, "Authorization",
//! which puts RFC 9728 (resource) and RFC 8414 (authorization server) together. Documents are bytes here; fetching them
//! is the flows' work.

use serde_json::Value;
use url::{Host, Url};

use crate::config::credentials::ClientAuthMethod;
use crate::expression::PlainHttp;
use crate::json;
use crate::settings::SMALL_ANSWER_VALUES;

use super::token_server::ServerEndpoints;

mod challenge;
mod resource;
mod server;

pub use challenge::Challenge;
pub use resource::{ResourceMetadata, read_resource, resource_metadata_urls};
pub use server::{read_server, server_metadata_urls};

/// The longest URL or scope of a document.
const LONGEST: usize = 2_000;
/// The most entries of a list that are looked at.
const ENTRIES: usize = 100;

/// An authorization server that can be used, and how a client gets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveredServer {
    pub endpoints: ServerEndpoints,
    /// Where clients are registered (RFC 7591 §3).
    pub registration_endpoint: Option<Url>,
    /// How clients may authenticate at the token endpoint; those that the gateway knows.
    pub auth_methods: Vec<ClientAuthMethod>,
    /// Whether the id of a client may be the URL of its metadata document: the server says so, and for an account its
    /// callbacks also say where they come from, or the file fixes the issuer.
    pub takes_documents: bool,
}

/// Why what a server says of itself is not used. The texts are fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// Neither the resource nor its origin has metadata.
    #[error("the server does not say how to sign in: it has no metadata (RFC 9728, RFC 8414)")]
    NoMetadata,
    /// No JSON object, or too large a one.
    #[error("the metadata at `{0}` cannot be read")]
    Unreadable(&'static str),
    #[error("the metadata is over 64 KiB, or broke off")]
    NotRead,
    /// RFC 9728 §3.3.
    #[error(
        "the resource metadata is of another resource than the one that was asked (RFC 9728, section 3.3)"
    )]
    Resource,
    /// RFC 9728 §2.
    #[error(
        "the resource metadata names no authorization server that can be used (RFC 9728, section 2)"
    )]
    NoServer,
    /// The file fixes the issuer.
    #[error("the resource does not use the authorization server of `auth.issuer`")]
    OtherIssuer,
    /// RFC 8414 §3.3.
    #[error(
        "the server metadata is of another issuer than the one that was asked (RFC 8414, section 3.3)"
    )]
    Issuer,
    /// An endpoint is missing, or is no address of this kind.
    #[error("`{0}` of the server metadata is missing, or is not an https URL")]
    Endpoint(&'static str),
    /// An endpoint is at an address that no request goes to.
    #[error("`{0}` of the metadata is at a private address, or at none")]
    Address(&'static str),
    /// A document or an endpoint is at a host that the file does not allow.
    #[error("`{0}` of the metadata is at a host that is not one of `allowed_hosts`")]
    NotAllowed(&'static str),
    /// The MCP specification, "Authorization Code Protection".
    #[error(
        "the authorization server does not announce PKCE by `S256` (`code_challenge_methods_supported`)"
    )]
    NoPkce,
    /// RFC 8414 §2.
    #[error("the authorization server does not announce the authorization code grant")]
    NoCode,
    /// RFC 9700 §4.4: without `iss` a code of another server could be had by this one.
    #[error(
        "the authorization endpoint is at another host than the issuer, and the server does not announce `iss` (RFC 9207)"
    )]
    NoIss,
}

fn object(body: &[u8], of: &'static str) -> Result<Value, DiscoveryError> {
    let read = json::read_at_most(body, SMALL_ANSWER_VALUES).filter(Value::is_object);
    read.ok_or(DiscoveryError::Unreadable(of))
}

/// An address for requests: https, no user, no fragment.
fn address(text: &str, plain_http: PlainHttp) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST)?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let has_host = matches!(
        url.host(),
        Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_))
    );
    let fits = is_plain && has_host && url.fragment().is_none();
    Some(url).filter(|url| fits && plain_http.permits_scheme(url.scheme()))
}

/// The texts of a list; without the list `None`.
fn texts<'v>(document: &'v Value, key: &str) -> Option<Vec<&'v str>> {
    let items = document.get(key)?.as_array()?.iter().take(ENTRIES);
    Some(items.filter_map(Value::as_str).collect())
}

fn has(document: &Value, key: &str, wanted: &str) -> Option<bool> {
    Some(texts(document, key)?.contains(&wanted))
}

/// `/.well-known/…` in front of the path (RFC 8414 §3.1, RFC 9728 §3.1).
fn inserted(url: &Url, name: &str) -> Url {
    let path = url.path().trim_end_matches('/');
    let mut well_known = url.clone();
    well_known.set_path(&format!("/.well-known/{name}{path}"));
    well_known
}

/// What RFC 6749 §3.3 allows in a scope.
fn is_scope(text: &str) -> bool {
    let is_allowed = |b: u8| (0x21..=0x7e).contains(&b) && b != b'"' && b != b'\\';
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(is_allowed)
}

fn scopes<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    let valid = texts.filter(|text| is_scope(text)).take(ENTRIES);
    valid.map(str::to_owned).collect()
}
