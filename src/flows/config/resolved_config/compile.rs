//! Merges the layers of a configuration. A secret is used only where it was set for, and an override applies only as
//! far as its writer may write it.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::config::binding::{Bound, FilePlace, Layers, Owner};
use crate::config::reads::{SecretNames, password_fields, token_secrets};
use crate::config::reserved::{OverrideLayer, Reserved, Trusted, moved};
use crate::config::syncs::definitions;
use crate::config::{self, Level, overrides, steering};
use crate::error::{Code, Failure};
use crate::expression::Withheld;
use crate::flows::config::redaction::secrets::texts_of;
use crate::flows::config::resolved_config::{
    AccountOverride, Compiled, InstallVariables, PublishedPair,
};
use crate::flows::config::stored_secrets::file_bound;
use crate::flows::config::stored_secrets::install_bound;
use crate::flows::config::stored_secrets::secret_names;
use crate::json;
use crate::ports::System;

/// The records of a configuration, their secrets opened.
struct OpenedLayers<'a> {
    published: &'a PublishedPair,
    file: Bound,
    install: Bound,
    account: &'a Value,
    trusted: &'a Trusted,
}

/// The findings on an account's override.
#[derive(Debug, Default)]
pub struct Review {
    /// The secrets that were set for another use.
    pub unbound: BTreeSet<(Owner, FilePlace)>,
    /// Entries that an API token may not write, and the admin token did not write.
    pub reserved: Vec<Reserved>,
    /// The configuration with the allowed entries of the override, without the override's secrets.
    pub resolved: Value,
}

static NOTHING: Value = Value::Null;
static NO_TRUST: Trusted = Trusted::new();

impl<'a> OpenedLayers<'a> {
    fn new(
        outside: &impl System,
        published: &'a PublishedPair,
        own: AccountOverride<'a>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            published,
            file: file_bound(outside, &published.integration)?,
            install: install_bound(outside, &published.install)?,
            account: own.changes.unwrap_or(&NOTHING),
            trusted: own.trusted.unwrap_or(&NO_TRUST),
        })
    }

    fn layers(&self) -> Layers<'_> {
        Layers {
            file: &self.published.integration.config,
            file_secrets: &self.file,
            install: &self.published.install.overrides,
            install_secrets: &self.install,
            account: self.account,
        }
    }

    fn install_override<'s>(&'s self, secrets: &'s SecretNames) -> OverrideLayer<'s> {
        OverrideLayer {
            below: &self.published.integration.config,
            changes: &self.published.install.overrides,
            trusted: &self.published.install.by_admin_token,
            secrets,
        }
    }

    fn account_override<'s>(
        &'s self,
        below: &'s Value,
        secrets: &'s SecretNames,
    ) -> OverrideLayer<'s> {
        OverrideLayer {
            below,
            changes: self.account,
            trusted: self.trusted,
            secrets,
        }
    }

    fn secret_names(&self) -> SecretNames {
        let config = &self.published.integration.config;
        secret_names(config, &self.install.secrets)
    }

    /// The configuration below the account's override, and the names that are secret to it.
    fn layers_below_account(
        &self,
        install: &Value,
        mut names: SecretNames,
    ) -> (Value, SecretNames) {
        let config = &self.published.integration.config;
        let below = overrides::effective(config, install, &Value::Null);
        names.password_fields.extend(password_fields(&below));
        (below, names)
    }
}

/// Reviews an account's override.
pub fn review(
    outside: &impl System,
    published: &PublishedPair,
    own: AccountOverride,
) -> Result<(Review, LowerLayers), Failure> {
    let opened = OpenedLayers::new(outside, published, own)?;
    let names = opened.secret_names();
    let install = opened.install_override(&names).guarded();
    let (below, names) = opened.layers_below_account(&install, names);
    let own = opened.account_override(&below, &names);
    let review = Review {
        unbound: opened.layers().unbound(),
        reserved: own.reserved(),
        resolved: own.resolved(),
    };
    Ok((review, LowerLayers { below, names }))
}

/// What an account's override is checked against.
#[derive(Debug)]
pub struct LowerLayers {
    below: Value,
    names: SecretNames,
}

impl LowerLayers {
    /// What a change of the override moves that an API token may not move.
    pub fn moved(&self, before: &Value, after: &Value) -> Vec<Reserved> {
        moved(before, after, &self.names)
    }

    /// The entries of the override that the admin token wrote, after this patch.
    pub fn trusted(&self, own: AccountOverride, patch: &Value) -> Trusted {
        let layer = OverrideLayer {
            below: &self.below,
            changes: own.changes.unwrap_or(&NOTHING),
            trusted: own.trusted.unwrap_or(&NO_TRUST),
            secrets: &self.names,
        };
        layer.trusted_with(patch)
    }
}

/// The compiled configuration, and its memory.
pub(in crate::flows) fn compile(
    outside: &impl System,
    published: &PublishedPair,
    own: AccountOverride,
) -> Result<(Compiled, usize), Failure> {
    let opened = OpenedLayers::new(outside, published, own)?;
    let names = opened.secret_names();
    let install_override = opened.install_override(&names);
    let install = install_override.guarded();
    let (below, account_names) = opened.layers_below_account(&install, names.clone());
    let account_override = opened.account_override(&below, &account_names);
    let account = account_override.guarded();
    let unbound = opened.layers().unbound();
    let guarded = Layers {
        install: &install,
        account: &account,
        ..opened.layers()
    };
    let mut resolved = guarded.resolved();
    let variables = variables(&guarded.changes(), &mut resolved, &unbound);
    let config = read(outside, published, &resolved)?;
    let mut entries = install_override.hosts();
    entries.extend(account_override.hosts());
    let mut secret_fields = config.password_fields();
    secret_fields.extend(account_names.password_fields);
    let integration = &published.integration;
    let bytes = config.memory_bytes(json::length(&resolved));
    let compiled = Compiled {
        password_fields: secret_fields,
        steered: steering::steered_fields(&config, &resolved),
        dotted_keys: config.dotted_keys(),
        variables,
        definitions: definitions(&resolved),
        integration: json!({ "id": integration.id, "name": integration.name, "category": integration.category, "is_beta": integration.is_beta }),
        token_secrets: token_secrets(&resolved),
        redactor: OnceCell::new(),
        secret_texts: [
            texts_of(&opened.file.secrets),
            texts_of(&opened.install.secrets),
        ]
        .concat(),
        refused: refused(&entries),
        config,
    };
    Ok((compiled, bytes))
}

fn read(
    outside: &impl System,
    published: &PublishedPair,
    resolved: &Value,
) -> Result<config::Config, Failure> {
    let (config, findings) = config::read_config(resolved);
    let integration = &published.integration;
    config.ok_or_else(|| {
        let errors: Vec<_> = findings.iter().filter(|finding| finding.level == Level::Error).collect();
        outside.log(&json!({ "level": "error", "event": "integration_invalid", "integration": integration.name, "version": integration.version, "environment_integration_id": published.install.id, "findings": errors }));
        Failure::new(Code::BadIntegration, format!("The integration `{}` with this account's overrides has errors; save it again to see them.", integration.name))
    })
}

/// Builds the variables. Every secret that was set for another use is replaced in the configuration by a placeholder
/// that cannot be filled.
fn variables(
    changes: &Value,
    resolved: &mut Value,
    unbound: &BTreeSet<(Owner, FilePlace)>,
) -> InstallVariables {
    let part = |key: &str| changes.get(key).filter(|part| part.is_object()).cloned();
    let public = part("environment_variables").unwrap_or_else(|| json!({}));
    // Clear and secret variables share one root; the secret ones take precedence.
    let mut all = public.clone();
    if let Some(secret) = part("secret_environment_variables") {
        json::merge(&mut all, &secret);
    }
    let mut withheld = Withheld::new();
    for (_, place) in unbound {
        if place.is_variable() {
            if let Value::Object(all) = &mut all {
                all.shift_remove(place.part(1));
            }
            withheld.insert(place.part(1).to_owned(), place.shown());
        } else {
            let name = withheld_name(place);
            put(
                resolved,
                place,
                format!("{{{{environment_variables.{name}}}}}"),
            );
            withheld.insert(name, place.shown());
        }
    }
    InstallVariables {
        all,
        public,
        withheld,
    }
}

/// A name that is valid in a placeholder.
fn withheld_name(place: &FilePlace) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let name = place.shown();
    name.chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect()
}

fn put(value: &mut Value, place: &FilePlace, text: String) {
    let target = place
        .0
        .iter()
        .try_fold(value, |value, key| value.get_mut(key));
    if let Some(target) = target {
        *target = Value::String(text);
    }
}

/// 409 that names the entries that their writer may not write.
fn refused(entries: &[FilePlace]) -> Option<Failure> {
    let first = entries.first()?.shown();
    let names: Vec<String> = entries.iter().map(FilePlace::shown).collect();
    let message = format!(
        "`{first}` of an override decides where requests go or how they are authenticated, and the admin token did not write it. Write it again with the admin token, or remove it."
    );
    let refused = Failure::new(Code::OverrideRefused, message);
    Some(refused.with_details(json!({ "entries": names })))
}
