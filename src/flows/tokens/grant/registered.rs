//! Refreshes with the server and the client that a token is stored with.

use serde_json::Value;

use crate::config::credentials::OAuth2;
use crate::flows::tokens::grant::{Attempt, TokenEndpoint};
use crate::oauth::{Blame, TokenFailure, TokenReply, TokenRequest, TokenServer};
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> TokenEndpoint<O, S> {
    /// Sends a refresh. The new token stays bound to where the one before came from.
    pub(super) async fn refreshed_token(
        &self,
        config: &OAuth2,
        request: TokenRequest,
        before: Option<&Value>,
    ) -> Result<TokenReply, Attempt> {
        let server = TokenServer::of_token(config, before);
        self.refuse_expired(server.as_ref())?;
        let reply = self.request_token(config, request, before).await;
        let mut reply = reply.map_err(|failed| of_registered(failed, server.as_ref()))?;
        if let Some(server) = server {
            server.put(&mut reply.token);
        }
        Ok(reply)
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
pub(in crate::flows) fn names_client(error: &str) -> bool {
    matches!(error, "invalid_client" | "unauthorized_client")
}
