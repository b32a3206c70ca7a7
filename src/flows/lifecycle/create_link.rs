//! Creates a link token. Every error is reported now, to the developer, and not later, to the customer.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::error::{Code, Failure};
use crate::flows::base::context_limits::{check_patch, check_tenant};
use crate::flows::base::records::{
    Comparison, EnvironmentRecord, Filter, FilterValue, InstallRecord, LinkRecord, ListPage,
    PageRequest,
};
use crate::flows::config::padded_secrets::refuse_padded_context;
use crate::flows::messages::account::{AccountMessage, AccountView};
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::{RootMessage, send_to_account, send_to_environment, send_to_root};
use crate::ids::{AccountId, EnvironmentId, LinkTokenId, Region};
use crate::ports::{Outside, Visibility};
use crate::settings::PrivateUpstreams;

const MAX_SCOPES: usize = 200;
const MAX_SCOPE_CHARS: usize = 500;

pub enum LinkTarget {
    /// A new account of this tenant, in this region.
    NewAccount(String, Region),
    /// An existing account.
    Reconnect(AccountId),
}

/// The values of a new link token.
pub struct NewLink {
    pub aim: LinkTarget,
    /// The one integration that it offers.
    pub integration: Option<String>,
    /// Scopes to request instead of the integration's.
    pub scopes: Option<Vec<String>>,
    pub context: Value,
    pub redirect_uri: Option<String>,
    /// Whether a reconnected account keeps the other values of its context.
    pub persist_previous_context: bool,
    pub life: Duration,
    /// The SHA-256 of the token, in hex.
    pub hash: String,
}

pub async fn create_link(
    outside: &impl Outside,
    environment: EnvironmentId,
    visibility: &Visibility,
    new: NewLink,
) -> Result<LinkRecord, Failure> {
    check_patch(&new.context)?;
    refuse_padded_context(&new.context, &BTreeSet::new(), &Value::Null)?;
    check_scopes(new.scopes.as_deref())?;
    let found = environment_of(outside, environment).await?;
    if let Some(uri) = &new.redirect_uri {
        check_allowed(outside, &found, uri)?;
    }
    let (tenant_id, account, region, integration) = match new.aim {
        LinkTarget::NewAccount(tenant_id, region) => {
            check_tenant(&tenant_id)?;
            (tenant_id, None, region, new.integration)
        }
        LinkTarget::Reconnect(id) => {
            let view =
                send_to_account(outside, id, &AccountMessage::Get(visibility.clone())).await?;
            let name = own_integration(&view, environment, new.integration)?;
            let account = view.account;
            (account.tenant_id, Some(id), account.region, Some(name))
        }
    };
    if let Some(name) = &integration {
        check_installed(outside, environment, name).await?;
    }
    let now = outside.now();
    let record = LinkRecord {
        id: LinkTokenId::new(now, outside.random()),
        environment_id: environment,
        tenant_id,
        integrated_account_id: account,
        integration,
        scopes: new.scopes,
        redirect_uri: new.redirect_uri,
        application: Some(found.application),
        region,
        persist_previous_context: new.persist_previous_context,
        created_at: now,
        expires_at: now.plus(new.life),
        hash: new.hash,
        sealed: None,
        used: None,
    };
    let message = EnvironmentMessage::CreateLink(record, new.context);
    send_to_environment(outside, environment, &message).await
}

fn own_integration(
    view: &AccountView,
    environment: EnvironmentId,
    named: Option<String>,
) -> Result<String, Failure> {
    if view.account.environment_id != environment {
        return Err(Failure::not_found("integrated account"));
    }
    let own = view.integration.name.clone();
    match named {
        Some(named) if named != own => Err(Failure::invalid(
            "integration",
            format!("is not the account's integration, `{own}`"),
        )),
        _ => Ok(own),
    }
}

fn check_scopes(scopes: Option<&[String]>) -> Result<(), Failure> {
    let Some(scopes) = scopes else { return Ok(()) };
    let is_one = |scope: &String| {
        !scope.is_empty()
            && scope.chars().count() <= MAX_SCOPE_CHARS
            && !scope.chars().any(char::is_control)
    };
    if scopes.is_empty() || scopes.len() > MAX_SCOPES || !scopes.iter().all(is_one) {
        return Err(Failure::invalid(
            "scopes",
            format!(
                "needs 1 to {MAX_SCOPES} texts of 1 to {MAX_SCOPE_CHARS} characters; leave it out for the integration's scopes"
            ),
        ));
    }
    Ok(())
}

/// Checks that a redirect URI is https (or http on loopback in development), on an origin that the environment allows.
pub async fn check_redirect_uri(
    outside: &impl Outside,
    environment: EnvironmentId,
    uri: &str,
) -> Result<(), Failure> {
    check_allowed(outside, &environment_of(outside, environment).await?, uri)
}

async fn environment_of(
    outside: &impl Outside,
    environment: EnvironmentId,
) -> Result<EnvironmentRecord, Failure> {
    let message = RootMessage::FindEnvironment(environment);
    let record: Option<EnvironmentRecord> = send_to_root(outside, &message).await?;
    record.ok_or_else(|| Failure::not_found("environment"))
}

fn check_allowed(
    outside: &impl Outside,
    environment: &EnvironmentRecord,
    uri: &str,
) -> Result<(), Failure> {
    let refused = |why: &str| Failure::invalid("redirect_uri", why);
    // URL parsers disagree on these characters. The browser must read the URI as it was checked here.
    if uri.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control()) {
        return Err(refused(
            "contains a backslash, white space or a control character",
        ));
    }
    let url = Url::parse(uri).map_err(|_| refused("is not an absolute URL"))?;
    let is_loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
        && outside.settings().private_upstreams == PrivateUpstreams::Allowed;
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
        return Err(refused("is not https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("contains a user name or password"));
    }
    // Older records hold origins in other spellings than browsers use.
    let is_it =
        |allowed: &String| Url::parse(allowed).is_ok_and(|own| own.origin() == url.origin());
    let allowed = &environment.allowed_redirect_origins;
    if allowed.is_empty() || allowed.iter().any(is_it) {
        return Ok(());
    }
    Err(refused(
        "is on an origin that is not in the environment's allowed_redirect_origins",
    ))
}

async fn check_installed(
    outside: &impl Outside,
    environment: EnvironmentId,
    name: &str,
) -> Result<(), Failure> {
    let install = install_of(outside, environment, name).await?;
    match install {
        None => Err(Failure::invalid(
            "integration",
            "is not installed in this environment",
        )),
        Some(install) if !install.is_enabled => Err(Failure::install_disabled()),
        Some(_) => Ok(()),
    }
}

pub async fn install_of(
    outside: &impl Outside,
    environment: EnvironmentId,
    name: &str,
) -> Result<Option<InstallRecord>, Failure> {
    let page = PageRequest {
        limit: 1,
        after: None,
        filters: vec![Filter {
            field: "integration_name".to_owned(),
            comparison: Comparison::Is,
            value: FilterValue::Text(name.to_owned()),
        }],
    };
    let message = EnvironmentMessage::ListInstalls(page);
    let found: Result<ListPage<InstallRecord>, _> =
        send_to_environment(outside, environment, &message).await;
    match found {
        Ok(found) => Ok(found.result.into_iter().next()),
        Err(failure) if failure.code == Code::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}
