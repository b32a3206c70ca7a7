//! `/environment`: admin token only.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Answer, created, deleted, listed, ok, pick};
use crate::api::Desk;
use crate::api::query::{Field, Query};
use crate::api::shape;
use crate::error::{Complaint, Failure};
use crate::flows::ask::{EnvironmentChange, RootAsk, ask_root};
use crate::flows::records::{EnvironmentRecord, Listed};
use crate::ids::{EnvironmentId, Placement, Region};
use crate::ports::{Body, Outside};
use crate::settings::PrivateUpstreams;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewEnvironment")]
pub(in crate::api) struct New {
    name: String,
    #[serde(default)]
    region: Region,
    #[serde(default)]
    allowed_redirect_origins: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EnvironmentChange")]
pub(in crate::api) struct Change {
    name: Option<String>,
    allowed_redirect_origins: Option<Vec<String>>,
}

/// What a list is narrowed by.
pub(in crate::api) const FIELDS: [Field; 3] = [
    Field::text("name"),
    Field::text("region"),
    Field::time("created_at"),
];

/// What of the record is shown.
pub(in crate::api) const SHOWN: [&str; 6] = [
    "id",
    "name",
    "region",
    "allowed_redirect_origins",
    "created_at",
    "updated_at",
];

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, url: &Url) -> Answer<O> {
    let (_, page) = Query::of_list(url, &[], &FIELDS)?;
    let found: Listed<EnvironmentRecord> =
        ask_root(desk.outside, &RootAsk::ListEnvironments(page.clone())).await?;
    Ok(listed(&found, &page, shown))
}

pub(super) async fn create<O: Outside>(desk: &Desk<'_, O>, body: Body<O::Stream>) -> Answer<O> {
    let new: New = shape::read(desk, body).await?;
    check(desk, Some(&new.name), &new.allowed_redirect_origins)?;
    let now = desk.outside.now();
    let placement = Placement::new(new.region, desk.outside.settings().eu_jurisdiction);
    let record = EnvironmentRecord {
        id: EnvironmentId::new(now, placement, desk.outside.random()),
        name: new.name,
        region: new.region,
        allowed_redirect_origins: new.allowed_redirect_origins,
        created_at: now,
        updated_at: now,
    };
    let record: EnvironmentRecord =
        ask_root(desk.outside, &RootAsk::CreateEnvironment(record)).await?;
    Ok(created(&shown(&record)))
}

pub(super) async fn get<O: Outside>(desk: &Desk<'_, O>, id: &str) -> Answer<O> {
    let found: Option<EnvironmentRecord> =
        ask_root(desk.outside, &RootAsk::FindEnvironment(parse(id)?)).await?;
    Ok(ok(&shown(&found.ok_or_else(hidden)?)))
}

pub(super) async fn change<O: Outside>(
    desk: &Desk<'_, O>,
    id: &str,
    body: Body<O::Stream>,
) -> Answer<O> {
    let id = parse(id)?;
    let change: Change = shape::read(desk, body).await?;
    check(
        desk,
        change.name.as_deref(),
        change
            .allowed_redirect_origins
            .as_deref()
            .unwrap_or_default(),
    )?;
    let change = EnvironmentChange {
        id,
        name: change.name,
        allowed_redirect_origins: change.allowed_redirect_origins,
    };
    let record: EnvironmentRecord =
        ask_root(desk.outside, &RootAsk::ChangeEnvironment(change)).await?;
    Ok(ok(&shown(&record)))
}

pub(super) async fn delete<O: Outside>(desk: &Desk<'_, O>, id: &str) -> Answer<O> {
    let id = parse(id)?;
    ask_root::<()>(desk.outside, &RootAsk::DeleteEnvironment(id)).await?;
    Ok(deleted(&id))
}

fn shown(record: &EnvironmentRecord) -> Value {
    pick(record, &SHOWN)
}

fn parse(id: &str) -> Result<EnvironmentId, Failure> {
    id.parse().map_err(|_| hidden())
}

fn hidden() -> Failure {
    Failure::not_found("environment")
}

fn check<O: Outside>(
    desk: &Desk<'_, O>,
    name: Option<&str>,
    origins: &[String],
) -> Result<(), Failure> {
    let mut complaints = Vec::new();
    if name.is_some_and(|name| name.trim().is_empty() || name.chars().count() > 100) {
        complaints.push(Complaint {
            path: "name".into(),
            message: "needs 1 to 100 characters".into(),
        });
    }
    for (index, origin) in origins.iter().enumerate() {
        if !is_origin(origin, desk.outside.settings().private_upstreams) {
            let message = "is not an https origin such as https://app.example.com".into();
            complaints.push(Complaint {
                path: format!("allowed_redirect_origins[{index}]"),
                message,
            });
        }
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(Failure::invalid_in(&complaints))
    }
}

fn is_origin(text: &str, private: PrivateUpstreams) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let may_be_http = private == PrivateUpstreams::Allowed && url.scheme() == "http";
    let is_bare =
        url.origin().ascii_serialization() == text.trim_end_matches('/').to_ascii_lowercase();
    is_bare && (url.scheme() == "https" || may_be_http)
}
