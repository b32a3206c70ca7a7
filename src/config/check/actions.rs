//! Actions: what they call exists.

use crate::config::action::{Action, MethodCall, StepKind};
use crate::config::{Config, CustomToken, Finding};

use super::Broken;
use super::resources::{check_method, check_name};

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    for (name, action) in &config.actions {
        let at = format!("config.actions.{name}");
        check_name(name, &at, findings);
        check_action(config, action, &at, broken, findings);
    }
    for (format, credential) in &config.credentials {
        let at = format!("config.credentials.{format}.config");
        if let Some(custom) = credential.custom_token() {
            check_custom(custom, &at, broken, findings);
            for action in custom.actions() {
                check_action(config, action, &at, broken, findings);
            }
        }
    }
}

/// Without a request there is no token, and no form is shown once the customer has sent theirs.
fn check_custom(custom: &CustomToken, at: &str, broken: &Broken, findings: &mut Vec<Finding>) {
    for action in custom.actions() {
        for (place, step) in action.placed() {
            if matches!(step.kind, StepKind::Form(_)) {
                let text = "the steps of a credential ask the customer nothing";
                let finding = Finding::error(format!("{at}{place}.type"), text);
                findings.push(finding.hint("declare it in `fields`"));
            }
        }
        if !action.sends_request() && !broken.touches(at) {
            let text = "none of the steps sends a request, so no provider gives a token";
            findings.push(Finding::error(at, text));
        }
    }
}

fn check_action(
    config: &Config,
    action: &Action,
    at: &str,
    broken: &Broken,
    findings: &mut Vec<Finding>,
) {
    if action.steps.is_empty() && !broken.touches(at) {
        findings.push(Finding::warning(
            format!("{at}.steps"),
            "an action without steps does nothing",
        ));
    }
    for (place, step) in action.placed() {
        let at = format!("{at}{place}.config");
        match &step.kind {
            StepKind::Request(method) => check_method(config, method, &at, broken, findings),
            StepKind::Call(call) => check_call(config, call, &at, broken, findings),
            _ => {}
        }
    }
}

fn check_call(
    config: &Config,
    call: &MethodCall,
    at: &str,
    broken: &Broken,
    findings: &mut Vec<Finding>,
) {
    check_method_is_there(config, (&call.resource, &call.method), at, broken, findings);
}

pub(super) fn check_method_is_there(
    config: &Config,
    (resource, method): (&str, &str),
    at: &str,
    broken: &Broken,
    findings: &mut Vec<Finding>,
) {
    let is_known = config.method(resource, method).is_some();
    if is_known || broken.touches(&format!("config.resources.{resource}.{method}")) {
        return;
    }
    let finding = match config.resource(resource) {
        None => Finding::error(
            format!("{at}.resource"),
            format!("there is no resource `{resource}`"),
        ),
        Some(_) => Finding::error(
            format!("{at}.method"),
            format!("`{resource}` has no method `{method}`"),
        ),
    };
    findings.push(finding);
}
