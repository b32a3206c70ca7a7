//! The discovery of an account's authorization server: its requests, in the order of the MCP specification. Nothing of
//! what a server says is stored or cached before all of it was checked.

use std::rc::Rc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::config::credentials::OAuth2;
use crate::flows::base::body;
use crate::flows::base::within::within;
use crate::flows::config::resolved_config::Compiled;
use crate::flows::tokens::grant::TokenEndpoint;
use crate::oauth::OAuthError;
use crate::oauth::discovery::{
    Challenge, DiscoveredServer, DiscoveryError, ResourceMetadata, read_resource, read_server,
    resource_metadata_urls, server_metadata_urls,
};
use crate::ports::{Body, Outgoing, Outside, Reply, Storage};
use crate::proxy::guard;
use crate::settings::{
    DISCOVERY_BYTES, DISCOVERY_REQUEST_TIMEOUT, DISCOVERY_TIMEOUT, PrivateUpstreams,
};

mod lookup;

use lookup::{Lookup, own_server};

/// Why there is no server for an account.
pub(in crate::flows) enum DiscoveryFailure {
    /// What the server says is not used.
    Refused(DiscoveryError),
    /// It did not answer in time, or cannot answer now.
    Unreachable,
    /// The file does not give an address.
    File(OAuthError),
}

impl From<DiscoveryError> for DiscoveryFailure {
    fn from(error: DiscoveryError) -> Self {
        Self::Refused(error)
    }
}

/// A document that was read, and the bytes that were.
type Found<T> = (T, usize);

impl<O: Outside, S: Storage> TokenEndpoint<O, S> {
    /// The authorization server of the resource that `auth.discover` names, with these values.
    pub(in crate::flows) async fn discover(
        &self,
        compiled: &Compiled,
        config: &OAuth2,
        context: &Value,
    ) -> Result<Rc<DiscoveredServer>, DiscoveryFailure> {
        let hosts = compiled.config.allowed_hosts.as_ref();
        let lookup = self.with_scope(compiled, context, |scope, pins| {
            Lookup::of(config, scope, pins, hosts)
        });
        let lookup = lookup.map_err(DiscoveryFailure::File)?;
        self.check_address(&lookup.resource, "resource")?;
        let key = lookup.key();
        let isolate = self.base.isolate();
        let known = isolate.discovered(&key, self.base.outside().now());
        let server = if let Some(server) = known {
            server
        } else {
            let found = within(
                self.base.outside(),
                DISCOVERY_TIMEOUT,
                self.look_up(&lookup),
            );
            let (server, bytes) = found.await.unwrap_or(Err(DiscoveryFailure::Unreachable))?;
            let server = Rc::new(server);
            isolate.keep_discovered(key, bytes, self.base.outside().now(), &server);
            server
        };
        self.check_endpoints(compiled, &server)?;
        Ok(server)
    }

    async fn look_up(
        &self,
        lookup: &Lookup<'_>,
    ) -> Result<Found<DiscoveredServer>, DiscoveryFailure> {
        let challenge = self.challenge(&lookup.resource).await?;
        let (resource, bytes) = match self.resource(lookup, &challenge).await? {
            Some(found) => found,
            // Servers of the MCP specification of 2025-03-26 are their own authorization servers (§2.3.2).
            None => (own_server(&lookup.resource), 0),
        };
        let issuer = lookup.chosen(&resource)?;
        let asked = (issuer.as_str(), resource.resource.as_str());
        let (mut server, more) = self.server(lookup, asked).await?;
        // A document's URL is the same id at every server, where the customer may have consented before. One that sends the
        // browser on to another server gets that one's code, unless `iss` or the file says which it is (RFC 9700 §4.4).
        server.takes_documents &= server.endpoints.sends_iss || lookup.fixes_issuer;
        let is_challenged = !challenge.scopes.is_empty();
        server.endpoints.scopes = if is_challenged {
            challenge.scopes
        } else {
            resource.scopes
        };
        Ok((server, bytes.saturating_add(more)))
    }

    /// What the resource says to a request without a token. Its answer is not read.
    async fn challenge(&self, resource: &Url) -> Result<Challenge, DiscoveryFailure> {
        let hello = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "causeway", "version": env!("CARGO_PKG_VERSION") },
        } });
        let mut headers = headers("application/json, text/event-stream");
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let request = Outgoing {
            method: Method::POST,
            url: resource.clone(),
            headers,
            body: Body::from_bytes(hello.to_string()),
            timeout: DISCOVERY_REQUEST_TIMEOUT,
        };
        let reply = self.base.outside().send(request).await;
        let reply = reply.map_err(|_| DiscoveryFailure::Unreachable)?;
        Ok(match reply.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Challenge::read(&reply.headers),
            _ => Challenge::default(),
        })
    }

    /// Where the challenge says, else at the well-known places.
    async fn resource(
        &self,
        lookup: &Lookup<'_>,
        challenge: &Challenge,
    ) -> Result<Option<Found<ResourceMetadata>>, DiscoveryFailure> {
        let named = challenge.resource_metadata.as_deref();
        let urls = match named {
            Some(text) => {
                let url =
                    Url::parse(text).map_err(|_| DiscoveryError::Address("resource_metadata"))?;
                vec![url]
            }
            None => resource_metadata_urls(&lookup.resource),
        };
        for url in urls {
            let Some(body) = self.document(lookup, &url, "resource_metadata").await? else {
                continue;
            };
            let read = read_resource(&body, &lookup.resource, lookup.plain_http)?;
            return Ok(Some((read, body.len())));
        }
        Ok(None)
    }

    async fn server(
        &self,
        lookup: &Lookup<'_>,
        asked: (&str, &str),
    ) -> Result<Found<DiscoveredServer>, DiscoveryFailure> {
        let urls = server_metadata_urls(asked.0, lookup.plain_http);
        for url in urls.ok_or(DiscoveryError::NoServer)? {
            let Some(body) = self.document(lookup, &url, "authorization_servers").await? else {
                continue;
            };
            let read = read_server(&body, asked, lookup.may_lack_iss, lookup.plain_http)?;
            return Ok((read, body.len()));
        }
        Err(DiscoveryError::NoMetadata.into())
    }

    /// A document at a host that the file allows; `None` where there is none. Redirects are not followed: they would lead
    /// to another address than the one that was checked.
    async fn document(
        &self,
        lookup: &Lookup<'_>,
        url: &Url,
        name: &'static str,
    ) -> Result<Option<Bytes>, DiscoveryFailure> {
        self.check_address(url, name)?;
        if !lookup.permits(url) {
            return Err(DiscoveryError::NotAllowed(name).into());
        }
        let request = Outgoing {
            method: Method::GET,
            url: url.clone(),
            headers: headers("application/json"),
            body: Body::Empty,
            timeout: DISCOVERY_REQUEST_TIMEOUT,
        };
        let read = async {
            let reply = self.base.outside().send(request).await;
            let reply = reply.map_err(|_| DiscoveryFailure::Unreachable)?;
            match reply.status.as_u16() {
                200..=299 => self.read(reply).await.map(Some),
                408 | 425 | 429 | 500.. => Err(DiscoveryFailure::Unreachable),
                _ => Ok(None),
            }
        };
        let read = within(self.base.outside(), DISCOVERY_REQUEST_TIMEOUT, read).await;
        read.unwrap_or(Err(DiscoveryFailure::Unreachable))
    }

    async fn read(&self, reply: Reply<O::Stream>) -> Result<Bytes, DiscoveryFailure> {
        let room = self.base.isolate().room();
        let read = body::read_at_most(&reply.headers, reply.body, DISCOVERY_BYTES, &room).await;
        read.ok_or(DiscoveryError::NotRead.into())
    }

    /// Every address that something is sent to later, by what the file and the operator allow now.
    fn check_endpoints(
        &self,
        compiled: &Compiled,
        server: &DiscoveredServer,
    ) -> Result<(), DiscoveryFailure> {
        let pins = compiled.pins(self.base.outside().settings());
        let endpoints = &server.endpoints;
        for (name, url) in [
            (
                "authorization_endpoint",
                Some(&endpoints.authorization_endpoint),
            ),
            ("token_endpoint", Some(&endpoints.token_endpoint)),
            (
                "revocation_endpoint",
                endpoints.revocation_endpoint.as_ref(),
            ),
            (
                "registration_endpoint",
                server.registration_endpoint.as_ref(),
            ),
        ] {
            let Some(url) = url else { continue };
            self.check_address(url, name)?;
            let hosts = pins.allowed_hosts;
            if hosts.is_some_and(|hosts| !hosts.permits(url, pins.plain_http)) {
                return Err(DiscoveryError::NotAllowed(name).into());
            }
        }
        Ok(())
    }

    fn check_address(&self, url: &Url, name: &'static str) -> Result<(), DiscoveryFailure> {
        let private: PrivateUpstreams = self.base.outside().settings().private_upstreams;
        guard::check(url, private).map_err(|_| DiscoveryError::Address(name).into())
    }
}

fn headers(accept: &'static str) -> HeaderMap {
    let agent = concat!("causeway/", env!("CARGO_PKG_VERSION"));
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static(accept)),
        (USER_AGENT, HeaderValue::from_static(agent)),
    ])
}
