//! `/log`: the calls that were made in an account's name, from its own object.

use serde_json::json;
use url::Url;

use super::integrated_account::parse;
use super::{Answer, listed};
use crate::api::Desk;
use crate::api::caller::Caller;
use crate::api::query::{Field, Query};
use crate::error::Failure;
use crate::flows::account_object::log_line::LogLine;
use crate::flows::base::records::ListPage;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::send_to_account;
use crate::ports::{Outside, Sees};

/// What lines are found by.
pub(in crate::api) const FIELDS: [Field; 3] = [
    Field::text("status"),
    Field::text("resource"),
    Field::time("created_at"),
];

pub(super) async fn list<O: Outside>(desk: &Desk<'_, O>, caller: &Caller, url: &Url) -> Answer<O> {
    let others = ["environment_id", "integrated_account_id"];
    let (query, page) = Query::of_events(url, &others, &FIELDS)?;
    if let Some(status) = query.get("status")
        && !matches!(status.parse::<u16>(), Ok(100..=599))
    {
        return Err(Failure::invalid("status", "is not an HTTP status"));
    }
    let Some(id) = query.get("integrated_account_id") else {
        let words = "is required in the query: each account has its own log";
        return Err(Failure::invalid("integrated_account_id", words));
    };
    let sees = match query.get("environment_id") {
        None => caller.sees(),
        named => Sees::Environment(caller.environment(named)?),
    };
    let ask = AccountMessage::ListLog(sees, page.clone());
    let found: ListPage<LogLine> = send_to_account(desk.outside, parse(id)?, &ask).await?;
    Ok(listed(&found, &page, |line| json!(line)))
}
