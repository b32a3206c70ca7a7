//! The admin calls: everything that configures. One file per noun.

pub(super) mod account_in_list;
pub(super) mod account_token;
pub(super) mod api_token;
mod capabilities;
pub(super) mod environment;
pub(super) mod environment_integration;
pub(super) mod event;
pub(super) mod integrated_account;
pub(super) mod integration;
pub(super) mod link_token;
pub(super) mod log;
mod sealing;
pub(super) mod webhook;
pub(super) mod webhook_test;
pub(super) mod webhook_url;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use super::caller::Caller;
use super::query::{Query, cursor};
use super::route::AdminRoute;
use super::{Desk, reply};
use crate::error::Failure;
use crate::flows::base::records::{ListPage, PageRequest};
use crate::ids::EnvironmentId;
use crate::ports::{Incoming, Outside, Reply};

type Answer<O> = Result<Reply<<O as crate::ports::HttpClient>::Stream>, Failure>;

/// Answers an admin call whose caller may make it.
pub(super) async fn answer<O: Outside>(
    desk: &Desk<'_, O>,
    caller: &Caller,
    route: AdminRoute,
    request: Incoming<O::Stream>,
) -> Answer<O> {
    use AdminRoute as A;

    match route {
        A::ListEnvironments => environment::list(desk, &request.url).await,
        A::CreateEnvironment => environment::create(desk, request.body).await,
        A::GetEnvironment(id) => environment::get(desk, &id).await,
        A::ChangeEnvironment(id) => environment::change(desk, &id, request.body).await,
        A::DeleteEnvironment(id) => environment::delete(desk, &id).await,
        A::ListTokens => api_token::list(desk, caller, &request.url).await,
        A::CreateToken => api_token::create(desk, caller, request).await,
        A::DeleteToken(id) => api_token::delete(desk, caller, &id, &request.url).await,
        A::ListIntegrations => integration::list(desk, &request.url).await,
        A::CreateIntegration => integration::create(desk, request.body).await,
        A::ValidateIntegration => integration::validate(desk, request.body).await,
        A::GetIntegration(key) => integration::get(desk, &key).await,
        A::ReplaceIntegration(name) => integration::replace(desk, &name, request.body).await,
        A::ChangeIntegration(key) => integration::change(desk, &key, request).await,
        A::DeleteIntegration(key) => integration::delete(desk, &key).await,
        A::ListInstalls => environment_integration::list(desk, caller, &request.url).await,
        A::CreateInstall => environment_integration::create(desk, caller, request).await,
        A::GetInstall(id) => environment_integration::get(desk, caller, &id, &request.url).await,
        A::ChangeInstall(id) => environment_integration::change(desk, caller, &id, request).await,
        A::DeleteInstall(id) => {
            environment_integration::delete(desk, caller, &id, &request.url).await
        }
        A::ListAccounts => integrated_account::list(desk, caller, &request.url).await,
        A::ImportAccount => integrated_account::import(desk, caller, request).await,
        A::GetAccount(id) => integrated_account::get(desk, caller, &id, &request.url).await,
        A::ListLinks => link_token::list(desk, caller, &request.url).await,
        A::CreateLink => link_token::create(desk, caller, request).await,
        A::DeleteLink(id) => link_token::delete(desk, caller, &id, &request.url).await,
        A::ListWebhooks => webhook::list(desk, caller, &request.url).await,
        A::CreateWebhook => webhook::create(desk, caller, request).await,
        A::GetWebhook(id) => webhook::get(desk, caller, &id, &request.url).await,
        A::ChangeWebhook(id) => webhook::change(desk, caller, &id, request).await,
        A::DeleteWebhook(id) => webhook::delete(desk, caller, &id, &request.url).await,
        A::RotateWebhookSecret(id) => webhook::rotate(desk, caller, &id, request).await,
        A::TestWebhook => webhook_test::send(desk, caller, request).await,
        A::ListEvents => event::list(desk, caller, &request.url).await,
        A::GetEvent(id) => event::get(desk, caller, &id, &request.url).await,
        A::ListLog => log::list(desk, caller, &request.url).await,
        A::GetIntegrationCapabilities(key) => capabilities::of_integration(desk, &key).await,
        A::GetAccountCapabilities(id) => {
            capabilities::of_account(desk, caller, &id, &request.url).await
        }
        A::ReplayEvent(id) => event::replay(desk, caller, &id, &request.url).await,
        A::ReplayEvents => event::replay_all(desk, caller, request).await,
        A::RotateSealing => sealing::rotate(desk).await,
        A::GetSealing => sealing::get(desk).await,
        A::ChangeAccount(id) => integrated_account::change(desk, caller, &id, request).await,
        A::ReplaceCredentials(id) => {
            integrated_account::replace_credentials(desk, caller, &id, request).await
        }
        A::RefreshCredentials => {
            integrated_account::refresh_credentials(desk, caller, request).await
        }
        A::CreateAccountToken => account_token::create(desk, caller, request).await,
        A::DeleteAccounts => integrated_account::delete_all(desk, caller, request).await,
        A::GetMe => account_token::get_me(desk, caller).await,
        A::ChangeMe => account_token::change_me(desk, caller, request.body).await,
        A::DeleteAccount(id) => integrated_account::delete(desk, caller, &id, &request.url).await,
    }
}

fn ok<S>(value: &impl Serialize) -> Reply<S> {
    reply::json(StatusCode::OK, value)
}

fn created<S>(value: &impl Serialize) -> Reply<S> {
    reply::json(StatusCode::CREATED, value)
}

/// A record as it is shown: these keys of it and no others, so that nothing new slips out.
fn pick(record: &impl Serialize, keys: &[&str]) -> Value {
    let mut record = serde_json::to_value(record).unwrap_or_default();
    let shown = keys
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), record.get_mut(*key)?.take())));
    Value::Object(shown.collect())
}

/// The environment a call is about: named in its body or its query, or a token's own.
fn environment(caller: &Caller, url: &Url, named: Option<&str>) -> Result<EnvironmentId, Failure> {
    let query = Query::read(url, &["environment_id"])?;
    caller.environment(named.or(query.get("environment_id")))
}

fn deleted<S>(id: &impl Serialize) -> Reply<S> {
    ok(&json!({ "id": id }))
}

/// `{result, next_cursor, limit}`, each record in the shape of its answer.
fn listed<S, T>(listed: &ListPage<T>, page: &PageRequest, view: impl Fn(&T) -> Value) -> Reply<S> {
    let result: Vec<Value> = listed.result.iter().map(view).collect();
    ok(
        &json!({ "result": result, "next_cursor": listed.next_cursor.as_deref().map(cursor), "limit": page.limit }),
    )
}
