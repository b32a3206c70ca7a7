//! Loads the published records of an account or an install, and compiles them once per version.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::account::Account;
use crate::config::reserved::Trusted;
use crate::crypto;
use crate::error::Failure;
use crate::flows::base::records::{InstallRecord, IntegrationRecord};
use crate::flows::config::config_cache;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::resolved_config::compile::compile;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::ports::{Outside, System};

/// The published records of an account.
pub struct PublishedPair {
    pub integration: Rc<IntegrationRecord>,
    pub install: Rc<InstallRecord>,
}

/// Loads and compiles the configuration of `account`, for calls.
pub async fn load(
    outside: &impl Outside,
    isolate: &Isolate,
    account: &Account,
) -> Result<ResolvedConfig, Failure> {
    let published = published(outside, isolate, account).await?;
    let compiled = compiled(outside, isolate, account, &published)?.usable()?;
    Ok(ResolvedConfig {
        integration: published.integration,
        install: published.install,
        compiled,
    })
}

/// Loads and compiles it for views and changes, also where it may not be used for calls.
pub async fn load_to_change(
    outside: &impl Outside,
    isolate: &Isolate,
    account: &Account,
) -> Result<ResolvedConfig, Failure> {
    let published = published(outside, isolate, account).await?;
    let compiled = compiled(outside, isolate, account, &published)?;
    Ok(ResolvedConfig {
        integration: published.integration,
        install: published.install,
        compiled,
    })
}

/// The configuration of an install, without an account's own changes.
pub async fn of_install(
    outside: &impl Outside,
    isolate: &Isolate,
    install: Rc<InstallRecord>,
) -> Result<ResolvedConfig, Failure> {
    let integration = config_cache::integration(outside, isolate, install.integration_id).await?;
    let published = PublishedPair {
        integration: integration.ok_or_else(|| Failure::not_found("integration"))?,
        install,
    };
    let compiled =
        compiled_with(outside, isolate, AccountOverride::default(), &published)?.usable()?;
    Ok(ResolvedConfig {
        integration: published.integration,
        install: published.install,
        compiled,
    })
}

pub async fn published(
    outside: &impl Outside,
    isolate: &Isolate,
    account: &Account,
) -> Result<PublishedPair, Failure> {
    let install = config_cache::install(
        outside,
        isolate,
        account.environment_id,
        account.environment_integration_id,
    )
    .await?;
    let install = install.ok_or_else(|| Failure::not_found("environment integration"))?;
    let integration = config_cache::integration(outside, isolate, install.integration_id).await?;
    let integration = integration.ok_or_else(|| Failure::not_found("integration"))?;
    Ok(PublishedPair {
        integration,
        install,
    })
}

/// The configuration of these records with the account's own changes, compiled once per version.
pub fn compiled(
    outside: &impl System,
    isolate: &Isolate,
    account: &Account,
    published: &PublishedPair,
) -> Result<Rc<Compiled>, Failure> {
    compiled_with(outside, isolate, AccountOverride::of(account), published)
}

#[derive(Clone, Copy, Default)]
pub struct AccountOverride<'a> {
    pub(super) changes: Option<&'a Value>,
    pub(super) trusted: Option<&'a Trusted>,
}

impl<'a> AccountOverride<'a> {
    pub fn of(account: &'a Account) -> Self {
        Self {
            changes: account.integration_override.as_ref(),
            trusted: Some(&account.override_by_admin_token),
        }
    }
}

fn compiled_with(
    outside: &impl System,
    isolate: &Isolate,
    own: AccountOverride,
    published: &PublishedPair,
) -> Result<Rc<Compiled>, Failure> {
    let key = cache_key(published, own);
    if let Some(compiled) = isolate.compiled(&key) {
        return Ok(compiled);
    }
    let (compiled, bytes) = compile(outside, published, own)?;
    let compiled = Rc::new(compiled);
    isolate.keep_compiled(key, bytes, Rc::clone(&compiled));
    Ok(compiled)
}

fn cache_key(published: &PublishedPair, own: AccountOverride) -> String {
    let PublishedPair {
        integration,
        install,
    } = published;
    let trusted = own.trusted.filter(|trusted| !trusted.is_empty());
    let own = own.changes.map(|changes| {
        let text = json!([changes, trusted]).to_string();
        crypto::sha256_hex(text.as_bytes())
    });
    format!(
        "{}/{}/{}/{}/{}",
        integration.id,
        integration.version,
        install.id,
        install.version,
        own.unwrap_or_default()
    )
}
