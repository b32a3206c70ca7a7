//! A running action: its state, and the steps that compute or change the context.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};

use crate::config::action::{ContextChange, GetContext, Previous, StepConfig, StepKind};
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
use crate::settings::ACTION_STEPS;
use crate::time::Timestamp;

/// The state of a running action.
pub(super) struct Run<'a, A> {
    pub(super) account: &'a A,
    pub(super) loaded: &'a Rc<LoadedAccount>,
    pub(super) resolved: &'a ResolvedConfig,
    pub(super) deadline: Timestamp,
    pub(super) errand: Errand,
    pub(super) context: RunningContext<'a>,
    pub(super) previous: Answered,
    /// Who set `previous`. A caller's input counts as set by the one for whom the action writes.
    pub(super) set_by: Previous,
    pub(super) steps: usize,
    pub(super) requests: usize,
    pub(super) has_written: Cell<bool>,
}

impl<A: LiveAccount> Run<'_, A> {
    /// Runs a step of the action. `at` is its place in the file.
    pub(super) async fn step(&mut self, step: &StepConfig, at: &str) -> Result<(), Failure> {
        self.check_time()?;
        if !self.runs(step)? {
            return Ok(());
        }
        match &step.kind {
            StepKind::Request(_) | StepKind::Call(_) | StepKind::AnyOf(_) => {
                self.answered(step, at).await?;
            }
            _ => {
                self.count()?;
                self.computed(step)?;
                self.steps += 1;
            }
        }
        self.set_by = step.behind(&self.set_by);
        Ok(())
    }

    fn computed(&mut self, step: &StepConfig) -> Result<(), Failure> {
        match &step.kind {
            StepKind::Transform(expression) => {
                self.previous.value = self.evaluate(expression)?.unwrap_or_default().into();
            }
            StepKind::GetContext(get) => self.previous.value = self.shown(get).into(),
            StepKind::SetContext(change) => {
                let values = self.values(change)?;
                self.context.set(&values, &change.written(&self.set_by))?;
            }
            StepKind::UpdateContext(change) => {
                let values = self.values(change)?;
                self.context
                    .update(&values, &change.written(&self.set_by))?;
            }
            StepKind::Form(_) => return Err(no_forms()),
            StepKind::Request(_) | StepKind::Call(_) | StepKind::AnyOf(_) => {}
        }
        Ok(())
    }

    pub(super) fn check_time(&self) -> Result<(), Failure> {
        if self.deadline <= self.account.system().now() {
            let message = "The action did not end in time. x-timeout-ms sets the time limit.";
            return Err(Failure::new(Code::Timeout, message));
        }
        Ok(())
    }

    /// Whether the step's `run_if` lets it run.
    pub(super) fn runs(&self, step: &StepConfig) -> Result<bool, Failure> {
        let condition = step.run_if.as_ref();
        condition.map_or(Ok(true), |condition| self.is_true(condition))
    }

    /// Fails when the action has run as many steps as it may.
    pub(super) fn count(&self) -> Result<(), Failure> {
        if self.steps == ACTION_STEPS {
            let message = format!("An action runs at most {ACTION_STEPS} steps.");
            return Err(Failure::new(Code::Unsupported, message));
        }
        Ok(())
    }

    fn shown(&self, get: &GetContext) -> Value {
        let shown = self.context.shown();
        match &get.path {
            Some(path) => path.lookup_by_parts(shown, 0).cloned().unwrap_or_default(),
            None => shown.clone(),
        }
    }

    fn expression_scope<'s>(&'s self, previous: &'s Value) -> ExpressionScope<'s> {
        let scope = ExpressionScope::step(previous, self.context.shown());
        scope.with_answer_headers(&self.previous.headers)
    }

    pub(super) fn is_true(&self, condition: &Expression) -> Result<bool, Failure> {
        let previous = self.previous.value.plain();
        let scope = self.expression_scope(&previous);
        let result = condition.is_true(&scope, &moment(self.account.system()));
        result.map_err(|error| self.expression_failed(&error.to_string(), error.into()))
    }

    fn evaluate(&self, expression: &Expression) -> Result<Option<Value>, Failure> {
        let previous = self.previous.value.plain();
        let scope = self.expression_scope(&previous);
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

    /// The values of a change. An expression without a result has none.
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
                "The values of `set_context` and `update_context` must be an object.",
            )),
        }
    }
}

pub(super) fn no_forms() -> Failure {
    Failure::new(
        Code::Unsupported,
        "This version does not support `form` steps in actions.",
    )
}
