//! Listing accounts: the index says which, each object says what, in its region. An object that does
//! not answer hides its own account's details only, not the page.

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

/// An account of a list.
pub enum AccountInList {
    /// As its object says.
    Whole(Box<AccountView>),
    /// Its object gave no answer: what the index knows, and why there is no more.
    IndexOnly(Box<AccountEntry>, Failure),
}

/// Objects asked at a time.
const AT_ONCE: usize = 24;

/// One piece of the list, oldest first. An account that was deleted in between is left out. It ends where the answers of
/// the objects come to [`LIST_BYTES`], which `room` counts: they are held until the last has come.
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
    /// How long it is as JSON.
    fn bytes(&self) -> usize {
        match self {
            Self::Whole(view) => json::length(&view.account),
            Self::IndexOnly(entry, _) => json::length(entry),
        }
    }
}

/// Whether an account still is as the index said: a change that was only noted is finished by asking
/// for the account.
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
        // The others never change.
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
    let (id, ask) = (
        entry.id,
        AccountMessage::Get(Visibility::Environment(environment)),
    );
    let view = match send_to_account(outside, id, &ask).await {
        Ok(view) => Some(AccountInList::Whole(Box::new(view))),
        Err(failure) if failure.code == Code::NotFound => None,
        Err(failure) => Some(AccountInList::IndexOnly(Box::new(entry), failure)),
    };
    (id, view)
}
