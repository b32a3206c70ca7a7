//! The authorization server and the client of a login, where the file does not name them: the server is discovered, the
//! client is registered once per install and server, or is named by its metadata document.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use crate::config::credentials::OAuth2;
use crate::crypto;
use crate::error::Failure;
use crate::flows::base::within::within;
use crate::flows::config::resolved_config::Compiled;
use crate::flows::lifecycle::connect_account::{ConnectContext, ConnectFlow};
use crate::flows::messages::connecting::Connecting;
use crate::flows::messages::environment::{
    ClientClaim, ClientKey, ClientMessage, EnvironmentMessage,
};
use crate::flows::messages::send_to_environment;
use crate::flows::tokens::discover::DiscoveryFailure;
use crate::flows::tokens::grant::Attempt;
use crate::oauth::discovery::DiscoveredServer;
use crate::oauth::{
    self, OAuthError, RegisteredClient, TokenFailure, TokenServer, client_metadata, document_client,
};
use crate::ports::{Outside, Storage};
use crate::settings::REGISTRATION_TIMEOUT;

/// Before the second question whether another login has registered the client; it doubles with each.
const FIRST_LOOK: Duration = Duration::from_millis(250);
/// The longest time between two questions.
const LONGEST_LOOK: Duration = Duration::from_secs(4);

/// Why a login has no server, or no client there.
pub(in crate::flows) enum ServerFailure {
    Discovery(DiscoveryFailure),
    /// The server registers no client for us.
    NoNewClients(Option<TokenFailure>),
    /// The registration endpoint did not answer, or its answer cannot be used.
    Registration(TokenFailure),
    /// The file does not give an address.
    File(OAuthError),
    Ours(Failure),
}

impl From<DiscoveryFailure> for ServerFailure {
    fn from(failure: DiscoveryFailure) -> Self {
        Self::Discovery(failure)
    }
}

impl From<Failure> for ServerFailure {
    fn from(failure: Failure) -> Self {
        Self::Ours(failure)
    }
}

/// What a client is registered with.
struct NewClient {
    endpoint: Url,
    metadata: Value,
    key: String,
    /// The only origin that it may be used at.
    origin: Option<String>,
}

impl<O: Outside, S: Storage> ConnectFlow<O, S> {
    /// The server and the client of this login. `None`: the file names both.
    pub(super) async fn find_server(
        &self,
        connecting: &Connecting,
        context: &ConnectContext,
        config: &OAuth2,
    ) -> Result<Option<TokenServer>, ServerFailure> {
        if !config.binds_server() {
            return Ok(None);
        }
        let compiled = &context.resolved.compiled;
        let stored = context.contents.context();
        let discovered = if config.is_discovered() {
            let found = self.endpoint.discover(compiled, config, stored).await?;
            Some(found)
        } else {
            None
        };
        let client = if has_own_client(config, stored) {
            None
        } else {
            let discovered = discovered.as_deref();
            let found = self.client(connecting, (compiled, stored), config, discovered);
            Some(found.await?)
        };
        Ok(Some(TokenServer {
            endpoints: discovered.map(|found| found.endpoints.clone()),
            client,
        }))
    }

    /// In the order of the MCP specification ("Client Registration Approaches"): a metadata document, then a registration.
    async fn client(
        &self,
        connecting: &Connecting,
        (compiled, stored): (&Compiled, &Value),
        config: &OAuth2,
        discovered: Option<&DiscoveredServer>,
    ) -> Result<RegisteredClient, ServerFailure> {
        let document = connecting.client_document.as_deref();
        let document = document.filter(|_| config.client.metadata_document);
        let is_taken = discovered.is_none_or(|server| server.takes_documents);
        // The account's values can lead to another server than the operator had in mind.
        let is_steered = discovered.is_none() && !config.fixes_hosts();
        // The id of a client is an https URL (§3 of the draft): none in development.
        if let Some(url) = document.filter(|url| is_taken && url.starts_with("https://")) {
            if is_steered {
                return Err(ServerFailure::File(OAuthError::DocumentId));
            }
            return Ok(document_client(url));
        }
        let endpoint = if let Some(server) = discovered {
            server.registration_endpoint.clone()
        } else {
            let find = oauth::registration_endpoint;
            let found = self
                .endpoint
                .with_server(compiled, (config, None), stored, find);
            found.map_err(ServerFailure::File)?
        };
        let endpoint = endpoint.ok_or(ServerFailure::NoNewClients(None))?;
        let methods = discovered.map(|server| server.auth_methods.as_slice());
        let metadata = client_metadata(
            &config.registration,
            &connecting.callback,
            methods.unwrap_or_default(),
        );
        let issuer = discovered.map(|server| &server.endpoints.issuer);
        let install = connecting.account.environment_integration_id;
        let key = json!([install, issuer, endpoint, metadata]).to_string();
        let origin = is_steered.then(|| endpoint.origin().ascii_serialization());
        let new = NewClient {
            endpoint,
            metadata,
            key: crypto::sha256_hex(key.as_bytes()),
            origin,
        };
        self.registered(connecting, &new).await
    }

    /// The install's client of this key. The first login registers it, and others wait for it.
    async fn registered(
        &self,
        connecting: &Connecting,
        new: &NewClient,
    ) -> Result<RegisteredClient, ServerFailure> {
        let environment = connecting.account.environment_id;
        let until = self.base.outside().now().plus(REGISTRATION_TIMEOUT);
        let mut look = FIRST_LOOK;
        loop {
            let message = EnvironmentMessage::Clients(ClientMessage::ClaimClient(new.key.clone()));
            match send_to_environment(self.base.outside(), environment, &message).await? {
                ClientClaim::Registered(client) => return Ok(of_login(*client, new)),
                ClientClaim::Claimed(claim) => {
                    let key = new.key.clone();
                    return self
                        .register(connecting, new, ClientKey { key, claim })
                        .await;
                }
                ClientClaim::Busy if self.base.outside().now() < until => {
                    let left = until.since(self.base.outside().now());
                    self.base.outside().sleep(look.min(left)).await;
                    look = (look * 2).min(LONGEST_LOOK);
                }
                ClientClaim::Busy => {
                    let late = TokenFailure::Transient { retry_after: None };
                    return Err(ServerFailure::Registration(late));
                }
            }
        }
    }

    async fn register(
        &self,
        connecting: &Connecting,
        new: &NewClient,
        own: ClientKey,
    ) -> Result<RegisteredClient, ServerFailure> {
        let asked = within(self.base.outside(), REGISTRATION_TIMEOUT, self.ask(new));
        let asked = asked.await.unwrap_or_else(|| {
            let late = TokenFailure::Transient { retry_after: None };
            Err(ServerFailure::Registration(late))
        });
        let environment = connecting.account.environment_id;
        let install = connecting.account.environment_integration_id;
        let message = match &asked {
            Ok(client) => EnvironmentMessage::Clients(ClientMessage::StoreClient(
                install,
                own,
                Box::new(client.clone()),
            )),
            Err(_) => EnvironmentMessage::Clients(ClientMessage::ReleaseClient(own)),
        };
        let noted: Result<(), Failure> =
            send_to_environment(self.base.outside(), environment, &message).await;
        let client = asked?;
        noted?;
        Ok(of_login(client, new))
    }

    async fn ask(&self, new: &NewClient) -> Result<RegisteredClient, ServerFailure> {
        let request = oauth::registration_request(new.endpoint.clone(), &new.metadata);
        let sent = self.endpoint.send_to_endpoint(request).await;
        let (status, headers, body) = sent.map_err(|attempt| match attempt {
            Attempt::Ours(failure) => ServerFailure::Ours(failure),
            Attempt::Failed(failed) => ServerFailure::Registration(failed),
        })?;
        let now = self.base.outside().now();
        let read = oauth::read_registration(status, &headers, &body, &new.metadata, now);
        read.map_err(|failed| match failed {
            TokenFailure::Transient { .. } => ServerFailure::Registration(failed),
            _ if status.is_success() => ServerFailure::Registration(failed),
            refused => ServerFailure::NoNewClients(Some(refused)),
        })
    }
}

/// The client as its login and its tokens have it.
fn of_login(client: RegisteredClient, new: &NewClient) -> RegisteredClient {
    RegisteredClient {
        registration: Some(new.key.clone()),
        origin: new.origin.clone(),
        ..client
    }
}

/// Whether the client is the file's, or one that the customer brought.
fn has_own_client(config: &OAuth2, context: &Value) -> bool {
    let brought = context.get("client_id").and_then(Value::as_str);
    let brings = config.takes_own_client() && brought.is_some_and(|id| !id.is_empty());
    config.client.id.is_some() || brings
}
