//! What an integration file may say (docs/integration-file.md), as types: one file per
//! section, named like its JSON key. [`read`] turns JSON into them and lists
//! every mistake as a [`Finding`]; nothing here acts on what it reads.

#![warn(missing_docs)]

pub mod action;
mod amount;
pub mod authorization;
pub mod binding;
mod body;
mod check;
mod count;
pub mod credentials;
pub mod field;
pub mod files;
mod finding;
pub mod method_override;
mod normalise;
pub mod overrides;
pub mod pagination;
mod prose;
mod prune;
pub mod rate_limit;
mod reader;
pub mod reads;
pub mod reserved;
pub mod resource;
pub mod schema;
pub mod secrets;
pub mod setting;
mod size;
pub mod source;
pub mod steering;
mod urls;
pub mod webhook;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::expression::scope::context_key;
use crate::expression::{AllowedHosts, Placeholder, Template, UrlTemplate};

pub use action::{Action, PlacedAction};
pub use authorization::{Authorization, Authorizations};
pub use body::{BodyEntries, MOST_BODY_ENTRIES};
pub use check::literal::words_of_name;
pub use count::Count;
pub use credentials::{Credential, CustomToken, SftpConfig};
pub use field::Field;
pub use finding::{Finding, Level};
pub use normalise::normalise;
pub use pagination::Pagination;
pub use rate_limit::{ErrorExpression, RateLimit};
pub use reader::{ReadFile, read, read_config};
pub use resource::{HttpMethod, Method};
pub use setting::Setting;
pub use webhook::Webhook;

/// Entries of `headers` or `query`; `null` removes what a lower layer set.
pub type Entries = BTreeMap<String, Option<Template>>;

/// A whole integration file.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Integration {
    /// The slug used in URLs: lower-case letters, digits and hyphens.
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]*$"))]
    pub name: String,
    /// What kind of product it is, such as `crm` or `helpdesk`.
    pub category: Option<String>,
    /// Whether the integration is still being tested.
    #[schemars(default)]
    pub is_beta: bool,
    /// How the provider's API is called.
    pub config: Config,
}

/// How a provider's API is described, signed in to and paged through.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = schema::config)]
pub struct Config {
    /// The display name.
    #[serde(default)]
    pub label: Option<String>,
    /// URL of the logo.
    #[serde(default)]
    pub logo: Option<String>,
    /// URL of the icon.
    #[serde(default)]
    pub icon: Option<String>,
    /// What every method's `path` is appended to.
    #[serde(default)]
    pub base_url: Option<UrlTemplate>,
    /// Where requests may go. Required when a URL's host is not fixed by its own text.
    #[serde(default)]
    pub allowed_hosts: Option<AllowedHosts>,
    /// Request headers of every method; a method's own win.
    #[serde(default)]
    pub headers: Entries,
    /// Query parameters of every method; an entry whose placeholder is missing is left out.
    #[serde(default)]
    pub query: Entries,
    /// Entries of every JSON and form body; not of requests with GET and HEAD. A method's own entries win. The caller's win
    /// over those that read neither the account nor the install.
    #[serde(default)]
    pub body: Option<BodyEntries>,
    /// Whether `/custom` and bodies that go as they are (`truto_body_passthrough`) are there; so when absent. false
    /// switches both off, and no override switches them on.
    #[serde(default)]
    pub custom: Option<bool>,
    /// How arrays are written in a query.
    #[serde(default)]
    pub query_array_format: Option<QueryArrayFormat>,
    /// What a customer hands over to connect: one credential, or a map from format to credential.
    #[serde(default)]
    pub credentials: BTreeMap<String, Credential>,
    /// How a request is signed in: an authorization, or a list that is applied in order.
    #[serde(default)]
    pub authorization: Option<Authorizations>,
    /// How lists are paged through; null for a provider that does not page.
    #[serde(default)]
    pub pagination: Setting<Pagination>,
    /// How the provider says that it is busy.
    #[serde(default)]
    pub rate_limit: Option<RateLimit>,
    /// What can be called: resource → method → definition.
    #[serde(default)]
    pub resources: BTreeMap<String, BTreeMap<String, Method>>,
    /// Sequences of steps, by name. `post_install`, `validation` and `refresh_token` run by themselves.
    #[serde(default)]
    pub actions: BTreeMap<String, Action>,
    /// How the provider's webhooks are verified and read.
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// JSONata: truthy when a response is an error even if its status is 2xx; an object `{status?, message?}` shapes it.
    #[serde(default)]
    pub error_expression: Option<ErrorExpression>,
    /// Tags of each resource's tools.
    #[serde(default)]
    pub tool_tags: BTreeMap<String, Vec<String>>,
}

/// How arrays are written in a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryArrayFormat {
    /// `a=1,2`
    Comma,
    /// `a[]=1&a[]=2`
    Brackets,
    /// `a[0]=1&a[1]=2`
    Indices,
    /// `a=1&a=2`
    #[default]
    Repeat,
}

impl Config {
    /// The methods of a resource; `None` when there is no such resource.
    pub fn resource(&self, resource: &str) -> Option<&BTreeMap<String, Method>> {
        self.resources.get(resource)
    }

    /// One method.
    pub fn method(&self, resource: &str, name: &str) -> Option<&Method> {
        self.resource(resource)?.get(name)
    }

    /// The credential of a format, such as `oauth2`.
    pub fn credential(&self, format: &str) -> Option<&Credential> {
        self.credentials.get(format)
    }

    /// How this method pages: its own way, the file's, or not at all.
    pub fn pagination_of<'a>(&'a self, method: &'a Method) -> Option<&'a Pagination> {
        match &method.pagination {
            Setting::Inherit => self.pagination.set(),
            own => own.set(),
        }
    }

    /// How this method's rate limits are read, where the file says so.
    pub fn rate_limit_of<'a>(&'a self, method: &'a Method) -> Option<&'a RateLimit> {
        method.rate_limit.as_ref().or(self.rate_limit.as_ref())
    }

    /// What makes a response of this method an error.
    pub fn error_expression_of<'a>(&'a self, method: &'a Method) -> Option<&'a ErrorExpression> {
        method
            .error_expression
            .as_ref()
            .or(self.error_expression.as_ref())
    }

    /// How this method writes arrays in a query.
    pub fn query_array_format_of(&self, method: &Method) -> QueryArrayFormat {
        method
            .query_array_format
            .or(self.query_array_format)
            .unwrap_or_default()
    }

    /// The URL that this method's path is appended to.
    pub fn base_url_of<'a>(&'a self, method: &'a Method) -> Option<&'a UrlTemplate> {
        method.base_url.as_ref().or(self.base_url.as_ref())
    }

    /// The context keys that scheme, host or port of this method's URL depends on.
    pub fn origin_keys_of(&self, method: &Method) -> BTreeSet<String> {
        let base = self.base_url_of(method);
        base.map(UrlTemplate::origin_keys).unwrap_or_default()
    }

    /// Whether callers may name a path of the provider's, or send a body past the method's own.
    pub fn allows_custom(&self) -> bool {
        self.custom != Some(false)
    }

    /// Every field of every credential and of every form.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        let of_credentials = self.credentials.values().flat_map(Credential::fields);
        of_credentials.chain(self.actions.values().flat_map(Action::fields))
    }

    /// The steps of actions and credentials, each list with its place.
    pub fn placed_actions(&self) -> impl Iterator<Item = PlacedAction<'_>> {
        let of_file = self.actions.iter();
        let of_file = of_file.map(|(name, action)| PlacedAction::of_file(name, action));
        of_file.chain(self.credentials.iter().flat_map(|(format, credential)| {
            let actions = credential.custom_token().into_iter();
            let actions = actions.flat_map(CustomToken::actions);
            actions.map(|action| PlacedAction::of_credential(format, action))
        }))
    }

    /// The context keys whose value is a secret because their field is a
    /// `password`, or because they prove the user of a server of files. [`secrets::KEYS`] are secret besides.
    pub fn password_fields(&self) -> BTreeSet<String> {
        let fields = self
            .fields()
            .filter(|field| field.kind == field::FieldKind::Password);
        let of_servers = self.credentials.values().filter_map(Credential::sftp);
        let read = of_servers.flat_map(SftpConfig::secrets);
        let read = read.flat_map(|(_, template)| template.placeholders());
        let read = read.flat_map(Placeholder::paths).filter_map(context_key);
        fields
            .map(|field| field.name.clone())
            .chain(read.map(str::to_owned))
            .collect()
    }

    /// The context keys whose field says `allow_dots`.
    pub fn dotted_keys(&self) -> BTreeSet<String> {
        self.fields()
            .filter(|field| field.allow_dots)
            .flat_map(|field| field.filled_keys().cloned())
            .collect()
    }
}
