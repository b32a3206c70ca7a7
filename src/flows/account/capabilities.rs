//! The resources of an integration file, their methods and the scopes that each needs. For an account also whether it
//! has these scopes, as far as its OAuth token names the granted ones.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::{Account, Status};
use crate::config::resource::Method;
use crate::config::{self, Config, Credential};
use crate::error::{Code, Failure};
use crate::flows::base::records::IntegrationRecord;
use crate::flows::messages::account::IntegrationView;
use crate::ids::AccountId;
use crate::proxy::is_read;

/// A method of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MethodCapability {
    /// The method of the request to the provider.
    pub method: String,
    /// The path, as the file declares it.
    pub path: String,
    /// Whether it can change data at the provider.
    pub is_write: bool,
    /// The scopes it needs.
    pub scopes: Vec<String>,
    /// A description of the method.
    pub description: Option<String>,
    /// The URL of the provider's documentation.
    pub api_documentation_url: Option<String>,
}

/// A method of a resource, for one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountMethodCapability {
    /// The declaration of the file.
    #[serde(flatten)]
    pub method: MethodCapability,
    /// The scopes that were not granted; null where the granted scopes are unknown.
    pub missing_scopes: Option<Vec<String>>,
    /// Whether the account may call it; null where that is unknown.
    pub is_allowed: Option<bool>,
}

/// A resource: its methods by name, and its tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct ResourceCapability<M> {
    /// The methods by name.
    pub methods: BTreeMap<String, M>,
    /// The tags of the resource.
    pub tool_tags: Vec<String>,
}

/// The resources of an integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntegrationCapabilities {
    /// The integration.
    pub integration: IntegrationView,
    /// Its resources by name.
    pub resources: BTreeMap<String, ResourceCapability<MethodCapability>>,
}

/// The resources of an account, and which methods it may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountCapabilities {
    /// The account.
    pub id: AccountId,
    /// Its integration.
    pub integration: IntegrationView,
    /// The lifecycle status.
    pub status: Status,
    /// A sandbox account refuses writes.
    pub is_sandbox: bool,
    /// The granted scopes; null where the token does not name them.
    pub granted_scopes: Option<Vec<String>>,
    /// The resources by name.
    pub resources: BTreeMap<String, ResourceCapability<AccountMethodCapability>>,
}

pub fn of_record(record: &IntegrationRecord) -> Result<IntegrationCapabilities, Failure> {
    let (config, _) = config::read_config(&record.config);
    let message = "The integration file has errors. POST /integration/validate lists them.";
    let config = config.ok_or_else(|| Failure::new(Code::BadIntegration, message))?;
    Ok(IntegrationCapabilities {
        integration: record.view(),
        resources: resources(&config, of_method),
    })
}

/// The scopes that the account's OAuth token was granted (RFC 6749 §5.1). `None` where the token endpoint did not name
/// them.
pub(in crate::flows) fn granted(
    config: &Config,
    account: &Account,
    context: &Value,
) -> Option<Vec<String>> {
    let text = context.get("oauth")?.get("token")?.get("scope")?.as_str()?;
    let credential = config.credential(&account.authentication_method);
    let oauth = credential.and_then(Credential::oauth);
    let separator = oauth.map_or(" ", |oauth| oauth.options.scope_separator.as_str());
    // Some providers expect commas in the request and answer with spaces, or the reverse.
    let separated = text.split(|c: char| c.is_whitespace() || c == ',' || separator.contains(c));
    let scopes = separated.filter(|scope| !scope.is_empty());
    Some(scopes.map(str::to_owned).collect())
}

pub(in crate::flows) fn missing(needed: &[String], granted: &[String]) -> Vec<String> {
    let is_missing = |scope: &&String| !granted.contains(scope);
    needed.iter().filter(is_missing).cloned().collect()
}

pub(in crate::flows) fn resources<M>(
    config: &Config,
    capability: impl Fn(&Method) -> M,
) -> BTreeMap<String, ResourceCapability<M>> {
    let resources = config.resources.iter().map(|(name, methods)| {
        let methods = methods
            .iter()
            .map(|(name, method)| (name.clone(), capability(method)));
        let resource = ResourceCapability {
            methods: methods.collect(),
            tool_tags: config.tool_tags.get(name).cloned().unwrap_or_default(),
        };
        (name.clone(), resource)
    });
    resources.collect()
}

fn of_method(method: &Method) -> MethodCapability {
    MethodCapability {
        method: method.method.0.as_str().to_owned(),
        path: method.path.source().to_owned(),
        is_write: !is_read(&method.method.0),
        scopes: method.scopes.clone(),
        description: method.description.clone(),
        api_documentation_url: method.api_documentation_url.clone(),
    }
}

pub(in crate::flows) fn of_account(
    method: &Method,
    is_sandbox: bool,
    granted: Option<&[String]>,
) -> AccountMethodCapability {
    let of_file = of_method(method);
    let missing = granted.map(|granted| missing(&method.scopes, granted));
    let is_allowed = match &missing {
        _ if of_file.is_write && is_sandbox => Some(false),
        _ if method.scopes.is_empty() => Some(true),
        missing => missing.as_ref().map(Vec::is_empty),
    };
    AccountMethodCapability {
        method: of_file,
        missing_scopes: missing,
        is_allowed,
    }
}
