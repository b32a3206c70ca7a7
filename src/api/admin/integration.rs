//! `/integration`: files shared by all environments, written with the admin token, read by all.

use http::HeaderMap;
use http::header::IF_MATCH;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::Saved;
use super::call::{AdminCall, JsonBody};
use super::noun::{Deletable, Findable, Noun};
use crate::api::path_id::{IntegrationKey, PathId};
use crate::api::query::{FilterField, Filtered};
use crate::config::{Finding, Level};
use crate::error::Failure;
use crate::flows::base::records::{IntegrationRecord, PageRequest};
use crate::flows::base::view::view;
use crate::flows::config::config_cache;
use crate::flows::directory::validate_integration::{check, checked_file};
use crate::flows::messages::{RootMessage, Saving, WriteResult, send_to_root};
use crate::ids::IntegrationId;
use crate::ports::Outside;
use crate::time::Timestamp;

/// An integration file. `config::read_file` reads it, and finds all that is wrong with it.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(in crate::api) struct SentIntegrationFile(#[schemars(with = "FileOutline")] Value);

/// A patch of an integration file.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(in crate::api) struct IntegrationFilePatch(#[schemars(with = "PatchOutline")] Value);

/// An integration file; `/integration.schema.json` has its whole schema.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "IntegrationFile")]
#[expect(
    dead_code,
    reason = "only its schema is used: that of the file has 90 KB"
)]
struct FileOutline {
    name: String,
    category: Option<String>,
    #[serde(default)]
    is_beta: bool,
    config: Map<String, Value>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is used")]
struct PatchOutline {
    /// The version it is meant for.
    #[schemars(range(min = 1), extend("type" = "integer"))]
    version: Option<u64>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

view! {
    /// An integration.
    #[schemars(rename = "Integration")]
    ShownIntegration of IntegrationRecord {
        id: IntegrationId,
        /// The slug used in URLs; unique.
        name: String,
        /// For sorting.
        category: Option<String>,
        /// Not finished yet.
        is_beta: bool,
        /// 1, then one more with each change.
        version: u64,
        /// The `config` of its file, without write-only secrets.
        config: Value,
        created_at: Timestamp,
        updated_at: Timestamp,
    } hides { sealed: _ }
}

/// The integration, and what to look at in its file.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SavedIntegration")]
pub(in crate::api) struct IntegrationSaved {
    #[serde(flatten)]
    record: ShownIntegration,
    findings: Vec<Finding>,
}

/// What is wrong with the file; nothing is stored.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct Validation {
    valid: bool,
    findings: Vec<Finding>,
}

impl Filtered for ShownIntegration {
    const FILTERS: &'static [FilterField] = &[
        FilterField::text("name"),
        FilterField::text("category"),
        FilterField::flag("is_beta"),
        FilterField::time("created_at"),
    ];
}

impl Noun for ShownIntegration {
    type Record = IntegrationRecord;
    type Message = RootMessage;

    fn list(page: PageRequest) -> RootMessage {
        RootMessage::ListIntegrations(page)
    }

    fn show<O: Outside>(_: &AdminCall<'_, O>, record: IntegrationRecord) -> Self {
        record.into()
    }
}

impl Findable for ShownIntegration {
    type Id = IntegrationKey;

    fn find(key: IntegrationKey) -> RootMessage {
        RootMessage::FindIntegration(key.0)
    }
}

impl Deletable for IntegrationKey {
    type Message = RootMessage;
    type Gone = IntegrationId;
    type Named = IntegrationId;

    fn delete(&self) -> RootMessage {
        RootMessage::DeleteIntegration(self.0.clone())
    }

    fn forget<O: Outside>(self, call: &AdminCall<'_, O>, id: IntegrationId) -> IntegrationId {
        let isolate = call.context.isolate;
        config_cache::forget::<IntegrationRecord>(call.outside(), isolate, &id.to_string());
        id
    }
}

pub(in crate::api) async fn validate<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, Value>,
) -> Result<Validation, Failure> {
    let findings = check(&body.read(call).await?).findings;
    let valid = findings.iter().all(|finding| finding.level != Level::Error);
    Ok(Validation { valid, findings })
}

pub(in crate::api) async fn create<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, SentIntegrationFile>,
) -> Result<IntegrationSaved, Failure> {
    let SentIntegrationFile(file) = body.read(call).await?;
    Ok(save(call, Saving::Create, &file).await?.record)
}

pub(in crate::api) async fn replace<O: Outside>(
    call: &AdminCall<'_, O>,
    name: &PathId<IntegrationKey>,
    body: JsonBody<O, SentIntegrationFile>,
) -> Result<Saved<IntegrationSaved>, Failure> {
    let SentIntegrationFile(file) = body.read(call).await?;
    let IntegrationKey(name) = name.parse()?;
    let own = file.get("name").and_then(Value::as_str);
    if own.is_some_and(|own| own != name) {
        return Err(Failure::invalid(
            "name",
            format!("is not `{name}`, the name in the path"),
        ));
    }
    save(call, Saving::Replace, &file).await
}

/// `version` in the body, or `If-Match` (RFC 9110 §13.1.1), is the version that the change is meant for.
pub(in crate::api) async fn change<O: Outside>(
    call: &AdminCall<'_, O>,
    key: &PathId<IntegrationKey>,
    body: JsonBody<O, IntegrationFilePatch>,
) -> Result<ShownIntegration, Failure> {
    let IntegrationFilePatch(mut patch) = body.read(call).await?;
    let fields = patch
        .as_object_mut()
        .ok_or_else(|| Failure::invalid("", "The body is not an object."))?;
    let version = match fields.shift_remove("version") {
        Some(version) => version
            .as_u64()
            .ok_or_else(|| Failure::invalid("version", "is not a version number"))?,
        None => if_match(&call.headers)?,
    };
    let IntegrationKey(key) = key.parse()?;
    let ask = RootMessage::ChangeIntegration(key, version, patch);
    Ok(write(call, &ask).await?.record)
}

fn if_match(headers: &HeaderMap) -> Result<u64, Failure> {
    let text = headers.get(IF_MATCH).and_then(|value| value.to_str().ok());
    let version = text.and_then(|text| {
        text.trim()
            .trim_start_matches("W/")
            .trim_matches('"')
            .parse()
            .ok()
    });
    version.ok_or_else(|| {
        Failure::invalid(
            "version",
            "is required (or the header If-Match): the version this change is meant for",
        )
    })
}

async fn save<O: Outside>(
    call: &AdminCall<'_, O>,
    saving: Saving,
    file: &Value,
) -> Result<Saved<IntegrationSaved>, Failure> {
    let (file, findings) = checked_file(file)?;
    let saved = write(call, &RootMessage::SaveIntegration(saving, file)).await?;
    Ok(Saved {
        record: IntegrationSaved {
            record: saved.record,
            findings,
        },
        is_new: saved.is_new,
    })
}

/// The isolate that writes replaces its copy at once.
async fn write<O: Outside>(
    call: &AdminCall<'_, O>,
    ask: &RootMessage,
) -> Result<Saved<ShownIntegration>, Failure> {
    let written: WriteResult<IntegrationRecord> = send_to_root(call.outside(), ask).await?;
    let WriteResult { record, is_new } = written;
    let id = record.id.to_string();
    let shown = ShownIntegration::from(record.clone());
    config_cache::replace(call.outside(), call.context.isolate, &id, record);
    Ok(Saved {
        record: shown,
        is_new,
    })
}
