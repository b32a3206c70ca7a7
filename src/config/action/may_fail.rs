//! What of a step may fail, and what is certain after it.

use super::{OnFailure, StepConfig, StepKind};

impl StepConfig {
    /// The requests of which one has to succeed.
    pub fn alternatives(&self) -> &[Self] {
        match &self.kind {
            StepKind::AnyOf(steps) => steps,
            _ => &[],
        }
    }

    /// Whether it is an `any_of`.
    pub fn is_any_of(&self) -> bool {
        matches!(self.kind, StepKind::AnyOf(_))
    }

    /// Whether the provider has answered where an action gets past this step.
    pub fn is_surely_answered(&self) -> bool {
        let always = |step: &Self| step.run_if.is_none() && step.is_request();
        let is_asked = always(self) || self.alternatives().iter().any(always);
        is_asked && self.run_if.is_none() && self.on_failure == OnFailure::Fail
    }
}
