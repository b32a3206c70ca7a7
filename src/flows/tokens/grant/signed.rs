//! Tokens that the gateway signs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::credentials::Jwt;
use crate::flows::config::resolved_config::Compiled;
use crate::flows::tokens::grant::TokenEndpoint;
use crate::oauth::{self, JwtMoment, OAuthError, TokenReply};
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> TokenEndpoint<O, S> {
    pub(super) fn moment(&self) -> JwtMoment {
        JwtMoment {
            now: self.base.outside().now(),
            id: self.base.outside().random(),
            random: self.base.outside().random(),
        }
    }

    /// The signed token of `jwt`, filled from this context.
    pub(in crate::flows) fn signed_jwt(
        &self,
        compiled: &Compiled,
        jwt: &Jwt,
        context: &Value,
    ) -> Result<String, OAuthError> {
        let (shown, _) = compiled.split_context(context, &Value::Null);
        let scope = compiled.scope(context, &shown);
        oauth::sign_jwt(jwt, &scope, self.moment(), &[])
    }

    /// The same as the account's token.
    pub(in crate::flows) fn self_signed(
        &self,
        compiled: &Compiled,
        jwt: &Jwt,
        context: &Value,
    ) -> Result<TokenReply, OAuthError> {
        let token = self.signed_jwt(compiled, jwt, context)?;
        let seconds = oauth::usable_seconds(jwt);
        let expires_at = self.base.outside().now().plus(Duration::from_secs(seconds));
        let token = json!({
            "access_token": token, "expires_in": seconds, "expires_at": expires_at.to_string(),
        });
        let reply = Value::Null;
        Ok(TokenReply { token, reply })
    }
}
