//! The resolved configuration of an account: the published file with the install's changes and the account's own,
//! compiled once per version and shared by all objects of the isolate.

pub mod compile;
mod load;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Value, json};

use crate::account::Account;
use crate::config::syncs::Definition;
use crate::config::{Config, Credential, Field, secrets};
use crate::crypto;
use crate::error::{Complaint, Failure};
use crate::expression::{AllowedHosts, Pins, PlainHttp, TemplateScope, Withheld};
use crate::flows::base::records::{InstallRecord, IntegrationRecord};
use crate::flows::config::padded_secrets::refuse_padded_context;
use crate::flows::config::redaction::Redactor;
use crate::flows::messages::account::{AccountView, IntegrationView};
use crate::settings::{PrivateUpstreams, Settings};

pub use load::{
    AccountOverride, PublishedPair, compiled, load, load_to_change, of_install, published,
};

/// The configuration of one account.
#[derive(Clone)]
pub struct ResolvedConfig {
    pub integration: Rc<IntegrationRecord>,
    pub install: Rc<InstallRecord>,
    pub compiled: Rc<Compiled>,
}

impl ResolvedConfig {
    /// The view of an account with its integration. The context must have no secrets.
    pub fn view(&self, account: Account) -> AccountView {
        AccountView {
            account,
            integration: self.integration.view(),
        }
    }
}

/// A compiled configuration, and what is derived from it.
pub struct Compiled {
    /// The configuration, its templates and expressions compiled.
    pub config: Config,
    variables: InstallVariables,
    definitions: BTreeMap<String, Definition>,
    /// The root `integration` of placeholders.
    pub integration: Value,
    /// The context keys whose field says `allow_dots`.
    pub dotted_keys: BTreeSet<String>,
    /// The secrets of the file and the install that are long enough to be redacted.
    pub secret_texts: Vec<String>,
    /// The places of the OAuth token that the file sends as a credential.
    pub token_secrets: BTreeSet<Vec<String>>,
    redactor: OnceCell<Rc<Redactor>>,
    /// The fields that the file reads to choose hosts, authenticate or compute: a customer cannot change them by `/me`.
    pub steered: BTreeSet<String>,
    password_fields: BTreeSet<String>,
    /// Set when it may not be used: an override has entries that its writer may not write.
    refused: Option<Failure>,
}

/// The install's variables.
struct InstallVariables {
    /// The root `environment_variables` of placeholders, with the secret ones.
    all: Value,
    /// The root `public_variables`.
    public: Value,
    /// Secrets that were set for another use.
    withheld: Withheld,
}

impl Compiled {
    /// The scope of placeholders. `shown` is the public half of the context. Every rendered template uses this scope or
    /// the public one.
    pub fn scope<'a>(&'a self, context: &'a Value, shown: &'a Value) -> TemplateScope<'a> {
        TemplateScope::new(context)
            .with_integration(&self.integration)
            .with_environment_variables(&self.variables.all)
            .with_public(shown, &self.variables.public)
            .without(&self.variables.withheld)
    }

    /// The install's variables, each secret one as `mask` leaves it.
    pub fn masked_variables(&self, mask: impl Fn(&mut Value)) -> Value {
        let mut all = self.variables.all.clone();
        for (name, value) in all.as_object_mut().into_iter().flatten() {
            if self.variables.public.get(name) != Some(&*value) {
                mask(value);
            }
        }
        all
    }

    /// The scope without any secret, for expressions and results.
    pub fn public_scope<'a>(&'a self, shown: &'a Value) -> TemplateScope<'a> {
        TemplateScope::new(shown)
            .with_integration(&self.integration)
            .with_environment_variables(&self.variables.public)
            .with_public(shown, &self.variables.public)
    }

    /// A digest of what decides the records of a sync: what the file says of it, and what its placeholders read of the public
    /// half of the context and the variables. A new token is no new definition.
    pub fn definition_of_sync(&self, name: &str, shown: &Value) -> String {
        let Some(definition) = self.definitions.get(name) else {
            return String::new();
        };
        let scope = self.public_scope(shown);
        let read: Vec<_> = definition
            .reads
            .iter()
            .map(|path| scope.lookup(path))
            .collect();
        crypto::sha256_hex(json!([definition.digest, read]).to_string().as_bytes())
    }

    /// 409 where an override has entries that only the admin token may write, and the admin token did not write them.
    fn usable(self: Rc<Self>) -> Result<Rc<Self>, Failure> {
        match &self.refused {
            Some(refused) => Err(refused.clone()),
            None => Ok(self),
        }
    }

    /// The redactor of the secrets of the file and the install alone.
    pub fn redactor(&self) -> Rc<Redactor> {
        let build = || Rc::new(Redactor::new(self, &Value::Null, &Value::Null));
        Rc::clone(self.redactor.get_or_init(build))
    }

    /// The public and the secret half of a context: by the password fields of this configuration, and by what is sealed
    /// already, which stays secret (null: nothing is stored yet).
    pub fn split_context(&self, context: &Value, sealed: &Value) -> (Value, Value) {
        secrets::split_context(context, &self.password_fields, sealed)
    }

    /// 422 where a secret of a context that a caller sends begins or ends with white space.
    pub fn refuse_padded(&self, values: &Value, sealed: &Value) -> Result<(), Failure> {
        refuse_padded_context(values, &self.password_fields, sealed)
    }

    /// Whether the file fixes the provider's hosts. Then their responses count as set by the provider. Where the file
    /// allows any host and the context names it, they count as set by the one who set that value.
    pub fn fixes_provider(&self) -> bool {
        let is_any = self.config.allowed_hosts.as_ref();
        let is_any = is_any.is_some_and(AllowedHosts::is_any);
        !is_any
            || self
                .config
                .urls()
                .iter()
                .all(|(_, url)| url.host_is_pinned())
    }

    /// Whether a value changes that was set and decides where the secrets of this credential are sent.
    pub fn moves_host(&self, method: &str, old: &Value, new: &Value) -> bool {
        let keys = self.config.aiming_keys(method);
        keys.iter().any(|key| {
            old.get(key).is_some_and(|value| !value.is_null()) && old.get(key) != new.get(key)
        })
    }

    /// The rules for the hosts of its URLs.
    pub fn pins(&self, settings: &Settings) -> Pins<'_> {
        Pins {
            allowed_hosts: self.config.allowed_hosts.as_ref(),
            dotted_keys: &self.dotted_keys,
            plain_http: match settings.private_upstreams {
                PrivateUpstreams::Refused => PlainHttp::Refused,
                PrivateUpstreams::Allowed => PlainHttp::Allowed,
            },
        }
    }

    /// 422 where the integration has no credential of this format.
    pub fn check_credential(&self, method: &str) -> Result<(), Failure> {
        let known: Vec<&str> = self.config.credentials.keys().map(String::as_str).collect();
        if known.contains(&method) {
            return Ok(());
        }
        let message = if known.is_empty() {
            "the integration has no credentials".to_owned()
        } else {
            format!("is not one of: {}", known.join(", "))
        };
        Err(Failure::invalid("authentication_method", message))
    }

    /// Checks the required fields of an API key and fills in defaults: no call works without them. An OAuth account may
    /// have a token that was obtained elsewhere, without the fields of the form.
    pub fn complete_context(&self, method: &str, context: &mut Value) -> Result<(), Failure> {
        let credential = self.config.credential(method);
        let fields = credential
            .filter(|credential| credential.oauth().is_none() && !credential.redirects())
            .map(Credential::fields);
        let mut complaints = Vec::new();
        for field in fields.unwrap_or_default() {
            let is_visible = field.is_visible(context);
            let is_there = context
                .get(&field.name)
                .is_some_and(|value| !value.is_null() && value != "");
            match (&field.default, context.as_object_mut()) {
                _ if is_there || !is_visible => {}
                (Some(default), Some(context)) => {
                    drop(context.insert(field.name.clone(), default.clone()));
                }
                _ if field.required => complaints.push(Complaint {
                    path: format!("context.{}", field.name),
                    message: "is required".to_owned(),
                }),
                _ => {}
            }
        }
        for field in fields.unwrap_or_default() {
            fill_by_choice(field, context);
        }
        if complaints.is_empty() {
            Ok(())
        } else {
            Err(Failure::invalid_in(&complaints))
        }
    }
}

/// What a choice of the form fills, where the context does not say it itself.
fn fill_by_choice(field: &Field, context: &mut Value) {
    let Value::Object(context) = context else {
        return;
    };
    let chosen = context.get(&field.name);
    let choice = field
        .options
        .iter()
        .find(|choice| Some(&choice.value) == chosen);
    for (key, value) in choice.iter().flat_map(|choice| &choice.set) {
        context.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

impl IntegrationRecord {
    pub fn view(&self) -> IntegrationView {
        IntegrationView {
            id: self.id,
            name: self.name.clone(),
            category: self.category.clone(),
            is_beta: self.is_beta,
        }
    }
}
