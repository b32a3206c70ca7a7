//! What a discovery looks up, and what the file says about it.

use serde_json::json;
use url::Url;

use crate::config::credentials::OAuth2;
use crate::config::source::Sources;
use crate::expression::{AllowedHosts, Pins, PlainHttp, Template, TemplateScope};
use crate::oauth::OAuthError;
use crate::oauth::discovery::{DiscoveryError, ResourceMetadata};

/// What is asked for.
pub(super) struct Lookup<'c> {
    pub(super) resource: Url,
    /// The only issuer that counts, where the file has one.
    issuer: Option<String>,
    /// Whether that one is the operator's choice: nothing of the account is in it.
    pub(super) fixes_issuer: bool,
    pub(super) may_lack_iss: bool,
    pub(super) plain_http: PlainHttp,
    hosts: Option<&'c AllowedHosts>,
}

impl<'c> Lookup<'c> {
    pub(super) fn of(
        config: &OAuth2,
        scope: &TemplateScope,
        pins: &Pins,
        hosts: Option<&'c AllowedHosts>,
    ) -> Result<Self, OAuthError> {
        let discover = config.auth.discover.as_ref();
        let discover = discover.ok_or(OAuthError::NoEndpoint("authorization"))?;
        let template = config.auth.issuer.as_ref();
        let issuer = template.map(|issuer| issuer.text(scope)).transpose()?;
        let issuer = issuer.flatten().filter(|issuer| !issuer.is_empty());
        let fixes_issuer = issuer.is_some() && template.is_some_and(is_operators);
        Ok(Self {
            resource: discover.render(scope, pins)?,
            issuer,
            fixes_issuer,
            may_lack_iss: config.auth.issuer_optional && fixes_issuer,
            plain_http: pins.plain_http,
            hosts,
        })
    }

    /// What the result depends on.
    pub(super) fn key(&self) -> String {
        let Self {
            resource,
            issuer,
            fixes_issuer,
            may_lack_iss,
            plain_http: _,
            hosts,
        } = self;
        json!([resource, issuer, fixes_issuer, may_lack_iss, hosts]).to_string()
    }

    /// Whether a document may be read there: at the resource itself, at the issuer that the file fixes, or at one of
    /// `allowed_hosts`.
    pub(super) fn permits(&self, url: &Url) -> bool {
        let own = self.issuer.as_deref().filter(|_| self.fixes_issuer);
        let own = own.and_then(|issuer| Url::parse(issuer).ok());
        url.origin() == self.resource.origin()
            || own.is_some_and(|issuer| issuer.origin() == url.origin())
            || self
                .hosts
                .is_none_or(|hosts| hosts.permits(url, self.plain_http))
    }

    /// The issuer of the file, else the first that the resource names (RFC 9728 §7.6).
    pub(super) fn chosen(&self, resource: &ResourceMetadata) -> Result<String, DiscoveryError> {
        match &self.issuer {
            Some(issuer) if resource.servers.contains(issuer) => Ok(issuer.clone()),
            Some(_) => Err(DiscoveryError::OtherIssuer),
            None => resource
                .servers
                .first()
                .cloned()
                .ok_or(DiscoveryError::NoServer),
        }
    }
}

fn is_operators(issuer: &Template) -> bool {
    let sources = Sources::of(issuer);
    sources.context.is_empty() && !sources.whole_context
}

/// A resource without metadata: its origin is the issuer, and its own URL without the slash of an empty path the resource.
pub(super) fn own_server(resource: &Url) -> ResourceMetadata {
    let text = resource.as_str();
    let bare = text.strip_suffix('/').filter(|_| resource.path() == "/");
    ResourceMetadata {
        resource: bare.unwrap_or(text).to_owned(),
        servers: vec![resource.origin().ascii_serialization()],
        scopes: Vec::new(),
    }
}
