//! `/sync` and `/sync-run`: the syncs of an account, and their runs.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::List;
use super::call::{AdminCall, JsonBody, text_or_null};
use crate::api::path_id::{self, PathId, SyncName};
use crate::api::query::{FilterField, Filtered, QueryParameters};
use crate::config::syncs::{Cron, Period, RUN_PERIODS};
use crate::error::{Code, Failure};
use crate::flows::base::records::ListPage;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::send_to_account;
use crate::flows::messages::sync::{
    RunMode, RunRequest, SyncChange, SyncMessage, SyncRun, SyncView,
};
use crate::ports::Outside;

/// The syncs of an account.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
pub(in crate::api) struct SyncList {
    result: Vec<SyncView>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SyncAccount {
    integrated_account_id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct NewSyncRun {
    integrated_account_id: String,
    /// What it reads; as the file says when absent.
    mode: Option<RunMode>,
    /// An object that the run's placeholders read as `{{sync.args.x}}`.
    #[serde(default)]
    args: Value,
    /// Whether it may delete more records than `max_deletions` allows.
    #[serde(default)]
    confirm_deletions: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct SyncPatch {
    integrated_account_id: String,
    /// A paused sync runs only when a call asks for it.
    is_paused: Option<bool>,
    /// `15m`: from `1m` to `30d`. Null: as the file says, again.
    #[serde(default, deserialize_with = "text_or_null")]
    #[schemars(with = "Option<String>")]
    every: Option<Value>,
    /// Five fields, in UTC; in place of `every`. Null: as the file says, again.
    #[serde(default, deserialize_with = "text_or_null")]
    #[schemars(with = "Option<String>")]
    cron: Option<Value>,
}

impl Filtered for SyncRun {
    const FILTERS: &'static [FilterField] = &[FilterField::text("sync")];
}

async fn send<O: Outside, T: DeserializeOwned>(
    call: &AdminCall<'_, O>,
    account: &str,
    message: SyncMessage,
) -> Result<T, Failure> {
    let message = AccountMessage::Sync(call.visibility()?, message);
    send_to_account(call.outside(), path_id::parse(account)?, &message).await
}

/// The account that the query names.
fn account_of(query: &QueryParameters) -> Result<&str, Failure> {
    query.get("integrated_account_id").ok_or_else(|| {
        let message = "is required in the query: each account has its own syncs";
        Failure::invalid("integrated_account_id", message)
    })
}

pub(in crate::api) async fn list<O: Outside>(call: &AdminCall<'_, O>) -> Result<SyncList, Failure> {
    let query = QueryParameters::read(&call.url, &["environment_id", "integrated_account_id"])?;
    let visibility = call.visibility_in(query.get("environment_id"))?;
    let account = path_id::parse(account_of(&query)?)?;
    let message = AccountMessage::Sync(visibility, SyncMessage::List);
    let result = send_to_account(call.outside(), account, &message).await?;
    Ok(SyncList { result })
}

pub(in crate::api) async fn list_runs<O: Outside>(
    call: &AdminCall<'_, O>,
) -> Result<List<SyncRun>, Failure> {
    let others = ["environment_id", "integrated_account_id"];
    let (query, page) = QueryParameters::of_events(&call.url, &others, SyncRun::FILTERS)?;
    let visibility = call.visibility_in(query.get("environment_id"))?;
    let account = path_id::parse(account_of(&query)?)?;
    let message = AccountMessage::Sync(visibility, SyncMessage::ListRuns(page.clone()));
    let found: ListPage<SyncRun> = send_to_account(call.outside(), account, &message).await?;
    Ok(List::of(found, &page, |run| run))
}

pub(in crate::api) async fn run<O: Outside>(
    call: &AdminCall<'_, O>,
    name: &PathId<SyncName>,
    body: JsonBody<O, NewSyncRun>,
) -> Result<SyncRun, Failure> {
    if call.caller.own_account().is_some() {
        let message =
            "An account token starts no run: when records are fetched is the backend's to say.";
        return Err(Failure::new(Code::Forbidden, message));
    }
    let name = name.parse()?.into_text();
    let asked = body.read(call).await?;
    let request = RunRequest {
        mode: asked.mode,
        args: asked.args,
        confirm_deletions: asked.confirm_deletions,
    };
    let message = SyncMessage::Run(name, request);
    send(call, &asked.integrated_account_id, message).await
}

pub(in crate::api) async fn change<O: Outside>(
    call: &AdminCall<'_, O>,
    name: &PathId<SyncName>,
    body: JsonBody<O, SyncPatch>,
) -> Result<SyncView, Failure> {
    let name = name.parse()?.into_text();
    let patch = body.read(call).await?;
    let names_schedule = patch.every.is_some() || patch.cron.is_some();
    let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    let (every, cron) = (text(patch.every), text(patch.cron));
    check_schedule(every.as_deref(), cron.as_deref())?;
    let change = SyncChange {
        is_paused: patch.is_paused,
        schedule: names_schedule.then_some((every, cron)),
    };
    let message = SyncMessage::Change(name, change);
    send(call, &patch.integrated_account_id, message).await
}

fn check_schedule(every: Option<&str>, cron: Option<&str>) -> Result<(), Failure> {
    if every.is_some() && cron.is_some() {
        return Err(Failure::invalid("cron", "is not set together with `every`"));
    }
    if let Some(every) = every {
        let every = every.parse::<Period>();
        let every = every.map_err(|why| Failure::invalid("every", why))?;
        if !RUN_PERIODS.contains(&every.0) {
            return Err(Failure::invalid("every", "is from `1m` to `30d`"));
        }
    }
    if let Some(cron) = cron {
        cron.parse::<Cron>()
            .map_err(|why| Failure::invalid("cron", why))?;
    }
    Ok(())
}

pub(in crate::api) async fn stop<O: Outside>(
    call: &AdminCall<'_, O>,
    name: &PathId<SyncName>,
    body: JsonBody<O, SyncAccount>,
) -> Result<SyncView, Failure> {
    let message = SyncMessage::Stop(name.parse()?.into_text());
    let named = body.read(call).await?;
    send(call, &named.integrated_account_id, message).await
}

pub(in crate::api) async fn reset<O: Outside>(
    call: &AdminCall<'_, O>,
    name: &PathId<SyncName>,
    body: JsonBody<O, SyncAccount>,
) -> Result<SyncView, Failure> {
    let message = SyncMessage::Reset(name.parse()?.into_text());
    let named = body.read(call).await?;
    send(call, &named.integrated_account_id, message).await
}
