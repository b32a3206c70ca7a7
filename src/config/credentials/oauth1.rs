//! `oauth`: OAuth 1.0a (RFC 5849). Customers sign in at the provider, or type in a token that they made there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::action::{StepConfig, StepKind};
use crate::config::{Authorization, Authorizations, Config, Credential, Field};
use crate::crypto::Oauth1Method;
use crate::expression::{Template, UrlTemplate};
use crate::json::Path;

/// A client and the provider's endpoints. Without the endpoints the token is typed in.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OAuth1 {
    /// The inputs of the connect form.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// Our client at the provider.
    pub consumer: Consumer,
    /// Where temporary credentials are had.
    #[serde(default)]
    pub request_token_url: Option<UrlTemplate>,
    /// Where customers authorise; its query is kept.
    #[serde(default)]
    pub authorize_url: Option<UrlTemplate>,
    /// Where temporary credentials are exchanged for a token.
    #[serde(default)]
    pub token_url: Option<UrlTemplate>,
    /// How requests are signed.
    #[serde(default)]
    pub signature_method: SignatureMethod,
    /// `realm` of the header.
    #[serde(default)]
    pub realm: Option<Template>,
    /// Context keys filled from the answer with the token.
    #[serde(default)]
    pub context_from_token: BTreeMap<String, Path>,
}

/// Our client at a provider of OAuth 1.0a.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consumer {
    /// The client's identifier (consumer key).
    pub id: Template,
    /// The client's shared secret; `{{consumer_secret}}` when absent. A literal one of a credential is write-only.
    #[serde(default)]
    pub secret: Option<Template>,
}

/// Where the account's own secret of a client is.
const OWN_SECRET: &str = "{{consumer_secret}}";

impl Consumer {
    /// What its secret is filled from.
    pub fn secret(&self) -> Option<Template> {
        let own = self.secret.clone();
        own.or_else(|| Template::parse(OWN_SECRET).ok())
    }

    /// What says whose client it is: an absent secret may be a sealed one, which is the operator's if its id is.
    pub fn owner(&self) -> &Template {
        self.secret.as_ref().unwrap_or(&self.id)
    }
}

/// How requests are signed (RFC 5849, section 3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
pub enum SignatureMethod {
    /// HMAC with SHA-1.
    #[default]
    #[serde(rename = "HMAC-SHA1")]
    HmacSha1,
    /// HMAC with SHA-256.
    #[serde(rename = "HMAC-SHA256")]
    HmacSha256,
    /// The secrets themselves.
    #[serde(rename = "PLAINTEXT")]
    PlainText,
}

impl From<SignatureMethod> for Oauth1Method {
    fn from(method: SignatureMethod) -> Self {
        match method {
            SignatureMethod::HmacSha1 => Self::HmacSha1,
            SignatureMethod::HmacSha256 => Self::HmacSha256,
            SignatureMethod::PlainText => Self::PlainText,
        }
    }
}

impl OAuth1 {
    /// Whether customers sign in at the provider.
    pub fn redirects(&self) -> bool {
        self.request_token_url.is_some()
    }

    /// Its endpoints, each with its key.
    pub fn endpoints(&self) -> [(&'static str, Option<&UrlTemplate>); 3] {
        [
            ("requestTokenUrl", self.request_token_url.as_ref()),
            ("authorizeUrl", self.authorize_url.as_ref()),
            ("tokenUrl", self.token_url.as_ref()),
        ]
    }
}

/// How the request of a step is signed in, or those of its alternatives.
fn authorizations_of(step: &mut StepConfig) -> Vec<&mut Authorization> {
    match &mut step.kind {
        StepKind::Request(method) => {
            let own = method.authorization.iter_mut();
            own.flat_map(Authorizations::all_mut).collect()
        }
        StepKind::AnyOf(steps) => steps.iter_mut().flat_map(authorizations_of).collect(),
        _ => Vec::new(),
    }
}

/// Gives each OAuth 1.0a signature of a file what it takes from the credential `oauth`.
pub(in crate::config) fn inherit_consumer(config: &mut Config) {
    let credential = config.credentials.get("oauth");
    let Some(credential) = credential.and_then(|own| own.oauth1()).cloned() else {
        return;
    };
    let methods = config.resources.values_mut();
    let methods = methods.flat_map(BTreeMap::values_mut);
    let of_methods = methods.filter_map(|method| method.authorization.as_mut());
    let of_methods = of_methods.flat_map(Authorizations::all_mut);
    let of_credentials = config.credentials.values_mut();
    let of_credentials = of_credentials.flat_map(|own| match own {
        Credential::CustomToken(custom) => custom.actions_mut().collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    let actions = config.actions.values_mut().chain(of_credentials);
    let of_steps = actions.flat_map(|own| own.steps.iter_mut().flat_map(authorizations_of));
    let all = config.authorization.iter_mut();
    let all = all.flat_map(Authorizations::all_mut);
    for authorization in all.chain(of_methods).chain(of_steps) {
        if let Authorization::Oauth1(own) = authorization {
            own.inherit(&credential);
        }
    }
}
