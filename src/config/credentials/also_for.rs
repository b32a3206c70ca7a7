//! `alsoFor`: further tokens from the grant of an account, such as one for another audience.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::expression::{Template, UrlTemplate};

use super::{CallbackGrant, Credential, Endpoints, OAuth2};
use crate::config::Config;

/// More than any provider asks for: a new token of the account ends all of them.
pub const MOST_ALSO_FOR: usize = 8;

/// What a further token is asked for with.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct AlsoFor {
    /// What is asked for; no `scope` is sent when empty.
    pub scope: Vec<Template>,
    /// The endpoint; that of the credential when absent.
    pub token_url: Option<UrlTemplate>,
    /// Extra parameters, such as `audience` or `resource` (RFC 8707), over those of the credential.
    pub params: BTreeMap<String, Template>,
}

impl Config {
    /// Whether an account with the credential of this format may have further tokens.
    pub fn has_also_for(&self, format: &str) -> bool {
        let oauth = self.credential(format).and_then(Credential::oauth);
        oauth.is_some_and(|oauth| !oauth.also_for.is_empty())
    }
}

impl OAuth2 {
    /// Whether a token comes for a code, which only the customer brings.
    pub fn needs_code(&self) -> bool {
        self.callback_grant == CallbackGrant::AuthorizationCode
    }

    /// The settings by which a further token is asked for.
    #[must_use]
    pub fn of_also(&self, own: &AlsoFor) -> Self {
        let auth = match &own.token_url {
            Some(url) => Endpoints {
                token_url: Some(url.clone()),
                refresh_url: Some(url.clone()),
                ..Endpoints::default()
            },
            None => self.auth.clone(),
        };
        let with_own = |params: &BTreeMap<String, Template>| {
            let mut all = params.clone();
            all.extend(own.params.clone());
            all
        };
        Self {
            auth,
            scope: own.scope.clone(),
            token_params: with_own(&self.token_params),
            refresh_params: with_own(&self.refresh_params),
            // An answer without a token is none: the one before is another one.
            refresh_keeps_token: false,
            also_for: BTreeMap::new(),
            ..self.clone()
        }
    }
}
