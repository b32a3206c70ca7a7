//! Who is asking, and which environment they mean.

use std::rc::Rc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::crypto;
use crate::error::{Code, Failure};
use crate::flows::isolate::Isolate;
use crate::flows::published;
use crate::flows::records::{TokenRecord, TokenScope};
use crate::ids::{AccountId, EnvironmentId};
use crate::ports::{Outside, Sees};

/// What API tokens start with; then the environment's id and 32 random bytes.
const TOKEN_PREFIX: &str = "ct_";
/// What account tokens start with; then the account's id and 32 random bytes.
const ACCOUNT_TOKEN_PREFIX: &str = "at_";
/// What link tokens start with; then the environment's id and 32 random bytes.
const LINK_TOKEN_PREFIX: &str = "lt_";

/// A sender whose token is good.
pub(crate) enum Caller {
    /// The operator, by `ADMIN_TOKEN`: everything, in every environment.
    Admin,
    /// An API token of one environment.
    Token(Rc<TokenRecord>),
    /// An account token, to be confirmed by the account's own object.
    Account(AccountId, String),
}

/// The text of a new API token. It names its environment, so that the truth can be asked where it is.
pub(crate) fn token_text(environment: EnvironmentId, random: [u8; 32]) -> String {
    format!(
        "{TOKEN_PREFIX}{}_{}",
        environment.to_hex(),
        data_encoding::BASE64URL_NOPAD.encode(&random)
    )
}

/// The text of a new account token.
pub(crate) fn account_token_text(account: AccountId, random: [u8; 32]) -> String {
    format!(
        "{ACCOUNT_TOKEN_PREFIX}{}_{}",
        account.to_hex(),
        data_encoding::BASE64URL_NOPAD.encode(&random)
    )
}

/// The text of a new link token.
pub(crate) fn link_token_text(environment: EnvironmentId, random: [u8; 32]) -> String {
    format!(
        "{LINK_TOKEN_PREFIX}{}_{}",
        environment.to_hex(),
        data_encoding::BASE64URL_NOPAD.encode(&random)
    )
}

/// The environment a link token is of, when it looks like one.
pub(crate) fn environment_of_link(token: &str) -> Option<EnvironmentId> {
    environment_behind(LINK_TOKEN_PREFIX, token)
}

fn account_in(token: &str) -> Option<AccountId> {
    let (account, random) = token.strip_prefix(ACCOUNT_TOKEN_PREFIX)?.split_once('_')?;
    if random.len() == 43 {
        account.parse().ok()
    } else {
        None
    }
}

fn environment_in(token: &str) -> Option<EnvironmentId> {
    environment_behind(TOKEN_PREFIX, token)
}

fn environment_behind(prefix: &str, token: &str) -> Option<EnvironmentId> {
    let (environment, random) = token.strip_prefix(prefix)?.split_once('_')?;
    if random.len() == 43 {
        environment.parse().ok()
    } else {
        None
    }
}

impl Caller {
    /// Reads `Authorization: Bearer …` (RFC 6750) and finds out whose it is.
    pub(crate) async fn authenticate(
        outside: &impl Outside,
        isolate: &Isolate,
        headers: &HeaderMap,
    ) -> Result<Self, Failure> {
        let token = bearer(headers)
            .ok_or_else(|| unauthenticated("Send the token as `Authorization: Bearer <token>`."))?;
        if let Some(admin) = &outside.settings().admin_token {
            // Hashed first: the comparison then takes the same time for every length.
            if crypto::is_same(
                &crypto::sha256(token.as_bytes()),
                &crypto::sha256(admin.expose().as_bytes()),
            ) {
                return Ok(Self::Admin);
            }
        }
        if let Some(account) = account_in(token) {
            return Ok(Self::Account(account, crypto::sha256_hex(token.as_bytes())));
        }
        let unknown = || unauthenticated("The token is unknown, revoked or expired.");
        let environment = environment_in(token).ok_or_else(unknown)?;
        let hash = crypto::sha256_hex(token.as_bytes());
        let record = published::token(outside, isolate, environment, &hash)
            .await?
            .ok_or_else(unknown)?;
        let is_over = record.expires_at.is_some_and(|end| end <= outside.now());
        if is_over || record.environment_id != environment {
            Err(unknown())
        } else {
            Ok(Self::Token(record))
        }
    }

    /// Whether the token is known to be good here: one of an account is confirmed by the account's object alone.
    pub(crate) fn is_proved(&self) -> bool {
        !matches!(self, Self::Account(..))
    }

    /// What its requests are counted under, by which nobody learns the token.
    pub(crate) fn token_key(&self) -> &str {
        match self {
            Self::Admin => "admin",
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
    pub(crate) fn sees(&self) -> Sees {
        match self {
            Self::Admin => Sees::All,
            Self::Token(token) => Sees::Environment(token.environment_id),
            Self::Account(_, hash) => Sees::AccountToken(hash.clone()),
        }
    }

    /// The one account of an account token.
    pub(crate) fn own_account(&self) -> Option<AccountId> {
        match self {
            Self::Account(account, _) => Some(*account),
            Self::Admin | Self::Token(_) => None,
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

    /// Whether it has a scope; `admin` stands for all.
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

    /// 403 for everybody but an account's own token.
    pub(crate) fn must_be_account(&self) -> Result<(), Failure> {
        let words = "This needs an account token (POST /integrated-account/token).";
        self.own_account()
            .map(drop)
            .ok_or_else(|| Failure::new(Code::Forbidden, words))
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

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn unauthenticated(message: &str) -> Failure {
    Failure::new(Code::Unauthenticated, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Placement, Region};
    use crate::time::Timestamp;

    #[test]
    fn a_token_names_its_environment() {
        let id = EnvironmentId::new(
            Timestamp::from_millis(1),
            Placement::Hinted(Region::Apac),
            [3; 10],
        );
        let token = token_text(id, [9; 32]);
        assert_eq!(environment_in(&token), Some(id));
        for wrong in ["", "ct_", "ct_x_y", &token[..token.len() - 1], &token[1..]] {
            assert_eq!(environment_in(wrong), None, "{wrong}");
        }
    }
}
