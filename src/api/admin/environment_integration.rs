//! `/environment-integration`: installs.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::webhook_url::WebhookUrls;
use super::{Answer, created, deleted, environment, listed, ok, pick};
use crate::api::Desk;
use crate::api::caller::Caller;
use crate::api::query::{Field, Query};
use crate::api::shape;
use crate::error::Failure;
use crate::flows::base::records::{InstallRecord, IntegrationRecord, ListPage};
use crate::flows::config::config_cache;
use crate::flows::config::stored_secrets::file_bound;
use crate::flows::directory::validate_install::{Changed, new_override};
use crate::flows::messages::environment::{EnvironmentMessage, InstallChange};
use crate::flows::messages::{RootMessage, WriteResult, send_to_environment, send_to_root};
use crate::ids::{InstallId, IntegrationId};
use crate::ports::{Incoming, Outside};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewEnvironmentIntegration")]
pub(in crate::api) struct New {
    environment_id: Option<String>,
    integration_id: Option<String>,
    integration_name: Option<String>,
    #[serde(default = "yes")]
    is_enabled: bool,
    #[serde(default = "yes")]
    show_in_catalog: bool,
    #[serde(default, rename = "override")]
    overrides: Value,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EnvironmentIntegrationChange")]
pub(in crate::api) struct Change {
    environment_id: Option<String>,
    is_enabled: Option<bool>,
    show_in_catalog: Option<bool>,
    #[serde(rename = "override")]
    overrides: Option<Value>,
}

fn yes() -> bool {
    true
}

/// What a list is narrowed by.
pub(in crate::api) const FIELDS: [Field; 5] = [
    Field::text("integration.name").stored_as("integration_name"),
    Field::text("integration_id"),
    Field::flag("is_enabled"),
    Field::flag("show_in_catalog"),
    Field::time("created_at"),
];

/// The secrets of its override are write-only.
pub(in crate::api) const SHOWN: [&str; 10] = [
    "id",
    "environment_id",
    "integration_id",
    "integration_name",
    "is_enabled",
    "show_in_catalog",
    "version",
    "override",
    "created_at",
    "updated_at",
];

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, caller: &Caller, url: &Url) -> Answer<O> {
    let (query, page) = Query::of_list(url, &["environment_id"], &FIELDS)?;
    let environment = caller.environment(query.get("environment_id"))?;
    let found: ListPage<InstallRecord> = send_to_environment(
        desk.outside,
        environment,
        &EnvironmentMessage::ListInstalls(page.clone()),
    )
    .await?;
    let urls = WebhookUrls::at(desk, url);
    Ok(listed(&found, &page, |record| shown(&urls, record)))
}

pub(super) async fn get<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let environment = environment(caller, url, None)?;
    let id: InstallId = id.parse().map_err(|_| hidden())?;
    let found: Option<InstallRecord> = send_to_environment(
        desk.outside,
        environment,
        &EnvironmentMessage::FindInstall(id),
    )
    .await?;
    let urls = WebhookUrls::at(desk, url);
    Ok(ok(&shown(&urls, &found.ok_or_else(hidden)?)))
}

pub(super) async fn create<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let new: New = shape::read(desk, request.body).await?;
    let environment = environment(caller, &request.url, new.environment_id.as_deref())?;
    let integration = find_integration(desk, &new).await?;
    let secrets = file_bound(desk.outside, &integration)?;
    let changed = Changed {
        config: &integration.config,
        secrets: &secrets,
    };
    let stored = new_override(changed, &new.overrides, caller.writer())?;
    let now = desk.outside.now();
    let record = InstallRecord {
        id: InstallId::new(now, desk.outside.random()),
        environment_id: environment,
        integration_id: integration.id,
        integration_name: integration.name,
        is_enabled: new.is_enabled,
        show_in_catalog: new.show_in_catalog,
        version: 1,
        overrides: stored.public,
        by_admin_token: stored.trusted,
        created_at: now,
        updated_at: now,
        sealed: None,
    };
    let ask = EnvironmentMessage::CreateInstall(record, stored.secrets);
    let written: WriteResult<InstallRecord> =
        send_to_environment(desk.outside, environment, &ask).await?;
    let view = shown(&WebhookUrls::at(desk, &request.url), &written.record);
    let answer = if written.is_new {
        created(&view)
    } else {
        ok(&view)
    };
    config_cache::replace(
        desk.outside,
        desk.isolate,
        &written.record.id.to_string(),
        written.record,
    );
    Ok(answer)
}

pub(super) async fn change<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let change: Change = shape::read(desk, request.body).await?;
    let environment = environment(caller, &request.url, change.environment_id.as_deref())?;
    let id: InstallId = id.parse().map_err(|_| hidden())?;
    let install: Option<InstallRecord> = send_to_environment(
        desk.outside,
        environment,
        &EnvironmentMessage::FindInstall(id),
    )
    .await?;
    let key = install.ok_or_else(hidden)?.integration_id.to_string();
    let integration: Option<IntegrationRecord> =
        send_to_root(desk.outside, &RootMessage::FindIntegration(key)).await?;
    let integration = integration.ok_or_else(|| Failure::not_found("integration"))?;
    let change = InstallChange {
        is_enabled: change.is_enabled,
        show_in_catalog: change.show_in_catalog,
        overrides: change.overrides,
        integration,
        writer: caller.writer(),
    };
    let ask = EnvironmentMessage::ChangeInstall(id, change);
    let written: WriteResult<InstallRecord> =
        send_to_environment(desk.outside, environment, &ask).await?;
    let answer = ok(&shown(
        &WebhookUrls::at(desk, &request.url),
        &written.record,
    ));
    config_cache::replace(desk.outside, desk.isolate, &id.to_string(), written.record);
    Ok(answer)
}

pub(super) async fn delete<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    id: &str,
    url: &Url,
) -> Answer<O> {
    let environment = environment(caller, url, None)?;
    let id: InstallId = id.parse().map_err(|_| hidden())?;
    let _: IntegrationId = send_to_environment(
        desk.outside,
        environment,
        &EnvironmentMessage::DeleteInstall(id),
    )
    .await?;
    config_cache::forget::<InstallRecord>(desk.outside, desk.isolate, &id.to_string());
    Ok(deleted(&id))
}

async fn find_integration<O: Outside>(
    desk: &Desk<'_, O>,
    new: &New,
) -> Result<IntegrationRecord, Failure> {
    let key = match (&new.integration_id, &new.integration_name) {
        (Some(key), None) | (None, Some(key)) => key.clone(),
        (None, None) => {
            return Err(Failure::invalid(
                "integration_name",
                "is required (or integration_id)",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(Failure::invalid(
                "integration_name",
                "cannot stand beside integration_id: name one of them",
            ));
        }
    };
    let found: Option<IntegrationRecord> =
        send_to_root(desk.outside, &RootMessage::FindIntegration(key)).await?;
    found.ok_or_else(|| Failure::not_found("integration"))
}

fn hidden() -> Failure {
    Failure::not_found("environment integration")
}

fn shown(urls: &WebhookUrls<'_, impl Outside>, record: &InstallRecord) -> Value {
    urls.of_install(record.id, pick(record, &SHOWN))
}
