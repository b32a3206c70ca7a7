//! Where a provider's token exchange leaves RFC 6749: other names, units and parts.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::Setting;
use crate::json::{Path, text_type};

use super::OAuth2;

/// Headers of the message and of the connection, which `tokenHeaders` never set.
pub const RESERVED_HEADERS: [&str; 6] = [
    "content-type",
    "content-length",
    "host",
    "connection",
    "transfer-encoding",
    "upgrade",
];

/// What parameters of token requests are called. A parameter that is null is left out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TokenParamNames {
    /// `code`
    pub code: Setting<String>,
    /// `redirect_uri`, which may be null.
    pub redirect_uri: Setting<String>,
    /// `grant_type`, which may be null.
    pub grant_type: Setting<String>,
    /// `code_verifier`
    pub code_verifier: Setting<String>,
    /// `refresh_token`
    pub refresh_token: Setting<String>,
    /// `scope`, which may be null.
    pub scope: Setting<String>,
}

/// What parameters of the authorization request are called. A parameter that is null is left out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthorizeParamNames {
    /// `response_type`, which may be null.
    pub response_type: Setting<String>,
    /// The client's id, which may be null.
    pub client_id: Setting<String>,
    /// `scope`, which may be null.
    pub scope: Setting<String>,
    /// `redirect_uri`, which may be null.
    pub redirect_uri: Setting<String>,
    /// `state`: the callback brings it back under this name, or as `state`.
    pub state: Setting<String>,
}

/// A parameter and what it is called.
#[derive(Debug, Clone, Copy)]
pub struct ParamName<'n> {
    /// As in RFC 6749 and 7636.
    pub standard: &'n str,
    /// As the provider calls it.
    pub own: &'n Setting<String>,
    /// Whether a request makes sense without it.
    pub is_droppable: bool,
}

impl TokenParamNames {
    /// All of them.
    pub fn all(&self) -> [ParamName<'_>; 6] {
        [
            needed("code", &self.code),
            droppable("redirect_uri", &self.redirect_uri),
            droppable("grant_type", &self.grant_type),
            needed("code_verifier", &self.code_verifier),
            needed("refresh_token", &self.refresh_token),
            droppable("scope", &self.scope),
        ]
    }
}

impl AuthorizeParamNames {
    /// All of them.
    pub fn all(&self) -> [ParamName<'_>; 5] {
        [
            droppable("response_type", &self.response_type),
            droppable("client_id", &self.client_id),
            droppable("scope", &self.scope),
            droppable("redirect_uri", &self.redirect_uri),
            needed("state", &self.state),
        ]
    }
}

fn needed<'n>(standard: &'n str, own: &'n Setting<String>) -> ParamName<'n> {
    ParamName {
        standard,
        own,
        is_droppable: false,
    }
}

fn droppable<'n>(standard: &'n str, own: &'n Setting<String>) -> ParamName<'n> {
    ParamName {
        is_droppable: true,
        ..needed(standard, own)
    }
}

/// Where in the token what RFC 6749 (section 5.1) calls otherwise is. A value that is named here is read at its path and
/// nowhere else.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TokenNames {
    /// The token.
    pub access_token: Option<Path>,
    /// What the next one is got with.
    pub refresh_token: Option<Path>,
    /// How long it lives, in `expires_in_unit`.
    pub expires_in: Option<Path>,
    /// When it expires: ISO 8601, or seconds or milliseconds since 1970.
    pub expires_at: Option<Path>,
}

impl TokenNames {
    /// The names of RFC 6749 that are called otherwise, each with its path.
    pub fn renamed(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let names = [
            ("access_token", &self.access_token),
            ("refresh_token", &self.refresh_token),
            ("expires_in", &self.expires_in),
            ("expires_at", &self.expires_at),
        ];
        let set = names.into_iter();
        set.filter_map(|(name, path)| Some((name, path.as_ref()?)))
    }

    /// The key that holds the token in an answer.
    pub fn token_key(&self) -> &str {
        let last = self
            .access_token
            .as_ref()
            .and_then(|path| path.parts().last());
        last.map_or("access_token", String::as_str)
    }
}

/// The grant after the provider's callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallbackGrant {
    /// By the callback's code (RFC 6749, section 4.1.3).
    #[default]
    AuthorizationCode,
    /// The callback has no code: by the client's credentials (section 4.4).
    ClientCredentials,
    /// The callback has no code: by a signed assertion (RFC 7523, section 2.1).
    JwtBearer,
}

/// The unit of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DurationUnit {
    /// Thousandths of a second.
    Milliseconds,
    /// RFC 6749.
    #[default]
    Seconds,
    /// 60 seconds.
    Minutes,
    /// 3,600 seconds.
    Hours,
    /// 86,400 seconds.
    Days,
}

impl DurationUnit {
    /// Its seconds.
    pub fn seconds(self) -> f64 {
        match self {
            Self::Milliseconds => 0.001,
            Self::Seconds => 1.0,
            Self::Minutes => 60.0,
            Self::Hours => 3_600.0,
            Self::Days => 86_400.0,
        }
    }
}

/// The path of a page that reads its parameters after `#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment(String);

impl Fragment {
    /// What a fragment may have (RFC 3986, section 3.5), without the `?` before the parameters.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/".contains(c);
        if text.is_empty() || !text.chars().all(fits) {
            return Err("a fragment has letters, digits and `-._~!$&'()*+,;=:@/`");
        }
        Ok(Self(text.to_owned()))
    }

    /// The text, without `#`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(
    Fragment,
    read: |text| Self::parse(text),
    show: |own| own.as_str(),
    inline: true,
    schema: { "type": "string", "examples": ["/oauth/authorize"] }
);

impl OAuth2 {
    /// The same for what steps of an action give: under the names and in the unit of RFC 6749.
    #[must_use]
    pub fn for_steps(&self) -> Self {
        Self {
            token_names: TokenNames::default(),
            expires_in_unit: DurationUnit::default(),
            ..self.clone()
        }
    }
}
