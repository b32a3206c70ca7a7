//! The lifecycle actions that set an account up, and how the failure of each is reported.

use serde_json::Value;

use crate::account::Account;
use crate::account::status::Status;
use crate::config::Config;
use crate::connect::outcome::ConnectFailure;
use crate::flows::account::event::EventType;
use crate::flows::lifecycle::connect_failed::failed;
use crate::flows::messages::connecting::ConnectFailed;

/// An action that runs before an account is active, and how its failure is reported.
pub(super) struct Stage {
    pub(super) action: &'static str,
    pub(super) status: Status,
    pub(super) event: EventType,
    pub(super) why: ConnectFailure,
}

pub(super) const STAGES: [Stage; 2] = [
    Stage {
        action: "post_install",
        status: Status::PostInstallError,
        event: EventType::PostInstallError,
        why: ConnectFailure::PostInstallError,
    },
    Stage {
        action: "validation",
        status: Status::ValidationError,
        event: EventType::ValidationError,
        why: ConnectFailure::ValidationError,
    },
];

/// Whether the file has a lifecycle action.
pub(super) fn has_stages(config: &Config) -> bool {
    STAGES
        .iter()
        .any(|stage| config.actions.contains_key(stage.action))
}

/// The action that failed, and how.
pub(super) struct FailedStage<'a> {
    pub(super) stage: &'a Stage,
    pub(super) error: String,
    pub(super) run_record: Value,
}

/// The outcome of set-up that another request finished.
pub(super) fn outcome_of(account: &Account) -> Result<(), ConnectFailed> {
    let stage = STAGES.iter().find(|stage| stage.status == account.status);
    stage.map_or(Ok(()), |stage| {
        let error = account.last_error.clone().unwrap_or_default();
        Err(failed(stage.why, error))
    })
}
