//! Running an action: its steps, one after the other, in the name of an account. It neither asks whether the
//! account may be called nor stores anything; who runs it does.
//!
//! Secrets of the context go into requests only: placeholders of a `request` and signing in see all of it.
//! Whatever computes or shows (`$context`, `get_context`, the values of `set_context` and `update_context`) sees
//! it without them, so that no result can carry them out.

pub(in crate::flows) mod context;
pub(in crate::flows) mod request;
pub mod told;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::config::Config;
use crate::config::action::{
    Action, ContextChange, GetContext, Previous, Provenance, StepConfig, StepKind,
};
use crate::error::{Code, Failure};
use crate::expression::{Expression, ExpressionScope};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::actions::context::RunningContext;
use crate::flows::base::moment::moment;
use crate::flows::call::account::LiveAccount;
use crate::flows::call::step::Answered;
use crate::flows::call::subject::Errand;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::json::Exact;
use crate::ports::System;
use crate::proxy::is_read;
use crate::settings::ACTION_STEPS;
use crate::time::Timestamp;

/// The action that gets an account its tokens: the only one that may change `oauth.token`.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// The action that tells whether a credential is good.
pub const VALIDATION: &str = "validation";
/// The action that sets an account up: the only one that may name a host that was not named before.
pub const POST_INSTALL: &str = "post_install";

/// An action of the file by its name, which says what it may change.
#[derive(Debug, Clone, Copy)]
pub struct NamedAction<'a> {
    name: &'a str,
    action: &'a Action,
}

/// What came of an action that ran to its end.
#[derive(Debug)]
pub struct Outcome {
    /// The result of its last step.
    pub result: Exact,
    /// The whole context as it left it, secrets included; `None` when nothing changed.
    pub context: Option<Value>,
    /// The keys of the context that its steps wrote, also those they wrote as they were.
    pub written: BTreeSet<String>,
    /// Those among them whose values may be copied from the context: they are whose word they were there.
    pub copied: BTreeSet<String>,
    /// How many steps ran; those whose `run_if` was false did not.
    pub steps: usize,
    /// How many of them asked the provider.
    pub requests: usize,
    /// Whether one of them wrote there.
    pub has_written: bool,
}

impl<'a> NamedAction<'a> {
    /// The action of this name, if the file has it.
    pub fn find(config: &'a Config, name: &str) -> Option<Self> {
        let (name, action) = config.actions.get_key_value(name)?;
        Some(Self { name, action })
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Whether one of its requests is of a verb that may write.
    pub fn may_write(&self, config: &Config) -> bool {
        let mut verbs = self.action.steps.iter().filter_map(|step| {
            let method = match &step.kind {
                StepKind::Request(method) => method,
                StepKind::Call(call) => config.method(&call.resource, &call.method)?,
                _ => return None,
            };
            Some(&method.method.0)
        });
        verbs.any(|verb| !is_read(verb))
    }

    /// A form that no `run_if` can skip would end the action after its requests were sent.
    fn check_forms(&self) -> Result<(), Failure> {
        let always =
            |step: &StepConfig| step.run_if.is_none() && matches!(step.kind, StepKind::Form(_));
        match self.action.steps.iter().find(|step| always(step)) {
            Some(_) => Err(no_forms()),
            None => Ok(()),
        }
    }
}

/// Runs an action of `effective` on the account. `input` is the first `$previous`.
///
/// A failure keeps its code; its `details` also say at which step (`at`) and how many had run (`steps`).
pub async fn run_action<A: LiveAccount>(
    account: &A,
    loaded: &Rc<LoadedAccount>,
    resolved: &ResolvedConfig,
    action: NamedAction<'_>,
    input: Exact,
    deadline: Timestamp,
) -> Result<Outcome, Failure> {
    action.check_forms()?;
    let mut run = Run {
        account,
        loaded,
        resolved,
        deadline,
        errand: match action.name {
            REFRESH_TOKEN => Errand::Refresh,
            _ => Errand::Step,
        },
        context: RunningContext::new(action.name, &resolved.compiled, loaded),
        previous: Answered {
            value: input,
            room: account.room(),
        },
        word: Previous::of(Provenance::Provider),
        steps: 0,
        requests: 0,
        has_written: Cell::new(false),
    };
    for (place, step) in action.action.placed() {
        let outcome = run.step(step).await;
        outcome.map_err(|failure| {
            let at = format!("config.actions.{}{place}", action.name);
            let failure = crate::flows::actions::told::placed(failure, &at, run.steps);
            if run.has_written.get() {
                failure.behind_a_write()
            } else {
                failure
            }
        })?;
    }
    let has_written = run.has_written.get();
    let (context, written, copied) = run.context.into_changed();
    Ok(Outcome {
        result: run.previous.value,
        context,
        written,
        copied,
        steps: run.steps,
        requests: run.requests,
        has_written,
    })
}

/// An action on its way.
struct Run<'a, A> {
    account: &'a A,
    loaded: &'a Rc<LoadedAccount>,
    resolved: &'a ResolvedConfig,
    deadline: Timestamp,
    errand: Errand,
    context: RunningContext<'a>,
    previous: Answered,
    /// Whose word that is: what a caller gave is taken for the word of who writes.
    word: Previous,
    steps: usize,
    requests: usize,
    has_written: Cell<bool>,
}

impl<A: LiveAccount> Run<'_, A> {
    async fn step(&mut self, step: &StepConfig) -> Result<(), Failure> {
        if self.deadline <= self.account.system().now() {
            let words = "The action took longer than it may. x-timeout-ms sets how long to wait.";
            return Err(Failure::new(Code::Timeout, words));
        }
        if let Some(condition) = &step.run_if
            && !self.is_true(condition)?
        {
            return Ok(());
        }
        if self.steps == ACTION_STEPS {
            let words = format!("An action runs at most {ACTION_STEPS} steps.");
            return Err(Failure::new(Code::Unsupported, words));
        }
        match &step.kind {
            StepKind::Request(method) => {
                self.previous = self.request(method).await?;
                self.requests += 1;
            }
            StepKind::Call(call) => {
                self.previous = self.call(call).await?;
                self.requests += 1;
            }
            StepKind::Transform(expression) => {
                self.previous.value = self.evaluate(expression)?.unwrap_or_default().into();
            }
            StepKind::GetContext(get) => self.previous.value = self.shown(get).into(),
            StepKind::SetContext(change) => {
                let values = self.values(change)?;
                self.context.set(&values, &change.written(&self.word))?;
            }
            StepKind::UpdateContext(change) => {
                let values = self.values(change)?;
                self.context.update(&values, &change.written(&self.word))?;
            }
            StepKind::Form(_) => return Err(no_forms()),
        }
        self.word = step.behind(&self.word);
        self.steps += 1;
        Ok(())
    }

    fn shown(&self, get: &GetContext) -> Value {
        let shown = self.context.shown();
        match &get.path {
            Some(path) => path.lookup_by_parts(shown, 0).cloned().unwrap_or_default(),
            None => shown.clone(),
        }
    }

    fn is_true(&self, condition: &Expression) -> Result<bool, Failure> {
        let previous = self.previous.value.plain();
        let scope = ExpressionScope::step(&previous, self.context.shown());
        let result = condition.is_true(&scope, &moment(self.account.system()));
        result.map_err(|error| self.expression_failed(&error.to_string(), error.into()))
    }

    fn evaluate(&self, expression: &Expression) -> Result<Option<Value>, Failure> {
        let previous = self.previous.value.plain();
        let scope = ExpressionScope::step(&previous, self.context.shown());
        let result = expression.evaluate(&scope, &moment(self.account.system()));
        result.map_err(|error| self.expression_failed(&error.to_string(), error.into()))
    }

    fn expression_failed(&self, reason: &str, failure: Failure) -> Failure {
        let redactor = self
            .account
            .redactor(&self.resolved.compiled, self.context.whole());
        let reason = redactor.text(reason);
        self.account.system().log(&json!({
            "level": "error", "event": "action_expression_failed", "integration": self.resolved.integration.name, "integrated_account_id": self.loaded.account.id, "reason": reason,
        }));
        failure
    }

    /// The values a change names; an expression without a result names none.
    fn values(&self, change: &ContextChange) -> Result<Value, Failure> {
        let values = match change {
            ContextChange::Expression(expression) => self.evaluate(expression)?,
            ContextChange::Values(tree) => {
                let scope = self.resolved.compiled.public_scope(self.context.shown());
                let rendered = tree.render(&scope.with_exact_body(&self.previous.value))?;
                rendered.map(Exact::into_kept)
            }
        };
        match values {
            None => Ok(json!({})),
            Some(values) if values.is_object() => Ok(values),
            Some(_) => Err(Failure::new(
                Code::ExpressionFailed,
                "What changes the context has to be an object.",
            )),
        }
    }
}

fn no_forms() -> Failure {
    Failure::new(
        Code::Unsupported,
        "This version cannot ask the customer in an action (a `form` step).",
    )
}
