//! `/integration`: files shared by all environments, written with the admin token, read by all.

use serde_json::{Value, json};
use url::Url;

use super::{Answer, created, listed, ok, pick};
use crate::api::Desk;
use crate::api::query::Query;
use crate::api::shape;
use crate::config::Level;
use crate::error::Failure;
use crate::flows::ask::{RootAsk, Saving, Written, ask_root};
use crate::flows::published;
use crate::flows::records::{IntegrationRecord, Listed};
use crate::flows::save_integration::{check, checked_file};
use crate::json;
use crate::ports::{Body, HttpClient, Outside};

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, url: &Url) -> Answer<O> {
    let page = Query::read(url, &["limit", "next_cursor"])?.page()?;
    let found: Listed<IntegrationRecord> =
        ask_root(desk.outside, &RootAsk::ListIntegrations(page.clone())).await?;
    Ok(listed(&found, &page, shown))
}

pub(super) async fn get<O: Outside>(desk: &Desk<'_, O>, key: &str) -> Answer<O> {
    let found: Option<IntegrationRecord> =
        ask_root(desk.outside, &RootAsk::FindIntegration(key.to_owned())).await?;
    Ok(ok(&shown(
        &found.ok_or_else(|| Failure::not_found("integration"))?,
    )))
}

pub(super) async fn validate<O: Outside>(body: Body<<O as HttpClient>::Stream>) -> Answer<O> {
    let findings = check(&shape::read_json(body).await?).findings;
    let valid = findings.iter().all(|finding| finding.level != Level::Error);
    Ok(ok(&json!({ "valid": valid, "findings": findings })))
}

pub(super) async fn create<O: Outside>(desk: &Desk<'_, O>, body: Body<O::Stream>) -> Answer<O> {
    let file = shape::read_json(body).await?;
    save(desk, Saving::Create, &file).await
}

pub(super) async fn replace<O: Outside>(
    desk: &Desk<'_, O>,
    name: &str,
    body: Body<O::Stream>,
) -> Answer<O> {
    let file = shape::read_json(body).await?;
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

async fn save<O: Outside>(desk: &Desk<'_, O>, saving: Saving, file: &Value) -> Answer<O> {
    let (file, warnings) = checked_file(file)?;
    let written: Written<IntegrationRecord> =
        ask_root(desk.outside, &RootAsk::SaveIntegration(saving, file)).await?;
    let mut view = shown(&written.record);
    json::merge(&mut view, &json!({ "findings": warnings }));
    let answer = if written.is_new {
        created(&view)
    } else {
        ok(&view)
    };
    published::replace(
        desk.outside,
        desk.isolate,
        &written.record.id.to_string(),
        written.record,
    );
    Ok(answer)
}

/// Its secrets are write-only. `findings` (what saving it warned of) stands in the answers that saved it.
fn shown(record: &IntegrationRecord) -> Value {
    pick(
        record,
        &[
            "id",
            "name",
            "category",
            "is_beta",
            "version",
            "config",
            "created_at",
            "updated_at",
        ],
    )
}
