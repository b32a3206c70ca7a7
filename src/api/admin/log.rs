//! `/log`: the calls that were made in an account's name, from its own object.

use url::Url;

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

/// The one kind of log. Existing clients name it.
pub(in crate::api) const LOG_TYPE: &str = "unified_proxy_api";

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
    let others = ["environment_id", "integrated_account_id", "log_type"];
    let url = without_nesting(&call.url);
    let (query, page) = QueryParameters::of_events(&url, &others, LogLine::FILTERS)?;
    if query.get("log_type").is_some_and(|kind| kind != LOG_TYPE) {
        let message = format!("is not `{LOG_TYPE}`, the one log there is");
        return Err(Failure::invalid("log_type", &message));
    }
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

/// The same with `log_type_filter[x]`, as existing clients write filters, as `x`.
fn without_nesting(url: &Url) -> Url {
    let pairs = url.query_pairs().map(|(name, value)| {
        let inner = name.strip_prefix("log_type_filter[");
        let inner = inner.and_then(|name| name.strip_suffix(']'));
        (inner.unwrap_or(&name).to_owned(), value)
    });
    let pairs: Vec<_> = pairs.collect();
    let mut plain = url.clone();
    plain.query_pairs_mut().clear().extend_pairs(pairs);
    plain
}
