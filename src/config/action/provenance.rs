//! The provenance of the values that an action hands from step to step and writes into the context.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::config::source::Sources;
use crate::expression::{Expression, Flow, TemplateTree, effort};

use super::{ContextChange, GetContext, StepConfig, StepKind};

mod previous;
pub use previous::Previous;

/// Steps of looking at an entry of a change.
const AN_ENTRY: u64 = 100;

/// Who determined a value. Where it can be either of two, the greater one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provenance {
    /// The provider, by its answer, or the file.
    Provider,
    /// The caller of the action.
    Caller,
    /// Copied from the account's context, which customers fill in.
    Context,
}

/// What a step writes into the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextWrite {
    /// The keys; `None` where they are computed.
    keys: Option<BTreeMap<String, Provenance>>,
    /// The provenance of the whole.
    whole: Provenance,
    /// The keys of the context that it reads; `None` where they cannot be known.
    reads: Option<BTreeSet<String>>,
}

impl ContextWrite {
    /// The provenance of a key afterwards; `None` where the key is not written.
    pub fn provenance_of(&self, key: &str) -> Option<Provenance> {
        match &self.keys {
            Some(keys) => keys.get(key).copied(),
            None => Some(self.whole),
        }
    }

    /// The keys with their provenance; that of the whole where the keys are computed.
    pub fn provenances(&self) -> Result<&BTreeMap<String, Provenance>, Provenance> {
        self.keys.as_ref().ok_or(self.whole)
    }

    /// Whether it can copy what one of these keys of the context holds.
    pub fn can_copy(&self, mut is_one: impl FnMut(&str) -> bool) -> bool {
        let reads = self.reads.as_ref();
        reads.is_none_or(|reads| reads.iter().any(|key| is_one(key)))
    }
}

impl ContextChange {
    /// What it writes, given the previous step's value.
    pub fn written(&self, before: &Previous) -> ContextWrite {
        match self {
            Self::Expression(expression) => of_expression(expression, before),
            Self::Values(tree) => of_values(tree, before),
        }
    }
}

/// What is assumed where the steps do not suffice: then the file is refused.
fn unknown() -> ContextWrite {
    ContextWrite {
        keys: None,
        whole: Provenance::Context,
        reads: None,
    }
}

fn of_expression(expression: &Expression, before: &Previous) -> ContextWrite {
    let flow = expression.context_variable();
    let entries = flow.entries.as_ref();
    let count = entries.map_or(1, BTreeMap::len) as u64;
    if effort::take(AN_ENTRY.saturating_mul(count)).is_err() {
        return unknown();
    }
    let keys = entries.map(|entries| {
        let entries = entries.iter();
        entries.map(|(key, flows)| {
            let given = given_to(&flow, key, before);
            let is_mixed = *flows && given == Provenance::Caller;
            (key.clone(), WrittenPart::of(*flows, given, is_mixed))
        })
    });
    if let Some(parts) = keys {
        return together(parts, flow.names.clone());
    }
    let is_mixed = flow.flows && before.provenance == Provenance::Caller;
    whole(
        WrittenPart::of(flow.flows, before.provenance, is_mixed),
        flow.names.clone(),
    )
}

/// A change whose keys are computed.
fn whole(part: WrittenPart, reads: Option<BTreeSet<String>>) -> ContextWrite {
    ContextWrite {
        keys: None,
        whole: part.provenance,
        reads: reads.filter(|_| part.is_known),
    }
}

/// The provenance of what an entry of an expression takes from the step before.
fn given_to(flow: &Flow, key: &str, before: &Previous) -> Provenance {
    match flow.inputs.get(key) {
        Some(Some(names)) => before.provenance_of(names.iter().map(String::as_str)),
        _ => before.provenance,
    }
}

/// The provenance of a part of a change, and whether what is copied into it is known.
#[derive(Debug, Clone, Copy)]
struct WrittenPart {
    provenance: Provenance,
    is_known: bool,
}

impl WrittenPart {
    fn of(is_copied: bool, given: Provenance, is_mixed: bool) -> Self {
        Self {
            provenance: if is_copied {
                Provenance::Context
            } else {
                given
            },
            is_known: given != Provenance::Context && !is_mixed,
        }
    }
}

/// A change of parts; `reads` is what they name of the context.
fn together(
    parts: impl Iterator<Item = (String, WrittenPart)>,
    reads: Option<BTreeSet<String>>,
) -> ContextWrite {
    let (mut keys, mut is_known, mut whole) = (BTreeMap::new(), true, Provenance::Provider);
    for (key, part) in parts {
        is_known &= part.is_known;
        whole = whole.max(part.provenance);
        keys.insert(key, part.provenance);
    }
    ContextWrite {
        keys: Some(keys),
        whole,
        reads: reads.filter(|_| is_known),
    }
}

fn of_values(tree: &TemplateTree, before: &Previous) -> ContextWrite {
    let placeholders = tree.placeholders();
    if effort::take(AN_ENTRY.saturating_mul(1 + placeholders.len() as u64)).is_err() {
        return unknown();
    }
    let sources = Sources::of_placeholders(placeholders.into_iter());
    let reads = sources.context.iter().map(|key| (*key).to_owned());
    let reads = (!sources.whole_context).then(|| reads.collect());
    let TemplateTree::Object(entries) = tree else {
        return whole(of_tree(tree, before), reads);
    };
    let parts = entries.iter();
    let parts = parts.map(|(key, value)| (key.clone(), of_tree(value, before)));
    together(parts, reads)
}

fn of_tree(tree: &TemplateTree, before: &Previous) -> WrittenPart {
    let sources = Sources::of_placeholders(tree.placeholders().into_iter());
    let is_copied = sources.whole_context || !sources.context.is_empty();
    let given = match (sources.call, sources.whole_call) {
        (false, _) => Provenance::Provider,
        (true, true) => before.provenance,
        (true, false) => before.provenance_of(sources.body.iter().copied()),
    };
    WrittenPart::of(is_copied, given, is_copied && given == Provenance::Caller)
}

fn context(get: &GetContext) -> Previous {
    let key = get.path.as_ref().and_then(|path| path.first());
    Previous {
        reads: key.map(|key| Rc::new(BTreeSet::from([key.to_owned()]))),
        ..Previous::of(Provenance::Context)
    }
}

fn computed(expression: &Expression, before: &Previous) -> Previous {
    let written = of_expression(expression, before);
    let flow = expression.context_variable();
    let is_mixed = match &flow.entries {
        Some(entries) => {
            let given = |key: &String| given_to(&flow, key, before);
            let is_copied =
                |(key, flows): (&String, &bool)| *flows || given(key) == Provenance::Context;
            entries.keys().any(|key| given(key) == Provenance::Caller)
                && entries.iter().any(is_copied)
        }
        None => flow.flows && before.provenance == Provenance::Caller,
    };
    let own = match (&flow.names, flow.flows) {
        (_, false) => Some(BTreeSet::new()),
        (names, true) => names.clone(),
    };
    // What was copied before is handed on.
    let reads = own.zip(before.reads.as_ref()).map(|(mut own, before)| {
        own.extend(before.iter().cloned());
        Rc::new(own)
    });
    Previous {
        provenance: written.whole,
        keys: written.keys.map(Rc::new),
        reads: reads.filter(|_| !is_mixed),
    }
}

impl StepConfig {
    /// The provenance of the step's value.
    pub fn behind(&self, before: &Previous) -> Previous {
        match &self.kind {
            StepKind::Request(_) | StepKind::Call(_) => Previous::of(Provenance::Provider),
            StepKind::Transform(expression) => computed(expression, before),
            StepKind::GetContext(get) => context(get),
            StepKind::Form(_) => Previous::of(Provenance::Context),
            StepKind::SetContext(_) | StepKind::UpdateContext(_) => before.clone(),
            StepKind::AnyOf(steps) if steps.iter().any(|step| step.run_if.is_none()) => {
                Previous::of(Provenance::Provider)
            }
            StepKind::AnyOf(_) => before.clone().or(Previous::of(Provenance::Provider)),
        }
    }

    /// What it changes in the context.
    pub fn change(&self) -> Option<&ContextChange> {
        match &self.kind {
            StepKind::SetContext(change) | StepKind::UpdateContext(change) => Some(change),
            _ => None,
        }
    }

    /// Whether it sends a request to the provider.
    pub fn is_request(&self) -> bool {
        matches!(self.kind, StepKind::Request(_) | StepKind::Call(_))
    }
}
