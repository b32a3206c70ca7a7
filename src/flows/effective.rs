//! What an account's integration comes to: the published file with the install's changes and the
//! account's own, compiled once per version and shared by all objects of the isolate.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::account::Account;
use crate::config::Level;
use crate::config::{self, Config, Credential, overrides, secrets};
use crate::crypto;
use crate::error::{Code, Complaint, Failure};
use crate::expression::{Pins, PlainHttp};
use crate::flows::ask::{AccountView, IntegrationView};
use crate::flows::directory::{file_secrets, override_secrets};
use crate::flows::isolate::Isolate;
use crate::flows::records::{InstallRecord, IntegrationRecord};
use crate::flows::redaction::texts_of;
use crate::flows::{published, sealed};
use crate::json as words;
use crate::ports::Outside;
use crate::settings::{PrivateUpstreams, Settings};

/// A config as it counts for one account.
pub struct Effective {
    /// The published integration.
    pub integration: Rc<IntegrationRecord>,
    /// The published install.
    pub install: Rc<InstallRecord>,
    /// Compiled.
    pub compiled: Rc<Compiled>,
}

impl Effective {
    /// An account, its context without secrets, beside its integration.
    pub fn view(&self, account: Account) -> AccountView {
        AccountView {
            account,
            integration: self.integration.view(),
        }
    }
}

/// A compiled config, with what belongs to it.
pub struct Compiled {
    /// Templates and expressions are ready to run.
    pub config: Config,
    /// The root `environment_variables` of placeholders, secret ones included.
    pub environment_variables: Value,
    /// The root `integration` of placeholders.
    pub integration: Value,
    /// The context keys whose field says `allow_dots`.
    pub dotted_keys: BTreeSet<String>,
    /// What the file and the install keep secret, as far as it can be told apart from other texts.
    pub secret_texts: Vec<String>,
    password_fields: BTreeSet<String>,
}

impl Compiled {
    /// The public and the secret half of a context, by this config's password fields.
    pub fn split_context(&self, context: &Value) -> (Value, Value) {
        secrets::split_context(context, &self.password_fields)
    }

    /// Whether a value that decides scheme, host or port of a URL, and was there, is another.
    pub fn moves_host(&self, old: &Value, new: &Value) -> bool {
        let keys = self.config.origin_keys();
        keys.iter().any(|key| {
            old.get(key).is_some_and(|value| !value.is_null()) && old.get(key) != new.get(key)
        })
    }

    /// What fixes the hosts of its URLs.
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

    /// An account is connected by one of the integration's credentials.
    pub fn check_credential(&self, method: &str) -> Result<(), Failure> {
        let known: Vec<&str> = self.config.credentials.keys().map(String::as_str).collect();
        if known.contains(&method) {
            return Ok(());
        }
        let words = if known.is_empty() {
            "the integration has no credentials".to_owned()
        } else {
            format!("is not one of: {}", known.join(", "))
        };
        Err(Failure::invalid("authentication_method", words))
    }

    /// An API key's required fields must be there, now or by their default: without them no call can
    /// ever work. An OAuth account may bring a token that was had elsewhere, without the form's fields.
    pub fn complete_context(&self, method: &str, context: &mut Value) -> Result<(), Failure> {
        let credential = self.config.credential(method);
        let fields = credential
            .filter(|credential| credential.oauth().is_none())
            .map(Credential::fields);
        let mut complaints = Vec::new();
        for field in fields.unwrap_or_default() {
            let is_there = context
                .get(&field.name)
                .is_some_and(|value| !value.is_null() && value != "");
            match (&field.default, context.as_object_mut()) {
                _ if is_there => {}
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
        if complaints.is_empty() {
            Ok(())
        } else {
            Err(Failure::invalid_in(&complaints))
        }
    }
}

impl IntegrationRecord {
    /// In few words.
    pub fn view(&self) -> IntegrationView {
        IntegrationView {
            id: self.id,
            name: self.name.clone(),
            category: self.category.clone(),
            is_beta: self.is_beta,
        }
    }
}

/// The published records an account depends on.
pub struct Published {
    /// Its integration.
    pub integration: Rc<IntegrationRecord>,
    /// Its install.
    pub install: Rc<InstallRecord>,
}

/// Loads and compiles what `account` is called with.
pub async fn load(
    outside: &impl Outside,
    isolate: &Isolate,
    account: &Account,
) -> Result<Effective, Failure> {
    let published = published(outside, isolate, account).await?;
    let compiled = compiled(outside, isolate, account, &published)?;
    Ok(Effective {
        integration: published.integration,
        install: published.install,
        compiled,
    })
}

/// The config of an install, without any account's own changes.
pub async fn of_install(
    outside: &impl Outside,
    isolate: &Isolate,
    install: Rc<InstallRecord>,
) -> Result<Effective, Failure> {
    let integration = published::integration(outside, isolate, install.integration_id).await?;
    let published = Published {
        integration: integration.ok_or_else(|| Failure::not_found("integration"))?,
        install,
    };
    let compiled = compiled_with(outside, isolate, None, &published)?;
    Ok(Effective {
        integration: published.integration,
        install: published.install,
        compiled,
    })
}

/// Loads the published records `account` depends on.
pub async fn published(
    outside: &impl Outside,
    isolate: &Isolate,
    account: &Account,
) -> Result<Published, Failure> {
    let install = published::install(
        outside,
        isolate,
        account.environment_id,
        account.environment_integration_id,
    )
    .await?;
    let install = install.ok_or_else(|| Failure::not_found("environment integration"))?;
    let integration = published::integration(outside, isolate, install.integration_id).await?;
    let integration = integration.ok_or_else(|| Failure::not_found("integration"))?;
    Ok(Published {
        integration,
        install,
    })
}

/// The config of these records with the account's own changes, compiled once per version.
pub fn compiled(
    outside: &impl Outside,
    isolate: &Isolate,
    account: &Account,
    published: &Published,
) -> Result<Rc<Compiled>, Failure> {
    let own = account.integration_override.as_ref();
    compiled_with(outside, isolate, own, published)
}

fn compiled_with(
    outside: &impl Outside,
    isolate: &Isolate,
    own: Option<&Value>,
    published: &Published,
) -> Result<Rc<Compiled>, Failure> {
    let Published {
        integration,
        install,
    } = published;
    let key = cache_key(integration, install, own);
    if let Some(compiled) = isolate.compiled(&key) {
        return Ok(compiled);
    }
    let (compiled, bytes) = compile(outside, integration, install, own)?;
    let compiled = Rc::new(compiled);
    isolate.keep_compiled(key, bytes, Rc::clone(&compiled));
    Ok(compiled)
}

fn cache_key(
    integration: &IntegrationRecord,
    install: &InstallRecord,
    own: Option<&Value>,
) -> String {
    let own = own
        .map(|own| crypto::sha256_hex(own.to_string().as_bytes()))
        .unwrap_or_default();
    format!(
        "{}/{}/{}/{}/{own}",
        integration.id, integration.version, install.id, install.version
    )
}

/// The config, compiled, and what it takes in memory.
fn compile(
    outside: &impl Outside,
    integration: &IntegrationRecord,
    install: &InstallRecord,
    own: Option<&Value>,
) -> Result<(Compiled, usize), Failure> {
    let (file_id, install_id) = (integration.id.to_string(), install.id.to_string());
    let file = opened(
        outside,
        file_secrets(&file_id),
        integration.sealed.as_deref(),
    )?;
    let own_secrets = opened(
        outside,
        override_secrets(&install_id),
        install.sealed.as_deref(),
    )?;
    let base = joined(&integration.config, &file);
    let changes = joined(&install.overrides, &own_secrets);
    let effective = overrides::effective(&base, &changes, own.unwrap_or(&Value::Null));
    let (config, findings) = config::read_config(&effective);
    let config = config.ok_or_else(|| {
        let errors: Vec<_> = findings.iter().filter(|finding| finding.level == Level::Error).collect();
        outside.log(&json!({ "level": "error", "event": "integration_invalid", "integration": integration.name, "version": integration.version, "environment_integration_id": install.id, "findings": errors }));
        Failure::new(Code::BadIntegration, format!("The integration `{}` with this account's overrides has mistakes; save it again to see them.", integration.name))
    })?;
    let compiled = Compiled {
        password_fields: config.password_fields(),
        dotted_keys: config.dotted_keys(),
        environment_variables: environment_variables(&changes),
        integration: json!({ "id": integration.id, "name": integration.name, "category": integration.category, "is_beta": integration.is_beta }),
        secret_texts: [texts_of(&file), texts_of(&own_secrets)].concat(),
        config,
    };
    let bytes = compiled.config.memory_bytes(words::length(&effective));
    Ok((compiled, bytes))
}

/// The secret half of a record; null where there is none.
fn opened(
    outside: &impl Outside,
    place: crate::account::seal::Place<'_>,
    text: Option<&str>,
) -> Result<Value, Failure> {
    text.map_or(Ok(Value::Null), |text| sealed::open(outside, place, text))
}

fn joined(public: &Value, secrets: &Value) -> Value {
    let mut whole = public.clone();
    if secrets.is_object() {
        words::merge(&mut whole, secrets);
    }
    whole
}

/// Clear and secret variables are one root; the secret ones win.
fn environment_variables(changes: &Value) -> Value {
    let mut variables = json!({});
    for key in ["environment_variables", "secret_environment_variables"] {
        if let Some(some) = changes.get(key).filter(|some| some.is_object()) {
            words::merge(&mut variables, some);
        }
    }
    variables
}
