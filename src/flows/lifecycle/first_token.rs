//! The first token of an account whose customer does not go to the provider for it.

use std::rc::Rc;

use crate::account::Account;
use crate::config::Credential;
use crate::config::credentials::{CallbackGrant, OAuth2};
use crate::flows::account::contents::Contents;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::tokens::credential_actions::{CredentialActions, TokenNeed};
use crate::flows::tokens::grant::Attempt;
use crate::oauth::TokenReply;
use crate::ports::{Outside, Storage};

/// Gets the token for these values, without storing it. `None`: the credential has no token, or the customer has to go to
/// the provider. `scopes` are requested in place of the file's.
pub(super) async fn first_token<O: Outside, S: Storage>(
    calls: &AccountCalls<O, S>,
    resolved: &ResolvedConfig,
    account: &Account,
    contents: &Contents,
    scopes: Option<&[String]>,
) -> Result<Option<TokenReply>, Attempt> {
    let compiled = &resolved.compiled;
    let credential = compiled.config.credential(&account.authentication_method);
    let (endpoint, context) = (calls.tokens().endpoint(), contents.context());
    let has_grant = |config: &OAuth2| config.callback_grant != CallbackGrant::AuthorizationCode;
    match credential {
        // An import: a customer goes to the provider first.
        Some(credential @ Credential::Oauth2(config)) if has_grant(config) => {
            let reply = endpoint.grant_by_client(compiled, credential, context, scopes);
            reply.await.map(Some)
        }
        Some(
            credential @ (Credential::Oauth2ClientCredentials(_)
            | Credential::JwtBearer(_)
            | Credential::KekaOauth(_)),
        ) => {
            let reply = endpoint.grant_by_client(compiled, credential, context, scopes);
            reply.await.map(Some)
        }
        Some(Credential::CustomToken(custom)) => {
            let loaded = Rc::new(contents.preview(account.clone(), compiled));
            let reply = calls.custom_token(resolved, &loaded, custom, TokenNeed::Connect);
            reply.await.map(Some)
        }
        Some(Credential::Jwt(own)) => {
            let reply = endpoint.self_signed(compiled, &own.jwt, context)?;
            Ok(Some(reply))
        }
        Some(
            Credential::Oauth2(_)
            | Credential::Oauth(_)
            | Credential::ApiKey(_)
            | Credential::Sftp(_),
        )
        | None => Ok(None),
    }
}
