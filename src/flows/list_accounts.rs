//! Listing accounts: the index says which, each object says what, in its region.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::error::{Code, Failure};
use crate::flows::ask::{AccountAsk, AccountView, EnvironmentAsk, ask_account, ask_environment};
use crate::flows::records::{AccountEntry, Listed, Page};
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Sees};

/// Objects asked at a time.
const AT_ONCE: usize = 24;

/// One piece of the list, oldest first. An account that was deleted in between is left out.
pub async fn list_accounts(
    outside: &impl Outside,
    environment: EnvironmentId,
    page: Page,
) -> Result<Listed<AccountView>, Failure> {
    let found: Listed<AccountEntry> =
        ask_environment(outside, environment, &EnvironmentAsk::ListAccounts(page)).await?;
    let views = stream::iter(
        found
            .result
            .into_iter()
            .map(|entry| view(outside, environment, entry)),
    );
    let views: Vec<Option<AccountView>> = views.buffered(AT_ONCE).try_collect().await?;
    Ok(Listed {
        result: views.into_iter().flatten().collect(),
        next_cursor: found.next_cursor,
    })
}

async fn view(
    outside: &impl Outside,
    environment: EnvironmentId,
    entry: AccountEntry,
) -> Result<Option<AccountView>, Failure> {
    match ask_account(
        outside,
        entry.id,
        &AccountAsk::Get(Sees::Environment(environment)),
    )
    .await
    {
        Ok(view) => Ok(Some(view)),
        Err(failure) if failure.code == Code::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}
