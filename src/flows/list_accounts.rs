//! Listing accounts: the index says which, each object says what, in its region. An object that does
//! not answer hides its own account's details only, not the page.

use futures_util::stream::{self, StreamExt};

use crate::error::{Code, Failure};
use crate::flows::ask::{AccountAsk, AccountView, EnvironmentAsk, ask_account, ask_environment};
use crate::flows::records::{AccountEntry, Listed, Page};
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Sees};

/// An account of a list.
pub enum AccountInList {
    /// As its object says.
    Whole(Box<AccountView>),
    /// Its object gave no answer: what the index knows, and why there is no more.
    IndexOnly(Box<(AccountEntry, Failure)>),
}

/// Objects asked at a time.
const AT_ONCE: usize = 24;

/// One piece of the list, oldest first. An account that was deleted in between is left out.
pub async fn list_accounts(
    outside: &impl Outside,
    environment: EnvironmentId,
    page: Page,
) -> Result<Listed<AccountInList>, Failure> {
    let found: Listed<AccountEntry> =
        ask_environment(outside, environment, &EnvironmentAsk::ListAccounts(page)).await?;
    let views = stream::iter(
        found
            .result
            .into_iter()
            .map(|entry| view(outside, environment, entry)),
    );
    let views: Vec<Option<AccountInList>> = views.buffered(AT_ONCE).collect().await;
    Ok(Listed {
        result: views.into_iter().flatten().collect(),
        next_cursor: found.next_cursor,
    })
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
        Err(failure) => Some(AccountInList::IndexOnly(Box::new((entry, failure)))),
    }
}
