//! The tools of an account, and of an integration.

use super::call::AdminCall;
use super::integration::ShownIntegration;
use super::noun;
use crate::api::path_id::{self, IntegrationKey, PathId};
use crate::api::query::QueryParameters;
use crate::error::{Code, Failure};
use crate::flows::agents::tools::{AccountTools, ToolList, of_record};
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::send_to_account;
use crate::ids::AccountId;
use crate::ports::Outside;
use crate::tools::ToolFilter;
use crate::tools::filter::comma_separated;

const PARAMETERS: [&str; 5] = [
    "environment_id",
    "methods",
    "tags",
    "resources",
    "has_description",
];

pub(in crate::api) async fn of_integration<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<IntegrationKey>,
) -> Result<ToolList, Failure> {
    let filter = filter(&QueryParameters::read(&call.url, &PARAMETERS)?)?;
    let record = noun::find::<ShownIntegration, O>(call, (), id.parse()?).await?;
    of_record(&record, &filter)
}

pub(in crate::api) async fn of_account<O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<AccountId>,
) -> Result<AccountTools, Failure> {
    let query = QueryParameters::read(&call.url, &PARAMETERS)?;
    let filter = filter(&query)?;
    let visibility = call.visibility_in(query.get("environment_id"))?;
    let account = id.parse()?;
    if call.caller.own_account().is_some_and(|own| own != account) {
        return Err(path_id::not_found::<AccountId>());
    }
    let message = AccountMessage::Tools(visibility, filter);
    send_to_account(call.outside(), account, &message).await
}

fn filter(query: &QueryParameters) -> Result<ToolFilter, Failure> {
    let list = |name| query.get(name).map(comma_separated).unwrap_or_default();
    let with_undescribed = match query.get("has_description") {
        None | Some("true") => false,
        Some("false") => true,
        Some(_) => {
            let message = "`has_description` is not true or false.";
            return Err(Failure::new(Code::Malformed, message));
        }
    };
    Ok(ToolFilter {
        methods: list("methods"),
        tags: list("tags"),
        resources: list("resources"),
        with_undescribed,
        is_sandbox: false,
    })
}
