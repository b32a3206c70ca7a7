//! Listing accounts: the index says which, each object says what, in its region. An object that does
//! not answer hides its own account's details only, not the page.

use futures_util::stream::{self, StreamExt};
use serde_json::json;

use crate::account::Account;
use crate::error::{Code, Failure};
use crate::flows::ask::{AccountAsk, AccountView, EnvironmentAsk, ask_account, ask_environment};
use crate::flows::records::{AccountEntry, Filter, FilterValue, Listed, Page};
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Sees};

/// An account of a list.
pub enum AccountInList {
    /// As its object says.
    Whole(Box<AccountView>),
    /// Its object gave no answer: what the index knows, and why there is no more.
    IndexOnly(Box<AccountEntry>, Failure),
}

/// Objects asked at a time.
const AT_ONCE: usize = 24;

/// One piece of the list, oldest first. An account that was deleted in between is left out.
pub async fn list_accounts(
    outside: &impl Outside,
    environment: EnvironmentId,
    page: Page,
) -> Result<Listed<AccountInList>, Failure> {
    let filters = page.filters.clone();
    let found: Listed<AccountEntry> =
        ask_environment(outside, environment, &EnvironmentAsk::ListAccounts(page)).await?;
    let views = stream::iter(
        found
            .result
            .into_iter()
            .map(|entry| view(outside, environment, entry)),
    );
    let views: Vec<Option<AccountInList>> = views.buffered(AT_ONCE).collect().await;
    let mut result: Vec<_> = views.into_iter().flatten().collect();
    result.retain(|one| filters.iter().all(|filter| fits(one, filter)));
    Ok(Listed {
        result,
        next_cursor: found.next_cursor,
    })
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
) -> Option<AccountInList> {
    let ask = AccountAsk::Get(Sees::Environment(environment));
    match ask_account(outside, entry.id, &ask).await {
        Ok(view) => Some(AccountInList::Whole(Box::new(view))),
        Err(failure) if failure.code == Code::NotFound => None,
        Err(failure) => Some(AccountInList::IndexOnly(Box::new(entry), failure)),
    }
}
