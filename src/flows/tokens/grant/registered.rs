//! Refreshes with the server and the client that a token is stored with.

use crate::config::credentials::OAuth2;
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::messages::environment::{ClientMessage, EnvironmentMessage};
use crate::flows::messages::send_to_environment;
use crate::flows::tokens::grant::{Attempt, TokenEndpoint};
use crate::ids::EnvironmentId;
use crate::oauth::{Blame, TokenFailure, TokenReply, TokenRequest, TokenServer};
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> TokenEndpoint<O, S> {
    /// Sends a refresh. The new token stays bound to where the one before came from.
    pub(super) async fn refreshed_token(
        &self,
        config: &OAuth2,
        request: TokenRequest,
        loaded: &LoadedAccount,
    ) -> Result<TokenReply, Attempt> {
        let before = loaded.token();
        let server = TokenServer::of_token(config, before);
        self.refuse_expired(server.as_ref())?;
        let reply = self.request_token(config, request, before).await;
        if let Err(attempt) = &reply {
            let environment = loaded.account.environment_id;
            self.forget_refused_client(environment, server.as_ref(), attempt)
                .await;
        }
        let mut reply = reply.map_err(|failed| of_registered(failed, server.as_ref()))?;
        if let Some(server) = server {
            server.put(&mut reply.token);
        }
        Ok(reply)
    }

    /// If the server refused the client, the next login registers another one.
    pub(in crate::flows) async fn forget_refused_client(
        &self,
        environment: EnvironmentId,
        server: Option<&TokenServer>,
        attempt: &Attempt,
    ) {
        let Attempt::Failed(TokenFailure::Refused { error, .. }) = attempt else {
            return;
        };
        let client = server.and_then(|server| server.client.as_ref());
        let key = client.and_then(|client| client.registration.clone());
        let (Some(client), Some(key)) = (client.filter(|_| names_client(error)), key) else {
            return;
        };
        let message =
            EnvironmentMessage::Clients(ClientMessage::ForgetClient(key, client.client_id.clone()));
        let forgotten: Result<(), Failure> =
            send_to_environment(self.base.outside(), environment, &message).await;
        if let Err(failure) = forgotten {
            self.base.log("client_not_forgotten", &failure.message);
        }
    }

    /// A client whose secret has expired gets no token. A new registration is another client, to which the refresh token was
    /// not issued (RFC 6749 §6): the customer has to connect again.
    fn refuse_expired(&self, server: Option<&TokenServer>) -> Result<(), Attempt> {
        let now = self.base.outside().now();
        let client = server.and_then(|server| server.client.as_ref());
        if client.is_some_and(|client| client.is_expired(now)) {
            return Err(Attempt::Failed(TokenFailure::Refused {
                error: "invalid_client".to_owned(),
                description: Some("the registration of the client has expired".to_owned()),
                blame: Blame::Customer,
            }));
        }
        Ok(())
    }
}

/// A registered client that its server no longer knows cannot be corrected by the operator: connecting again registers
/// another one.
fn of_registered(attempt: Attempt, server: Option<&TokenServer>) -> Attempt {
    let is_registered = server.is_some_and(|server| server.client.is_some());
    match attempt {
        Attempt::Failed(TokenFailure::Refused {
            error, description, ..
        }) if is_registered && names_client(&error) => Attempt::Failed(TokenFailure::Refused {
            error,
            description,
            blame: Blame::Customer,
        }),
        other => other,
    }
}

/// The client itself is refused (RFC 6749 §5.2).
fn names_client(error: &str) -> bool {
    matches!(error, "invalid_client" | "unauthorized_client")
}
