//! `/log`: the calls that were made in an account's name, from its own object.

use super::answer::List;
use super::call::AdminCall;
use crate::api::path_id;
use crate::api::query::{FilterField, Filtered, QueryParameters};
use crate::error::Failure;
use crate::flows::base::records::ListPage;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::log_line::LogLine;
use crate::flows::messages::send_to_account;
use crate::ports::Outside;

impl Filtered for LogLine {
    const FILTERS: &'static [FilterField] = &[
        FilterField::text("status"),
        FilterField::text("resource"),
        FilterField::time("created_at"),
    ];
}

pub(in crate::api) async fn list<O: Outside>(
    call: &AdminCall<'_, O>,
) -> Result<List<LogLine>, Failure> {
    let others = ["environment_id", "integrated_account_id"];
    let (query, page) = QueryParameters::of_events(&call.url, &others, LogLine::FILTERS)?;
    if let Some(status) = query.get("status")
        && !matches!(status.parse::<u16>(), Ok(100..=599))
    {
        return Err(Failure::invalid("status", "is not an HTTP status"));
    }
    let Some(id) = query.get("integrated_account_id") else {
        let message = "is required in the query: each account has its own log";
        return Err(Failure::invalid("integrated_account_id", message));
    };
    let visibility = call.visibility_in(query.get("environment_id"))?;
    let ask = AccountMessage::ListLog(visibility, page.clone());
    let account = path_id::parse(id)?;
    let found: ListPage<LogLine> = send_to_account(call.outside(), account, &ask).await?;
    Ok(List::of(found, &page, |line| line))
}
