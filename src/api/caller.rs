//! Who is asking, and which environment they mean.

use std::rc::Rc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::unproved::Sender;
use super::{RequestContext, path_id};
use crate::account::seal::Keyring;
use crate::account::token::{self, TokenKind, TokenProof};
use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::base::records::{TokenRecord, TokenScope};
use crate::flows::config::config_cache;
use crate::flows::messages::environment::Writer;
use crate::ids::{AccountId, EnvironmentId};
use crate::ports::{ADMIN_TOKEN_KEY, Outside, Visibility};
use crate::settings::Settings;

/// A sender whose token is good.
pub(crate) enum Caller {
    /// The operator, by `ADMIN_TOKEN`: everything, in every environment.
    Admin,
    /// An API token of one environment.
    Token(Rc<TokenRecord>),
    /// An account token, to be confirmed by the account's own object.
    Account(AccountId, String),
}

impl Caller {
    /// Reads `Authorization: Bearer …` (RFC 6750) and finds its owner. Only what we have signed, or may have made
    /// before there were signatures, is looked up.
    pub(crate) async fn authenticate(
        context: &RequestContext<'_, impl Outside>,
        headers: &HeaderMap,
    ) -> Result<Self, Failure> {
        let text = bearer(headers)
            .ok_or_else(|| unauthenticated("Send the token as `Authorization: Bearer <token>`."))?;
        let sender = Sender::of(context, headers);
        let read = sender.keyring().map(|ring| TokenSubject::of(ring, text));
        if let Ok(Some((named, TokenProof::Signed))) = read {
            if let Some(caller) = Self::named(context, named, text).await? {
                if caller.is_proved() {
                    context.room.prove()?;
                }
                return Ok(caller);
            }
            // What we have signed and is not there was revoked, and no later look finds it.
            let hash = crypto::sha256_hex(text.as_bytes());
            config_cache::forget::<TokenRecord>(context.outside, context.isolate, &hash);
            return Err(sender.failed(unknown_token()).await);
        }
        sender.check()?;
        if is_admin(context.outside.settings(), text) {
            return Ok(Self::Admin);
        }
        let Some((named, _)) = read? else {
            return Err(sender.failed(unknown_token()).await);
        };
        if !sender.check_unsigned()? {
            return Err(sender.failed(unknown_token()).await);
        }
        match Self::named(context, named, text).await? {
            Some(caller) => Ok(caller),
            None => Err(sender.named_nothing(unknown_token()).await),
        }
    }

    /// The owner of the token; `None` where it is revoked or expired. Of an account's its object says so.
    async fn named(
        context: &RequestContext<'_, impl Outside>,
        named: TokenSubject,
        text: &str,
    ) -> Result<Option<Self>, Failure> {
        let hash = crypto::sha256_hex(text.as_bytes());
        let environment = match named {
            TokenSubject::Account(account) => return Ok(Some(Self::Account(account, hash))),
            TokenSubject::Environment(environment) => environment,
        };
        let record =
            config_cache::token(context.outside, context.isolate, environment, &hash).await?;
        let is_good = |record: &Rc<TokenRecord>| {
            let is_over = record
                .expires_at
                .is_some_and(|end| end <= context.outside.now());
            !is_over && record.environment_id == environment
        };
        Ok(record.filter(is_good).map(Self::Token))
    }

    /// Whether the token is known to be good here: one of an account is confirmed by the account's object alone.
    pub(crate) fn is_proved(&self) -> bool {
        !matches!(self, Self::Account(..))
    }

    /// What its requests are counted under. It does not reveal the token.
    pub(crate) fn token_key(&self) -> &str {
        match self {
            Self::Admin => ADMIN_TOKEN_KEY,
            Self::Token(token) => &token.hash,
            Self::Account(_, hash) => hash,
        }
    }

    /// The hash of an API token: by it the token is found again.
    pub(crate) fn token_hash(&self) -> Option<String> {
        match self {
            Self::Token(token) => Some(token.hash.clone()),
            Self::Admin | Self::Account(..) => None,
        }
    }

    /// What the log calls it: the id of an API token, else the kind.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Admin => "admin_token".to_owned(),
            Self::Token(token) => token.id.to_string(),
            Self::Account(..) => "account_token".to_owned(),
        }
    }

    /// What it may see of the accounts.
    pub(crate) fn visibility(&self) -> Visibility {
        match self {
            Self::Admin => Visibility::All,
            Self::Token(token) => Visibility::Environment(token.environment_id),
            Self::Account(_, hash) => Visibility::AccountToken(hash.clone()),
        }
    }

    /// What it is to an override that it writes (`rights::reserved`).
    pub(crate) fn writer(&self) -> Writer {
        match self {
            Self::Admin => Writer::AdminToken,
            Self::Token(_) | Self::Account(..) => Writer::ApiToken,
        }
    }

    /// The one account of an account token.
    pub(crate) fn own_account(&self) -> Option<AccountId> {
        match self {
            Self::Account(account, _) => Some(*account),
            Self::Admin | Self::Token(_) => None,
        }
    }

    /// The account a request is about: the one that it names, or an account token's own. Another one does not exist for an
    /// account token.
    pub(crate) fn account(&self, named: Option<&str>) -> Result<AccountId, Failure> {
        let named = named.map(path_id::parse::<AccountId>).transpose()?;
        match (named, self.own_account()) {
            (Some(named), Some(own)) if named != own => Err(path_id::not_found::<AccountId>()),
            (Some(account), _) | (None, Some(account)) => Ok(account),
            (None, None) => Err(Failure::invalid(
                "integrated_account_id",
                "is required in the query, or in the body of a batch",
            )),
        }
    }

    /// The environment a request is about: a token's own, or the one the admin token names.
    pub(crate) fn environment(&self, named: Option<&str>) -> Result<EnvironmentId, Failure> {
        let hidden = || Failure::not_found("environment");
        let named = named
            .map(|text| text.parse::<EnvironmentId>().map_err(|_| hidden()))
            .transpose()?;
        match (self, named) {
            (Self::Admin, Some(environment)) => Ok(environment),
            (Self::Admin, None) => Err(Failure::invalid(
                "environment_id",
                "is required with the admin token, in the body or the query",
            )),
            (Self::Token(token), None) => Ok(token.environment_id),
            (Self::Token(token), Some(environment)) if environment == token.environment_id => {
                Ok(environment)
            }
            (Self::Token(_), Some(_)) | (Self::Account(..), _) => Err(hidden()),
        }
    }

    /// Whether it has a scope; `admin` includes all.
    pub(crate) fn has(&self, scope: TokenScope) -> bool {
        match self {
            Self::Admin => true,
            Self::Account(..) => scope == TokenScope::Proxy,
            Self::Token(token) => token
                .scopes
                .iter()
                .any(|own| *own == scope || *own == TokenScope::Admin),
        }
    }

    /// 403 without the scope.
    pub(crate) fn must_have(&self, scope: TokenScope) -> Result<(), Failure> {
        if self.has(scope) {
            return Ok(());
        }
        let name = format!("{scope:?}").to_lowercase();
        Err(Failure::new(
            Code::Forbidden,
            format!("This needs a token with the scope `{name}`."),
        ))
    }

    /// 403 without an account's own token.
    pub(crate) fn must_be_account(&self) -> Result<(), Failure> {
        let message = "This needs an account token (POST /integrated-account/token).";
        self.own_account()
            .map(drop)
            .ok_or_else(|| Failure::new(Code::Forbidden, message))
    }

    /// 403 for all but the admin token.
    pub(crate) fn must_be_admin(&self) -> Result<(), Failure> {
        match self {
            Self::Admin => Ok(()),
            Self::Token(_) | Self::Account(..) => Err(Failure::new(
                Code::Forbidden,
                "This needs the admin token (ADMIN_TOKEN).",
            )),
        }
    }
}

/// What a bearer token names.
#[derive(Clone, Copy)]
enum TokenSubject {
    Environment(EnvironmentId),
    Account(AccountId),
}

impl TokenSubject {
    fn of(ring: &Keyring, text: &str) -> Option<(Self, TokenProof)> {
        let account = || token::read_token(ring, TokenKind::Account, text);
        token::read_token(ring, TokenKind::Api, text)
            .map(|(id, proof)| (Self::Environment(id), proof))
            .or_else(|| account().map(|(id, proof)| (Self::Account(id), proof)))
    }
}

/// Hashed first: the comparison then takes the same time for every length.
fn is_admin(settings: &Settings, text: &str) -> bool {
    settings.admin_token.as_ref().is_some_and(|admin| {
        crypto::constant_time_eq(
            &crypto::sha256(text.as_bytes()),
            &crypto::sha256(admin.expose().as_bytes()),
        )
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

pub(super) fn unknown_token() -> Failure {
    unauthenticated("The token is unknown, revoked or expired.")
}

fn unauthenticated(message: &str) -> Failure {
    Failure::new(Code::Unauthenticated, message)
}
