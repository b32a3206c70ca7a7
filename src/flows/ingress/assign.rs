//! Assigns the events of an install's webhook, or its dead letter, to the accounts that they are for.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::error::Failure;
use crate::flows::ingress::webhook_context::WebhookContext;
use crate::flows::messages::webhook::WebhookContent;
use crate::ids::AccountId;
use crate::ports::Outside;
use crate::webhook::{TransformError, TransformedEvent, WebhookRequest};

/// What each account is to store. Several accounts may share one content.
pub(super) type Shares = BTreeMap<AccountId, AccountShare>;

pub(super) struct AccountShare {
    pub(super) content: Rc<WebhookContent>,
    /// The value that the account was looked up by. `None`: the event names the account.
    pub(super) found_by: Option<String>,
}

/// The accounts that a request, and each of its events, is for.
#[derive(Default)]
pub(super) struct MatchedAccounts {
    /// The context key that accounts are looked up by.
    pub(super) field: String,
    /// The lookup value of the request itself.
    pub(super) own: Option<String>,
    pub(super) of_request: Vec<AccountId>,
    pub(super) by_value: BTreeMap<String, Vec<AccountId>>,
}

impl<O: Outside> WebhookContext<'_, O> {
    /// Assigns each event to the accounts it is for: the one it names, those with its lookup value, or else those of
    /// the request. Accounts with the same events share one content: one webhook can be for many.
    pub(super) fn assign_events(
        &self,
        events: Vec<TransformedEvent>,
        matched: &MatchedAccounts,
    ) -> Shares {
        let mut assignments: BTreeMap<AccountId, (Vec<usize>, Option<String>)> = BTreeMap::new();
        for (at, event) in events.iter().enumerate() {
            let (accounts, found_by) = self.accounts_of(event, matched);
            for account in accounts {
                let (places, by) = assignments.entry(account).or_default();
                places.push(at);
                *by = by.take().or_else(|| found_by.map(str::to_owned));
            }
        }
        let events = self.new_events(events);
        let mut contents: BTreeMap<Vec<usize>, Rc<WebhookContent>> = BTreeMap::new();
        let share = |(account, (places, found_by)): (AccountId, (Vec<usize>, Option<String>))| {
            let content = contents.entry(places).or_insert_with_key(|places| {
                let own = places.iter().filter_map(|at| events.get(*at).cloned());
                Rc::new(WebhookContent::Events(own.collect()))
            });
            let content = Rc::clone(content);
            (account, AccountShare { content, found_by })
        };
        assignments.into_iter().map(share).collect()
    }

    /// Assigns a request that the file could not read to the accounts of the request. Without such an account the sender
    /// has to try again.
    pub(super) fn assign_dead_letter(
        &self,
        request: &WebhookRequest<'_>,
        error: &TransformError,
        matched: &MatchedAccounts,
    ) -> Result<Shares, Failure> {
        if matched.of_request.is_empty() {
            self.log("error", "webhook_transform_failed", &error.to_string());
            return Err(Failure::busy(
                "The webhook could not be read, and no account was found to store it.",
            ));
        }
        let dead_letter = Rc::new(self.dead_letter(request, error));
        let share = || AccountShare {
            content: Rc::clone(&dead_letter),
            found_by: matched.own.clone(),
        };
        Ok(matched.of_request.iter().map(|id| (*id, share())).collect())
    }

    /// The accounts of an event, and the value that they were looked up by.
    fn accounts_of<'f>(
        &self,
        event: &'f TransformedEvent,
        matched: &'f MatchedAccounts,
    ) -> (Vec<AccountId>, Option<&'f str>) {
        match (
            &event.integrated_account_id,
            &event.context_lookup_field_value,
        ) {
            (Some(id), _) => {
                let account = id.parse().ok();
                if account.is_none() {
                    let reason = "`integrated_account_id` is not the id of an account";
                    self.log("warn", "webhook_account_unknown", reason);
                }
                (account.into_iter().collect(), None)
            }
            (None, Some(value)) => {
                let accounts = matched.by_value.get(value).cloned();
                (accounts.unwrap_or_default(), Some(value))
            }
            (None, None) => (matched.of_request.clone(), matched.own.as_deref()),
        }
    }
}
