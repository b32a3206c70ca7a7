//! `/environment`: admin token only.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

use super::{Answer, created, deleted, listed, ok, pick};
use crate::api::Desk;
use crate::api::query::{Field, Query};
use crate::api::shape;
use crate::error::{Complaint, Failure};
use crate::flows::base::records::{ApplicationNames, EnvironmentRecord, ListPage};
use crate::flows::messages::{EnvironmentChange, RootMessage, send_to_root};
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
    display_name: Option<String>,
    logo_url: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "EnvironmentChange")]
pub(in crate::api) struct Change {
    name: Option<String>,
    allowed_redirect_origins: Option<Vec<String>>,
    /// Null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    display_name: Option<Value>,
    /// Null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>")]
    logo_url: Option<Value>,
}

/// A text or null; a null that is there is something else than nothing.
fn present<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    let text: Option<String> = Option::deserialize(input)?;
    Ok(Some(text.into()))
}

/// What a list is narrowed by.
pub(in crate::api) const FIELDS: [Field; 3] = [
    Field::text("name"),
    Field::text("region"),
    Field::time("created_at"),
];

/// What of the record is shown.
pub(in crate::api) const SHOWN: [&str; 8] = [
    "id",
    "name",
    "region",
    "allowed_redirect_origins",
    "display_name",
    "logo_url",
    "created_at",
    "updated_at",
];

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, url: &Url) -> Answer<O> {
    let (_, page) = Query::of_list(url, &[], &FIELDS)?;
    let found: ListPage<EnvironmentRecord> =
        send_to_root(desk.outside, &RootMessage::ListEnvironments(page.clone())).await?;
    Ok(listed(&found, &page, shown))
}

pub(super) async fn create<O: Outside>(desk: &Desk<'_, O>, body: Body<O::Stream>) -> Answer<O> {
    let new: New = shape::read(desk, body).await?;
    let origins = check(
        desk,
        &Said {
            name: Some(&new.name),
            origins: &new.allowed_redirect_origins,
            display_name: new.display_name.as_deref(),
            logo_url: new.logo_url.as_deref(),
        },
    )?;
    let now = desk.outside.now();
    let placement = Placement::new(new.region, desk.outside.settings().eu_jurisdiction);
    let record = EnvironmentRecord {
        id: EnvironmentId::new(now, placement, desk.outside.random()),
        name: new.name,
        region: new.region,
        allowed_redirect_origins: origins,
        application: ApplicationNames {
            display_name: new.display_name,
            logo_url: new.logo_url,
        },
        created_at: now,
        updated_at: now,
    };
    let record: EnvironmentRecord =
        send_to_root(desk.outside, &RootMessage::CreateEnvironment(record)).await?;
    Ok(created(&shown(&record)))
}

pub(super) async fn get<O: Outside>(desk: &Desk<'_, O>, id: &str) -> Answer<O> {
    let found: Option<EnvironmentRecord> =
        send_to_root(desk.outside, &RootMessage::FindEnvironment(parse(id)?)).await?;
    Ok(ok(&shown(&found.ok_or_else(hidden)?)))
}

pub(super) async fn change<O: Outside>(
    desk: &Desk<'_, O>,
    id: &str,
    body: Body<O::Stream>,
) -> Answer<O> {
    let id = parse(id)?;
    let change: Change = shape::read(desk, body).await?;
    let origins = check(
        desk,
        &Said {
            name: change.name.as_deref(),
            origins: change
                .allowed_redirect_origins
                .as_deref()
                .unwrap_or_default(),
            display_name: change.display_name.as_ref().and_then(Value::as_str),
            logo_url: change.logo_url.as_ref().and_then(Value::as_str),
        },
    )?;
    let named = [
        ("display_name", change.display_name),
        ("logo_url", change.logo_url),
    ];
    let application = named
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let change = EnvironmentChange {
        id,
        name: change.name,
        allowed_redirect_origins: change.allowed_redirect_origins.map(|_| origins),
        application: Value::Object(application.collect()),
    };
    let record: EnvironmentRecord =
        send_to_root(desk.outside, &RootMessage::ChangeEnvironment(change)).await?;
    Ok(ok(&shown(&record)))
}

pub(super) async fn delete<O: Outside>(desk: &Desk<'_, O>, id: &str) -> Answer<O> {
    let id = parse(id)?;
    send_to_root::<()>(desk.outside, &RootMessage::DeleteEnvironment(id)).await?;
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

/// What is said of an environment.
struct Said<'a> {
    name: Option<&'a str>,
    origins: &'a [String],
    display_name: Option<&'a str>,
    logo_url: Option<&'a str>,
}

/// Says everything that is wrong at once; the origins as they are stored.
fn check<O: Outside>(desk: &Desk<'_, O>, said: &Said) -> Result<Vec<String>, Failure> {
    let mut complaints = Vec::new();
    let mut complain = |path: String, message: &str| {
        complaints.push(Complaint {
            path,
            message: message.into(),
        });
    };
    for (path, name) in [("name", said.name), ("display_name", said.display_name)] {
        if name.is_some_and(|name| name.trim().is_empty() || name.chars().count() > 100) {
            complain(path.to_owned(), "needs 1 to 100 characters");
        }
    }
    if said.logo_url.is_some_and(|url| !is_logo(url)) {
        complain(
            "logo_url".to_owned(),
            "is not an https URL of at most 2,048 characters",
        );
    }
    let private = desk.outside.settings().private_upstreams;
    let mut origins = Vec::new();
    for (index, text) in said.origins.iter().enumerate() {
        match origin(text, private) {
            Some(origin) => origins.push(origin),
            None => complain(
                format!("allowed_redirect_origins[{index}]"),
                "is not an https origin such as https://app.example.com",
            ),
        }
    }
    if complaints.is_empty() {
        Ok(origins)
    } else {
        Err(Failure::invalid_in(&complaints))
    }
}

fn is_logo(text: &str) -> bool {
    let url = Url::parse(text);
    text.len() <= 2_048 && url.is_ok_and(|url| url.scheme() == "https" && url.username().is_empty())
}

/// An origin as browsers write it (RFC 6454 §6.2), which is how it is compared.
fn origin(text: &str, private: PrivateUpstreams) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let may_be_http = private == PrivateUpstreams::Allowed && url.scheme() == "http";
    let is_bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    (is_bare && (url.scheme() == "https" || may_be_http))
        .then(|| url.origin().ascii_serialization())
}
