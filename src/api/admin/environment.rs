//! `/environment`: admin token only.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::call::{AdminCall, JsonBody, text_or_null};
use super::noun::{Deletable, Findable, Noun};
use crate::api::path_id::PathId;
use crate::api::query::{FilterField, Filtered};
use crate::error::{Complaint, Failure};
use crate::flows::base::records::{ApplicationNames, EnvironmentRecord, PageRequest};
use crate::flows::base::view::view;
use crate::flows::messages::{EnvironmentChange, RootMessage, send_to_root};
use crate::ids::{EnvironmentId, Placement, Region};
use crate::ports::Outside;
use crate::settings::PrivateUpstreams;
use crate::time::Timestamp;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewEnvironment {
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
pub(in crate::api) struct EnvironmentPatch {
    name: Option<String>,
    allowed_redirect_origins: Option<Vec<String>>,
    /// Null removes it.
    #[serde(default, deserialize_with = "text_or_null")]
    #[schemars(with = "Option<String>")]
    display_name: Option<Value>,
    /// Null removes it.
    #[serde(default, deserialize_with = "text_or_null")]
    #[schemars(with = "Option<String>")]
    logo_url: Option<Value>,
}

view! {
    /// An environment.
    Environment of EnvironmentRecord {
        id: EnvironmentId,
        /// Unique.
        name: String,
        /// Where it lives.
        region: Region,
        /// Where a connect result may be sent; empty: any https origin.
        allowed_redirect_origins: Vec<String>,
        #[serde(flatten)]
        application: ApplicationNames,
        created_at: Timestamp,
        updated_at: Timestamp,
    } hides {}
}

impl Filtered for Environment {
    const FILTERS: &'static [FilterField] = &[
        FilterField::text("name"),
        FilterField::text("region"),
        FilterField::time("created_at"),
    ];
}

impl Noun for Environment {
    type Record = EnvironmentRecord;
    type Message = RootMessage;

    fn list(page: PageRequest) -> RootMessage {
        RootMessage::ListEnvironments(page)
    }

    fn show<O: Outside>(_: &AdminCall<'_, O>, record: EnvironmentRecord) -> Self {
        record.into()
    }
}

impl Findable for Environment {
    type Id = EnvironmentId;

    fn find(id: EnvironmentId) -> RootMessage {
        RootMessage::FindEnvironment(id)
    }
}

impl Deletable for EnvironmentId {
    type Message = RootMessage;
    type Gone = ();
    type Named = Self;

    fn delete(&self) -> RootMessage {
        RootMessage::DeleteEnvironment(*self)
    }

    fn forget<O: Outside>(self, _: &AdminCall<'_, O>, (): ()) -> Self {
        self
    }
}

pub(in crate::api) async fn create<O: Outside>(
    call: &AdminCall<'_, O>,
    body: JsonBody<O, NewEnvironment>,
) -> Result<Environment, Failure> {
    let new = body.read(call).await?;
    let origins = check(
        call,
        &EnvironmentValues {
            name: Some(&new.name),
            origins: &new.allowed_redirect_origins,
            display_name: new.display_name.as_deref(),
            logo_url: new.logo_url.as_deref(),
        },
    )?;
    let outside = call.outside();
    let now = outside.now();
    let placement = Placement::new(new.region, outside.settings().eu_jurisdiction);
    let record = EnvironmentRecord {
        id: EnvironmentId::new(now, placement, outside.random()),
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
    let ask = RootMessage::CreateEnvironment(record);
    let record: EnvironmentRecord = send_to_root(outside, &ask).await?;
    Ok(record.into())
}

pub(in crate::api) async fn change<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<EnvironmentId>,
    body: JsonBody<O, EnvironmentPatch>,
) -> Result<Environment, Failure> {
    let id = id.parse()?;
    let patch = body.read(call).await?;
    let origins = check(
        call,
        &EnvironmentValues {
            name: patch.name.as_deref(),
            origins: patch
                .allowed_redirect_origins
                .as_deref()
                .unwrap_or_default(),
            display_name: patch.display_name.as_ref().and_then(Value::as_str),
            logo_url: patch.logo_url.as_ref().and_then(Value::as_str),
        },
    )?;
    let named = [
        ("display_name", patch.display_name),
        ("logo_url", patch.logo_url),
    ];
    let application = named
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let change = EnvironmentChange {
        id,
        name: patch.name,
        allowed_redirect_origins: patch.allowed_redirect_origins.map(|_| origins),
        application: Value::Object(application.collect()),
    };
    let ask = RootMessage::ChangeEnvironment(change);
    let record: EnvironmentRecord = send_to_root(call.outside(), &ask).await?;
    Ok(record.into())
}

/// The values of a body that are checked.
struct EnvironmentValues<'a> {
    name: Option<&'a str>,
    origins: &'a [String],
    display_name: Option<&'a str>,
    logo_url: Option<&'a str>,
}

/// Refuses with everything that is wrong; else the origins as they are stored.
fn check<O: Outside>(
    call: &AdminCall<'_, O>,
    values: &EnvironmentValues,
) -> Result<Vec<String>, Failure> {
    let mut complaints = Vec::new();
    let mut complain = |path: String, message: &str| {
        complaints.push(Complaint {
            path,
            message: message.into(),
        });
    };
    for (path, name) in [("name", values.name), ("display_name", values.display_name)] {
        if name.is_some_and(|name| name.trim().is_empty() || name.chars().count() > 100) {
            complain(path.to_owned(), "needs 1 to 100 characters");
        }
    }
    if values.logo_url.is_some_and(|url| !is_logo(url)) {
        complain(
            "logo_url".to_owned(),
            "is not an https URL of at most 2,048 characters",
        );
    }
    let private = call.outside().settings().private_upstreams;
    let mut origins = Vec::new();
    for (index, text) in values.origins.iter().enumerate() {
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
