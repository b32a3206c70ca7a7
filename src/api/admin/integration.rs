//! `/integration`: files shared by all environments, written with the admin token, read by all.

use http::HeaderMap;
use http::header::IF_MATCH;
use serde_json::{Value, json};
use url::Url;

use super::{Answer, created, deleted, listed, ok, pick};
use crate::api::Desk;
use crate::api::query::{Field, Query};
use crate::api::shape;
use crate::config::Level;
use crate::error::Failure;
use crate::flows::base::records::{IntegrationRecord, ListPage};
use crate::flows::config::config_cache;
use crate::flows::directory::validate_integration::{check, checked_file};
use crate::flows::messages::{RootMessage, Saving, WriteResult, send_to_root};
use crate::ids::IntegrationId;
use crate::json;
use crate::ports::{Body, Incoming, Outside};

/// What a list is narrowed by.
pub(in crate::api) const FIELDS: [Field; 4] = [
    Field::text("name"),
    Field::text("category"),
    Field::flag("is_beta"),
    Field::time("created_at"),
];

/// Its secrets are write-only. `findings` (what saving it warned of) stands in the answers that saved it.
pub(in crate::api) const SHOWN: [&str; 8] = [
    "id",
    "name",
    "category",
    "is_beta",
    "version",
    "config",
    "created_at",
    "updated_at",
];

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, url: &Url) -> Answer<O> {
    let (_, page) = Query::of_list(url, &[], &FIELDS)?;
    let found: ListPage<IntegrationRecord> =
        send_to_root(desk.outside, &RootMessage::ListIntegrations(page.clone())).await?;
    Ok(listed(&found, &page, shown))
}

pub(super) async fn get<O: Outside>(desk: &Desk<'_, O>, key: &str) -> Answer<O> {
    let found: Option<IntegrationRecord> =
        send_to_root(desk.outside, &RootMessage::FindIntegration(key.to_owned())).await?;
    Ok(ok(&shown(
        &found.ok_or_else(|| Failure::not_found("integration"))?,
    )))
}

pub(super) async fn validate<O: Outside>(desk: &Desk<'_, O>, body: Body<O::Stream>) -> Answer<O> {
    let findings = check(&shape::read_json(desk, body).await?).findings;
    let valid = findings.iter().all(|finding| finding.level != Level::Error);
    Ok(ok(&json!({ "valid": valid, "findings": findings })))
}

pub(super) async fn create<O: Outside>(desk: &Desk<'_, O>, body: Body<O::Stream>) -> Answer<O> {
    let file = shape::read_json(desk, body).await?;
    save(desk, Saving::Create, &file).await
}

pub(super) async fn replace<O: Outside>(
    desk: &Desk<'_, O>,
    name: &str,
    body: Body<O::Stream>,
) -> Answer<O> {
    let file = shape::read_json(desk, body).await?;
    if file
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(|own| own != name)
    {
        return Err(Failure::invalid(
            "name",
            format!("is not `{name}`, the name in the path"),
        ));
    }
    save(desk, Saving::Replace, &file).await
}

/// `version` in the body, or `If-Match` (RFC 9110 §13.1.1), says which version the change is meant for.
pub(super) async fn change<O: Outside>(
    desk: &Desk<'_, O>,
    key: &str,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    let mut patch = shape::read_json(desk, request.body).await?;
    let fields = patch
        .as_object_mut()
        .ok_or_else(|| Failure::invalid("", "The body is not an object."))?;
    let version = match fields.shift_remove("version") {
        Some(version) => version
            .as_u64()
            .ok_or_else(|| Failure::invalid("version", "is not a version number"))?,
        None => if_match(&request.headers)?,
    };
    let ask = RootMessage::ChangeIntegration(key.to_owned(), version, patch);
    let written: WriteResult<IntegrationRecord> = send_to_root(desk.outside, &ask).await?;
    let answer = ok(&shown(&written.record));
    config_cache::replace(
        desk.outside,
        desk.isolate,
        &written.record.id.to_string(),
        written.record,
    );
    Ok(answer)
}

pub(super) async fn delete<O: Outside>(desk: &Desk<'_, O>, key: &str) -> Answer<O> {
    let id: IntegrationId = send_to_root(
        desk.outside,
        &RootMessage::DeleteIntegration(key.to_owned()),
    )
    .await?;
    config_cache::forget::<IntegrationRecord>(desk.outside, desk.isolate, &id.to_string());
    Ok(deleted(&id))
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

async fn save<O: Outside>(desk: &Desk<'_, O>, saving: Saving, file: &Value) -> Answer<O> {
    let (file, warnings) = checked_file(file)?;
    let written: WriteResult<IntegrationRecord> =
        send_to_root(desk.outside, &RootMessage::SaveIntegration(saving, file)).await?;
    let mut view = shown(&written.record);
    json::merge(&mut view, &json!({ "findings": warnings }));
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

fn shown(record: &IntegrationRecord) -> Value {
    pick(record, &SHOWN)
}
