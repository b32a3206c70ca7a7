//! Steps that may fail: what sends no request cannot, and each alternative is a request.

use crate::config::action::{OnFailure, StepConfig};
use crate::config::{Config, Finding};

pub(super) fn check(config: &Config, findings: &mut Vec<Finding>) {
    for placed in config.placed_actions() {
        for (place, step) in placed.action.in_order() {
            let at = format!("{}{place}", placed.place());
            check_step(step, &at, findings);
            if step.is_any_of() {
                check_alternatives(step, &at, findings);
            }
        }
    }
}

fn check_step(step: &StepConfig, at: &str, findings: &mut Vec<Finding>) {
    if step.ok_when.is_some() && !step.is_request() {
        let finding = Finding::error(format!("{at}.ok_when"), "only a `request` has an answer");
        findings.push(if step.is_any_of() {
            finding.hint("write it in the alternatives")
        } else {
            finding
        });
    }
    let can_fail = step.is_request() || step.is_any_of();
    if step.on_failure == OnFailure::Null && !can_fail {
        let text = "only a `request` or an `any_of` can be optional: what computes fails by a mistake of the file";
        findings.push(Finding::error(format!("{at}.optional"), text));
    }
}

fn check_alternatives(step: &StepConfig, at: &str, findings: &mut Vec<Finding>) {
    if step.alternatives().is_empty() {
        let text = "there is no request to send";
        findings.push(Finding::error(format!("{at}.any_of"), text));
    }
    for (index, step) in step.alternatives().iter().enumerate() {
        let at = format!("{at}.any_of[{index}]");
        if !step.is_request() {
            findings.push(Finding::error(at, "an alternative is a step `request`"));
        } else if step.on_failure == OnFailure::Null {
            let finding = Finding::error(
                format!("{at}.optional"),
                "the next alternative is sent where this one fails",
            );
            findings.push(finding.hint("write it next to `any_of`"));
        }
    }
}
