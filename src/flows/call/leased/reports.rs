//! What leased calls leave behind, until it is sent to the object: log lines, the last 403 answer, a pause, and what the
//! provider's answers show about the credential.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::json;

use super::Leases;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::lease::{CredentialDigest, LeaseMessage, LeaseReport};
use crate::flows::messages::send_to_account;
use crate::ids::AccountId;
use crate::ports::Outside;
use crate::time::Timestamp;

/// The delay between the first note and its report.
const DELAY: Duration = Duration::from_secs(2);
/// With so many lines a report is sent at once.
const MOST_LINES: usize = 100;
/// A report whose task has not run so long after its time is scheduled again: the platform ended the task.
const LATE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct Reports(RefCell<HashMap<AccountId, Pending>>);

#[derive(Default)]
struct Pending {
    report: LeaseReport,
    due: Option<Timestamp>,
}

impl Reports {
    /// Adds to the report of an account. Returns the delay of the report if a task has to send it.
    fn add(
        &self,
        (id, credential): (AccountId, &CredentialDigest),
        now: Timestamp,
        note: impl FnOnce(&mut LeaseReport),
    ) -> Option<Duration> {
        let mut all = self.0.borrow_mut();
        let pending = all.entry(id).or_default();
        let report = &mut pending.report;
        if report.credential != *credential {
            // What is known about another credential is dropped.
            report.credential.clone_from(credential);
            report.is_accepted = false;
            report.is_renewal_helpful = false;
        }
        note(report);
        if report.lines.len() >= MOST_LINES || report.pause.is_some() {
            return Some(Duration::ZERO);
        }
        if pending.due.is_some_and(|due| now < due.plus(LATE)) {
            return None;
        }
        pending.due = Some(now.plus(DELAY));
        Some(DELAY)
    }

    fn take(&self, id: AccountId) -> Option<LeaseReport> {
        self.0.borrow_mut().remove(&id).map(|entry| entry.report)
    }
}

/// Adds to the report of an account, and sends the report after the answer.
pub(super) fn note<O: Outside>(
    outside: &O,
    leases: &Rc<Leases>,
    (id, credential): (AccountId, &CredentialDigest),
    note: impl FnOnce(&mut LeaseReport),
) {
    let now = outside.now();
    let Some(wait) = leases.reports.add((id, credential), now, note) else {
        return;
    };
    let (own, leases) = (outside.clone(), Rc::clone(leases));
    let work = async move {
        own.sleep(wait).await;
        let Some(report) = leases.reports.take(id) else {
            return;
        };
        let lines = report.lines.len();
        let message = AccountMessage::LeasedCalls(LeaseMessage::ReportCalls(report));
        if let Err(failure) = send_to_account::<()>(&own, id, &message).await {
            own.log(&json!({ "level": "error", "event": "leased_calls_not_reported", "integrated_account_id": id, "lines": lines, "code": failure.code.as_str() }));
        }
    };
    outside.spawn(work.boxed_local());
}
