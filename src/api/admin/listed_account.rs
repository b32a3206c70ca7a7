//! An account as lists show it.

use schemars::JsonSchema;
use serde::Serialize;

use super::answer::PartialError;
use super::call::AdminCall;
use super::integrated_account::IntegratedAccount;
use super::webhook_url;
use crate::account::Status;
use crate::api::query::{FilterField, Filtered};
use crate::flows::base::records::AccountEntry;
use crate::flows::base::view::view;
use crate::flows::directory::list_accounts::AccountInList;
use crate::ids::{AccountId, InstallId, Region};
use crate::ports::Outside;
use crate::time::Timestamp;

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(in crate::api) enum ListedAccount {
    Complete(Box<IntegratedAccount>),
    Silent(Box<SilentAccount>),
}

/// An account whose object gave no answer: what the index has, and an `error` in place of the rest.
#[derive(Serialize, JsonSchema)]
pub(in crate::api) struct SilentAccount {
    #[serde(flatten)]
    entry: IndexedAccount,
    integration: IntegrationName,
    error: PartialError,
    /// The URL for webhooks of its provider; null while no key can sign it.
    webhook_url: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct IntegrationName {
    name: String,
}

view! {
    /// What an index shows of an account.
    IndexedAccount of AccountEntry {
        id: AccountId,
        /// The caller's own name for the customer.
        tenant_id: String,
        /// The install it was connected through.
        environment_integration_id: InstallId,
        /// The state of its life.
        status: Status,
        /// The region that was asked for.
        region: Region,
        /// A sandbox account refuses writes.
        is_sandbox: bool,
        /// When it was stored.
        created_at: Timestamp,
    } hides { integration_name: _, sealing_key: _ }
}

impl Filtered for ListedAccount {
    const FILTERS: &'static [FilterField] = &[
        FilterField::text("tenant_id"),
        FilterField::text("status"),
        FilterField::flag("is_sandbox"),
        FilterField::text("integration.name").stored_as("integration_name"),
        FilterField::text("environment_integration_id"),
        FilterField::text("region"),
        FilterField::time("created_at"),
    ];
}

impl ListedAccount {
    pub(super) fn show<O: Outside>(call: &AdminCall<'_, O>, account: AccountInList) -> Self {
        match account {
            AccountInList::Whole(view) => {
                Self::Complete(Box::new(IntegratedAccount::show(call, *view)))
            }
            AccountInList::IndexOnly(entry, failure) => Self::Silent(Box::new(SilentAccount {
                webhook_url: webhook_url::of_account(call, entry.id),
                integration: IntegrationName {
                    name: entry.integration_name.clone(),
                },
                error: PartialError::from(&failure),
                entry: IndexedAccount::from(*entry),
            })),
        }
    }
}
