//! Whose data a request opens. What the operator's credential opens is not the customer's to choose: a value that they
//! typed would name another's. Where the customer's own credential authenticates the request, it opens only their own data.

use std::collections::BTreeSet;

use crate::config::action::{EXCHANGE, MethodCall, Provenance, REFRESH, StepKind};
use crate::config::{Config, Finding, Method, PlacedAction};
use crate::expression::effort;

use super::Broken;
use super::carried::{Carried, CarriedReader};
use super::operated::Operated;
use super::traced::{TracedStep, confirmed, traced};
use super::typed::Typed;

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    if broken.touches("config.credentials") || broken.touches("config.actions") {
        return;
    }
    let typed = Typed::of(config);
    let later = typed.without(&confirmed(config));
    let operated = Operated::of(config, &typed);
    let reader = CarriedReader::new(config, &typed, &operated);
    for placed in config.placed_actions() {
        let steps = traced(placed.name, placed.action);
        check_action(&reader, &placed, &steps, findings);
    }
    let reader = CarriedReader::new(config, &later, &operated);
    check_methods(&reader, findings);
    check_syncs(&reader, findings);
}

fn check_action(
    reader: &CarriedReader,
    placed: &PlacedAction,
    steps: &[TracedStep],
    findings: &mut Vec<Finding>,
) {
    let last_write = steps.iter().rposition(|step| step.step.change().is_some());
    for (index, step) in steps.iter().enumerate() {
        let Some(carried) = sent(reader, step) else {
            continue;
        };
        let is_token = placed.name == REFRESH || placed.name == EXCHANGE;
        let keeps = is_token || last_write.is_some_and(|last| last > index);
        let is_given = match given(&carried, step) {
            Provenance::Provider => false,
            Provenance::Caller => keeps,
            Provenance::Context => step.before.can_copy(|key| reader.typed.has(key)),
        };
        let key = carried.typed.clone().or_else(|| carried.typed_key.clone());
        let key = key.or_else(|| is_given.then(|| "body".to_owned()));
        let Some(key) = key.filter(|_| !is_own(&carried)) else {
            continue;
        };
        let at = format!("{}{}.config", placed.place(), step.place);
        if carried.operators_key || carried.mixed {
            let text = format!(
                "it reads the operator's variables, and the customer chooses `{key}`: a customer who names another's value would get what the operator's credential opens"
            );
            findings.push(Finding::error(at, text).hint("authenticate the request by the account's own secret alone, or take the value from the provider"));
        } else if carried.variable {
            let text = format!(
                "it reads the operator's variables, and the customer chooses `{key}`: where a variable authenticates it, a customer who names another's value would get what the operator's credential opens"
            );
            findings.push(Finding::warning(at, text).hint("authenticate the request by the account's own secret, or leave the variables out where they authenticate nothing"));
        }
    }
}

/// The provenance of what a request takes from the step before.
fn given(carried: &Carried, step: &TracedStep) -> Provenance {
    if carried.given {
        return step.before.provenance();
    }
    step.before
        .provenance_of(carried.body.iter().map(String::as_str))
}

/// Whether the customer's own secret opens what is asked for.
pub(super) fn is_own(carried: &Carried) -> bool {
    carried.own_sign_in
        || (carried.own_secret && !carried.operators_key)
        || (carried.own_path && !carried.operators_sign_in)
}

/// What the request of a step carries. Without steps that are left it is not looked at.
pub(super) fn sent(reader: &CarriedReader, step: &TracedStep) -> Option<Carried> {
    let config = reader.config;
    effort::take(A_REQUEST.saturating_add(shared(config).saturating_mul(COST))).ok()?;
    match &step.step.kind {
        StepKind::Request(method) => Some(of_method(reader, method)),
        StepKind::Call(call) => {
            let method = config.method(&call.resource, &call.method)?;
            let mut carried = of_method(reader, method);
            let of_caller = (carried.given, std::mem::take(&mut carried.body));
            carried.given = false;
            add_call(reader, call, of_caller, &mut carried);
            Some(carried)
        }
        _ => None,
    }
}

/// What the step says in place of a caller.
fn add_call(
    reader: &CarriedReader,
    call: &MethodCall,
    (given, body): (bool, BTreeSet<String>),
    carried: &mut Carried,
) {
    if let Some(id) = &call.id {
        reader.add_text(carried, id);
    }
    reader.add_entries(carried, &call.query);
    if let Some(own) = &call.body {
        carried.add(&reader.of_tree(own));
    } else {
        carried.given |= given;
        carried.body.extend(body);
    }
}

/// A request that writes, and declares no body, sends the value that it is given.
fn of_method(reader: &CarriedReader, method: &Method) -> Carried {
    let mut carried = reader.of_method(method);
    carried.add(&reader.of_shared(method));
    let is_read = method.method.0.is_safe();
    carried.given |= method.body.is_none() && !method.ignore_body && !is_read;
    carried
}

fn check_methods(reader: &CarriedReader, findings: &mut Vec<Finding>) {
    let config = reader.config;
    let shared = shared(config);
    for (resource, methods) in &config.resources {
        for (name, method) in methods {
            // The file's own entries are looked at once for each method.
            if effort::take(shared.saturating_mul(COST)).is_err() {
                return;
            }
            let mut carried = reader.of_method(method);
            carried.add(&reader.of_shared(method));
            let is_opened = carried.operators_key && !is_own(&carried);
            if let Some(key) = carried.typed.filter(|_| is_opened) {
                let at = format!("config.resources.{resource}.{name}");
                findings.push(of_another(at, &key));
            }
        }
    }
}

/// What a sync sends in place of a caller.
fn check_syncs(reader: &CarriedReader, findings: &mut Vec<Finding>) {
    for (name, sync) in &reader.config.syncs {
        for (place, request) in sync.requests() {
            let method = reader.config.method(request.resource, request.method);
            let Some(mut carried) = method.map(|method| of_method(reader, method)) else {
                continue;
            };
            let before = carried.typed.clone();
            reader.add_entries(&mut carried, request.query);
            carried.add(
                &request
                    .body
                    .map(|own| reader.of_tree(own))
                    .unwrap_or_default(),
            );
            let is_opened = carried.operators_key && before.is_none() && !is_own(&carried);
            if let Some(key) = carried.typed.filter(|_| is_opened) {
                let at = format!("config.syncs.{name}{place}");
                findings.push(of_another(at, &key));
            }
        }
    }
}

/// The customer chooses `key` of what the operator's credential opens.
fn of_another(at: String, key: &str) -> Finding {
    let text = format!(
        "the operator's credential authenticates it, and the customer chooses `{key}`: a customer who names another's value would get another's data"
    );
    Finding::warning(at, text).hint("take the value from the provider: by `contextFromToken`, or in `post_install` by a request and an `update_context` from its answer")
}

/// Entries of the file that all its requests send.
fn shared(config: &Config) -> u64 {
    let entries = config.body.as_ref().map_or(0, |body| body.entries().len());
    let parameters = config.headers.len().saturating_add(config.query.len());
    parameters.saturating_add(entries) as u64
}

/// Steps that one entry of the file takes, and steps that a request takes in addition.
const COST: u64 = 200;
const A_REQUEST: u64 = 400;
