//! `/environment-integration`: installs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::Saved;
use super::call::{AdminCall, JsonBody};
use super::integration::ShownIntegration;
use super::noun::{self, Deletable, Findable, Noun};
use super::webhook_url;
use crate::api::path_id::{IntegrationKey, PathId};
use crate::api::query::{FilterField, Filtered};
use crate::error::Failure;
use crate::flows::base::records::{InstallRecord, IntegrationRecord, PageRequest};
use crate::flows::base::view::view;
use crate::flows::config::config_cache;
use crate::flows::config::stored_secrets::file_bound;
use crate::flows::directory::validate_install::{Changed, new_override};
use crate::flows::messages::environment::{EnvironmentMessage, InstallChange};
use crate::flows::messages::{WriteResult, send_to_environment};
use crate::ids::{EnvironmentId, InstallId, IntegrationId};
use crate::ports::Outside;
use crate::time::Timestamp;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewEnvironmentIntegration")]
pub(in crate::api) struct NewInstall {
    environment_id: Option<String>,
    integration_id: Option<String>,
    integration_name: Option<String>,
    #[serde(default = "yes")]
    is_enabled: bool,
    #[serde(default = "yes")]
    show_in_catalog: bool,
    #[serde(default)]
    edge_calls: bool,
    #[serde(default, rename = "override")]
    overrides: Value,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EnvironmentIntegrationChange")]
pub(in crate::api) struct InstallPatch {
    environment_id: Option<String>,
    is_enabled: Option<bool>,
    show_in_catalog: Option<bool>,
    edge_calls: Option<bool>,
    #[serde(rename = "override")]
    overrides: Option<Value>,
}

fn yes() -> bool {
    true
}

view! {
    /// The public fields of an install.
    InstallFields of InstallRecord {
        id: InstallId,
        environment_id: EnvironmentId,
        /// The integration that is installed.
        integration_id: IntegrationId,
        integration_name: String,
        /// A disabled install refuses calls.
        is_enabled: bool,
        /// Whether the connect page offers it.
        show_in_catalog: bool,
        /// Whether calls to its accounts outside `eu` may be sent from the caller's edge, with a lease of the credential.
        edge_calls: bool,
        /// 1, then one more with each change.
        version: u64,
        /// Changes to the config, and `environment_variables`; its secrets are write-only.
        #[serde(rename = "override")]
        overrides: Value,
        created_at: Timestamp,
        updated_at: Timestamp,
    } hides { by_admin_token: _, sealed: _ }
}

/// An install.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EnvironmentIntegration")]
pub(in crate::api) struct ShownInstall {
    #[serde(flatten)]
    record: InstallFields,
    /// The URL for webhooks of its provider; null while no key can sign it.
    webhook_url: Option<String>,
}

impl Filtered for ShownInstall {
    const FILTERS: &'static [FilterField] = &[
        FilterField::text("integration.name").stored_as("integration_name"),
        FilterField::text("integration_id"),
        FilterField::flag("is_enabled"),
        FilterField::flag("show_in_catalog"),
        FilterField::time("created_at"),
    ];
}

impl Noun for ShownInstall {
    type Record = InstallRecord;
    type Message = EnvironmentMessage;

    fn list(page: PageRequest) -> EnvironmentMessage {
        EnvironmentMessage::ListInstalls(page)
    }

    fn show<O: Outside>(call: &AdminCall<'_, O>, record: InstallRecord) -> Self {
        Self {
            webhook_url: webhook_url::of_install(call, record.id),
            record: record.into(),
        }
    }
}

impl Findable for ShownInstall {
    type Id = InstallId;

    fn find(id: InstallId) -> EnvironmentMessage {
        EnvironmentMessage::FindInstall(id)
    }
}

impl Deletable for InstallId {
    type Message = EnvironmentMessage;
    type Gone = IntegrationId;
    type Named = Self;

    fn delete(&self) -> EnvironmentMessage {
        EnvironmentMessage::DeleteInstall(*self)
    }

    fn forget<O: Outside>(self, call: &AdminCall<'_, O>, _: IntegrationId) -> Self {
        let isolate = call.context.isolate;
        config_cache::forget::<InstallRecord>(call.outside(), isolate, &self.to_string());
        self
    }
}

pub(in crate::api) async fn create<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, NewInstall>,
) -> Result<Saved<ShownInstall>, Failure> {
    let new = body.read(call).await?;
    let environment = call.environment(new.environment_id.as_deref())?;
    let integration = find_integration(call, &new).await?;
    let outside = call.outside();
    let secrets = file_bound(outside, &integration)?;
    let changed = Changed {
        config: &integration.config,
        secrets: &secrets,
    };
    let stored = new_override(changed, &new.overrides, call.caller.writer())?;
    let now = outside.now();
    let record = InstallRecord {
        id: InstallId::new(now, outside.random()),
        environment_id: environment,
        integration_id: integration.id,
        integration_name: integration.name,
        is_enabled: new.is_enabled,
        show_in_catalog: new.show_in_catalog,
        edge_calls: new.edge_calls,
        version: 1,
        overrides: stored.public,
        by_admin_token: stored.trusted,
        created_at: now,
        updated_at: now,
        sealed: None,
    };
    let ask = EnvironmentMessage::CreateInstall(record, stored.secrets);
    let written = send_to_environment(outside, environment, &ask).await?;
    Ok(saved(call, written))
}

pub(in crate::api) async fn change<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<InstallId>,
    body: JsonBody<O, InstallPatch>,
) -> Result<ShownInstall, Failure> {
    let patch = body.read(call).await?;
    let environment = call.environment(patch.environment_id.as_deref())?;
    let id = id.parse()?;
    let install = noun::find::<ShownInstall, O>(call, environment, id).await?;
    let key = IntegrationKey(install.integration_id.to_string());
    let change = InstallChange {
        is_enabled: patch.is_enabled,
        show_in_catalog: patch.show_in_catalog,
        edge_calls: patch.edge_calls,
        overrides: patch.overrides,
        integration: noun::find::<ShownIntegration, O>(call, (), key).await?,
        writer: call.caller.writer(),
    };
    let ask = EnvironmentMessage::ChangeInstall(id, change);
    let written = send_to_environment(call.outside(), environment, &ask).await?;
    Ok(saved(call, written).record)
}

/// The isolate that writes replaces its copy at once.
fn saved<O: Outside>(
    call: &AdminCall<'_, O>,
    written: WriteResult<InstallRecord>,
) -> Saved<ShownInstall> {
    let WriteResult { record, is_new } = written;
    let id = record.id.to_string();
    let shown = ShownInstall::show(call, record.clone());
    config_cache::replace(call.outside(), call.context.isolate, &id, record);
    Saved {
        record: shown,
        is_new,
    }
}

async fn find_integration<O: Outside>(
    call: &AdminCall<'_, O>,
    new: &NewInstall,
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
                "cannot be given with integration_id: name one of them",
            ));
        }
    };
    noun::find::<ShownIntegration, O>(call, (), IntegrationKey(key)).await
}
