//! Lists accounts: the index names them, and each account's object returns its own record, in its region. An object
//! that does not answer leaves out the details of its account only.

use futures_util::stream::{self, StreamExt};
use serde_json::json;

use crate::account::Account;
use crate::error::{Code, Failure};
use crate::flows::base::memory::Room;
use crate::flows::base::records::{AccountEntry, Filter, FilterValue, ListPage, PageRequest};
use crate::flows::messages::account::{AccountMessage, AccountView};
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::{send_to_account, send_to_environment};
use crate::ids::{AccountId, EnvironmentId};
use crate::json;
use crate::ports::{Outside, Visibility};
use crate::settings::LIST_BYTES;

pub enum AccountInList {
    /// The record from its object.
    Whole(Box<AccountView>),
    /// Its object did not answer: what the index stores, and the failure.
    IndexOnly(Box<AccountEntry>, Failure),
}

/// Accounts in parallel.
const AT_ONCE: usize = 24;

/// Returns one page, oldest first, without accounts that were deleted since the index was read. The page ends where the
/// records reach [`LIST_BYTES`]. `room` counts them, because they are held until the last one is read.
pub async fn list_accounts<O: Outside>(
    outside: &O,
    environment: EnvironmentId,
    page: PageRequest,
    room: &Room,
) -> Result<ListPage<AccountInList>, Failure> {
    let filters = page.filters.clone();
    let found: ListPage<AccountEntry> = send_to_environment(
        outside,
        environment,
        &EnvironmentMessage::ListAccounts(page),
    )
    .await?;
    let entries = found.result.into_iter();
    let mut views =
        stream::iter(entries.map(|entry| view(outside, environment, entry))).buffered(AT_ONCE);
    let (mut result, mut bytes, mut last) = (Vec::new(), 0_usize, None);
    while let Some((id, view)) = views.next().await {
        let length = view.as_ref().map_or(0, AccountInList::bytes);
        if last.is_some() && bytes.saturating_add(length) > LIST_BYTES {
            return Ok(ListPage {
                result,
                next_cursor: last.map(|id: AccountId| id.to_string()),
            });
        }
        room.take(length)?;
        bytes += length;
        last = Some(id);
        result.extend(view.filter(|one| filters.iter().all(|filter| fits(one, filter))));
    }
    Ok(ListPage {
        result,
        next_cursor: found.next_cursor,
    })
}

impl AccountInList {
    /// The length as JSON.
    fn bytes(&self) -> usize {
        match self {
            Self::Whole(view) => json::length(&view.account),
            Self::IndexOnly(entry, _) => json::length(entry),
        }
    }
}

/// Whether an account still meets the filter: reading an account finishes a change that the index does not have yet.
fn fits(one: &AccountInList, filter: &Filter) -> bool {
    let AccountInList::Whole(view) = one else {
        return true;
    };
    let Account {
        tenant_id,
        status,
        is_sandbox,
        ..
    } = &view.account;
    let now = match filter.field.as_str() {
        "tenant_id" => json!(tenant_id),
        "status" => json!(status),
        "is_sandbox" => json!(is_sandbox),
        // The other fields never change.
        _ => return true,
    };
    match &filter.value {
        FilterValue::Flag(flag) => now == json!(flag),
        FilterValue::Text(text) => now == json!(text),
    }
}

async fn view(
    outside: &impl Outside,
    environment: EnvironmentId,
    entry: AccountEntry,
) -> (AccountId, Option<AccountInList>) {
    let (id, message) = (
        entry.id,
        AccountMessage::Get(Visibility::Environment(environment)),
    );
    let view = match send_to_account(outside, id, &message).await {
        Ok(view) => Some(AccountInList::Whole(Box::new(view))),
        Err(failure) if failure.code == Code::NotFound => None,
        Err(failure) => Some(AccountInList::IndexOnly(Box::new(entry), failure)),
    };
    (id, view)
}
