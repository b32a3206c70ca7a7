//! Runs the steps of an action, one after the other, for an account. The caller of [`run_action`] checks whether the
//! account may be called, and stores the changes.
//!
//! Secrets of the context go into requests only: the placeholders of a `request` and the authentication of requests
//! read all of it. Every step that computes or returns a value (`$context`, `get_context`, the values of `set_context`
//! and `update_context`) reads it without secrets, so no result can hold them. `call` sends the requests.

pub mod call_action;
pub(in crate::flows) mod context;
pub(in crate::flows) mod credential_actions;
mod custom_token;
mod exchange_code;
pub(in crate::flows) mod keep_changes;

pub(in crate::flows) mod request;
mod run;
pub mod run_result;
mod steps_that_fail;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Map, Value};

use crate::config::action::{Action, Previous, Provenance, StepConfig, StepKind};
use crate::config::{Config, PlacedAction};
use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::actions::context::RunningContext;
use crate::flows::actions::run::{Run, no_forms};
use crate::flows::call::account::LiveAccount;
use crate::flows::call::step::Answered;
use crate::flows::call::subject::Errand;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::tokens::credential_actions::{EXCHANGE_CODE, REFRESH_TOKEN};
use crate::json::Exact;
use crate::proxy::is_read;
use crate::time::Timestamp;

/// Sets an account up. The only action that may name a host that the context did not name before.
pub const POST_INSTALL: &str = "post_install";

/// An action of the file. Its name decides what it may change.
#[derive(Debug, Clone, Copy)]
pub struct NamedAction<'a> {
    placed: PlacedAction<'a>,
    /// For whom its requests are sent.
    errand: Errand,
}

/// What an action that ran to its end leaves behind.
#[derive(Debug)]
pub struct ActionOutcome {
    /// The result of the last step.
    pub result: Exact,
    /// The whole context after the action, secrets included. `None` when nothing changed.
    pub context: Option<Value>,
    /// The keys of the context that the steps wrote, also those whose value stayed the same.
    pub written: BTreeSet<String>,
    /// Those of them whose values may be copies of other keys: they keep the origin of the values they were copied
    /// from.
    pub copied: BTreeSet<String>,
    /// The header fields of the last answer, as expressions see them.
    pub headers: Value,
    /// How many steps ran. A step whose `run_if` was false did not.
    pub steps: usize,
    /// How many of them sent a request.
    pub requests: usize,
    /// Whether one of them wrote at the provider.
    pub has_written: bool,
}

impl<'a> NamedAction<'a> {
    pub fn find(config: &'a Config, name: &str) -> Option<Self> {
        let (name, action) = config.actions.get_key_value(name)?;
        let errand = match name.as_str() {
            REFRESH_TOKEN => Errand::Refresh,
            EXCHANGE_CODE => Errand::Connect,
            _ => Errand::Step,
        };
        let placed = PlacedAction::of_file(name, action);
        Some(Self { placed, errand })
    }

    /// Steps of a credential.
    pub(in crate::flows) fn of_credential(placed: PlacedAction<'a>, errand: Errand) -> Self {
        Self { placed, errand }
    }

    pub fn name(&self) -> &'a str {
        self.placed.name
    }

    fn action(&self) -> &'a Action {
        self.placed.action
    }

    /// Whether one of its requests has a method that may write.
    pub fn may_write(&self, config: &Config) -> bool {
        let mut methods = self.action().placed().filter_map(|(_, step)| {
            let method = match &step.kind {
                StepKind::Request(method) => method,
                StepKind::Call(call) => config.method(&call.resource, &call.method)?,
                _ => return None,
            };
            Some(&method.method.0)
        });
        methods.any(|method| !is_read(method))
    }

    /// A form without `run_if` would fail the action after its requests were sent.
    fn check_forms(&self) -> Result<(), Failure> {
        let always =
            |step: &StepConfig| step.run_if.is_none() && matches!(step.kind, StepKind::Form(_));
        match self.action().steps.iter().find(|step| always(step)) {
            Some(_) => Err(no_forms()),
            None => Ok(()),
        }
    }
}

/// Runs an action of `effective` on the account. `input` is the first `$previous`.
///
/// A failure keeps its code. Its `details` also name the step (`at`) and how many steps had run (`steps`).
pub async fn run_action<A: LiveAccount>(
    account: &A,
    loaded: &Rc<LoadedAccount>,
    resolved: &ResolvedConfig,
    action: NamedAction<'_>,
    input: Exact,
    deadline: Timestamp,
) -> Result<ActionOutcome, Failure> {
    action.check_forms()?;
    let mut run = Run {
        account,
        loaded,
        resolved,
        deadline,
        errand: action.errand,
        context: RunningContext::new(action.name(), &resolved.compiled, loaded),
        previous: Answered {
            value: input,
            headers: Value::Object(Map::new()),
            room: account.room(),
        },
        set_by: Previous::of(Provenance::Provider),
        steps: 0,
        requests: 0,
        has_written: Cell::new(false),
    };
    for (place, step) in action.action().in_order() {
        let at = format!("{}{place}", action.placed.place());
        let outcome = run.step(step, &at).await;
        outcome.map_err(|failure| {
            let failure = crate::flows::actions::run_result::with_place(failure, &at, run.steps);
            if run.has_written.get() {
                failure.after_write()
            } else {
                failure
            }
        })?;
    }
    let has_written = run.has_written.get();
    let (context, written, copied) = run.context.into_changed();
    Ok(ActionOutcome {
        result: run.previous.value,
        headers: run.previous.headers,
        context,
        written,
        copied,
        steps: run.steps,
        requests: run.requests,
        has_written,
    })
}
