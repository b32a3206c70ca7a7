//! Whose data a request opens. What the operator's credential opens is not the customer's to choose: a word that they
//! typed would name another's. Where the customer's own credential signs the request in, it opens their own alone.

use crate::config::action::{Call, Provenance, StepKind};
use crate::config::{Config, Finding, Method};
use crate::expression::effort;

use super::Broken;
use super::carried::{Carried, CarriedReader};
use super::traced::{TracedStep, confirmed, runs_alone, traced};
use super::typed::Typed;

/// The action whose answer is the account's token.
const GRANT: &str = "refresh_token";

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    if broken.touches("config.credentials") || broken.touches("config.actions") {
        return;
    }
    let typed = Typed::of(config);
    let later = typed.without(&confirmed(config));
    let reader = CarriedReader::new(config, &typed);
    for (name, action) in &config.actions {
        check_action(&reader, name, &traced(name, action), findings);
    }
    check_methods(&CarriedReader::new(config, &later), findings);
}

fn check_action(
    reader: &CarriedReader,
    name: &str,
    steps: &[TracedStep],
    findings: &mut Vec<Finding>,
) {
    let last_write = steps.iter().rposition(|step| step.step.change().is_some());
    for (index, step) in steps.iter().enumerate() {
        let Some(carried) = sent(reader, step) else {
            continue;
        };
        let keeps = name == GRANT || last_write.is_some_and(|last| last > index);
        let is_copied = carried.given
            && match step.before {
                Provenance::Provider => false,
                Provenance::Caller => keeps,
                Provenance::Context => keeps || runs_alone(name),
            };
        let word = carried.typed.clone().or_else(|| carried.typed_key.clone());
        let word = word.or_else(|| is_copied.then(|| "body".to_owned()));
        let is_operators = carried.variable || carried.operators_key;
        if let Some(word) = word.filter(|_| is_operators && !is_own(&carried)) {
            let at = format!("config.actions.{name}{}.config", step.place);
            let text = format!(
                "it reads the operator's variables, and `{word}` is the customer's word: by naming another's they would get what the operator's credential opens"
            );
            findings.push(Finding::error(at, text).hint("sign the request in by the account's own secret alone, or take the word from the provider"));
        }
    }
}

/// Whether the customer's own secret opens what is asked for.
fn is_own(carried: &Carried) -> bool {
    carried.own_sign_in || (carried.own_secret && !carried.operators_key)
}

fn sent(reader: &CarriedReader, step: &TracedStep) -> Option<Carried> {
    let config = reader.config;
    match &step.step.kind {
        StepKind::Request(method) => Some(of_method(reader, method)),
        StepKind::Call(call) => {
            let method = config.method(&call.resource, &call.method)?;
            let mut carried = of_method(reader, method);
            let reads_caller = carried.given;
            carried.given = false;
            add_call(reader, call, reads_caller, &mut carried);
            Some(carried)
        }
        _ => None,
    }
}

/// What the step says in place of a caller.
fn add_call(reader: &CarriedReader, call: &Call, reads_caller: bool, carried: &mut Carried) {
    if let Some(id) = &call.id {
        reader.add_text(carried, id);
    }
    reader.add_entries(carried, &call.query);
    match &call.body {
        Some(body) => carried.add(&reader.of_tree(body)),
        None => carried.given |= reads_caller,
    }
}

/// A request that writes, and has no body of its own, sends the value that it is given.
fn of_method(reader: &CarriedReader, method: &Method) -> Carried {
    let mut carried = reader.of_method(method);
    carried.add(&reader.of_shared(method));
    let is_read = method.method.0.is_safe();
    carried.given |= method.body.is_none() && !method.ignore_body && !is_read;
    carried
}

fn check_methods(reader: &CarriedReader, findings: &mut Vec<Finding>) {
    let config = reader.config;
    let shared = config.headers.len().saturating_add(config.query.len()) as u64;
    for (resource, methods) in &config.resources {
        for (name, method) in methods {
            // The file's own entries are looked at once for each method.
            if effort::take(shared.saturating_mul(COST)).is_err() {
                return;
            }
            let mut carried = reader.of_method(method);
            carried.add(&reader.of_shared(method));
            let is_opened = carried.operators_key && !is_own(&carried);
            if let Some(word) = carried.typed.filter(|_| is_opened) {
                let at = format!("config.resources.{resource}.{name}");
                let text = format!(
                    "the operator's credential signs it in, and `{word}` is the customer's word: by naming another's they would get what is another's"
                );
                findings.push(Finding::warning(at, text).hint("take the word from the provider: by `contextFromToken`, or in `post_install` by a request and an `update_context` from its answer"));
            }
        }
    }
}

/// Steps that one entry of the file takes.
const COST: u64 = 200;
