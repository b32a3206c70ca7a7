//! The provenance of the values that an action hands from step to step and writes into the context.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::source::{Layer, Sources};
use crate::expression::{Expression, TemplateTree};

use super::{Change, Step, StepKind};

/// The variable of a step's expressions that holds the account's context.
const CONTEXT: &str = "context";

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

impl Change {
    /// What it writes, given the provenance of the previous step's value.
    pub fn written(&self, before: Provenance) -> ContextWrite {
        let mut written = match self {
            Self::Expression(expression) => of_expression(expression, before),
            Self::Values(tree) => of_values(tree, before),
        };
        written.reads = written.reads.filter(|_| before != Provenance::Context);
        written
    }
}

fn of_expression(expression: &Expression, before: Provenance) -> ContextWrite {
    let flow = expression.flow(CONTEXT);
    let word = |flows| if flows { Provenance::Context } else { before };
    let keys = flow.entries.map(|entries| {
        let entries = entries.into_iter();
        entries.map(|(key, flows)| (key, word(flows))).collect()
    });
    ContextWrite {
        keys,
        whole: word(flow.flows),
        reads: flow.names,
    }
}

fn of_values(tree: &TemplateTree, before: Provenance) -> ContextWrite {
    let sources = Sources::of_placeholders(tree.placeholders().into_iter());
    let reads = sources.context.iter().map(|key| (*key).to_owned());
    let reads = (!sources.whole_context).then(|| reads.collect());
    let keys = match tree {
        TemplateTree::Object(entries) => {
            let keys = entries.iter();
            let keys = keys.map(|(key, value)| (key.clone(), of_tree(value, before)));
            Some(keys.collect())
        }
        _ => None,
    };
    ContextWrite {
        keys,
        whole: of_tree(tree, before),
        reads,
    }
}

fn of_tree(tree: &TemplateTree, before: Provenance) -> Provenance {
    let layers = Sources::of_placeholders(tree.placeholders().into_iter()).layers();
    if layers.contains(&Layer::Account) {
        Provenance::Context
    } else if layers.contains(&Layer::Call) {
        before
    } else {
        Provenance::Provider
    }
}

impl Step {
    /// The provenance of the step's value.
    pub fn provenance_after(&self, before: Provenance) -> Provenance {
        match &self.kind {
            StepKind::Request(_) | StepKind::Call(_) => Provenance::Provider,
            StepKind::Transform(expression) => of_expression(expression, before).whole,
            StepKind::GetContext(_) | StepKind::Form(_) => Provenance::Context,
            StepKind::SetContext(_) | StepKind::UpdateContext(_) => before,
        }
    }

    /// What it changes in the context.
    pub fn change(&self) -> Option<&Change> {
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
