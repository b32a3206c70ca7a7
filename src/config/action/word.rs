//! Whose word a value is that an action hands from step to step, and what it writes into the context.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::source::{Layer, Sources};
use crate::expression::{Expression, TemplateTree};

use super::{Change, Step, StepKind};

/// The variable of a step's expressions that holds the account's context.
const CONTEXT: &str = "context";

/// Whose word a value is; the greater one counts where it can be either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// The provider's: it was answered. Or the file's own.
    Provider,
    /// That of who runs the action.
    Caller,
    /// Copied from the account's context, where customers type.
    Copied,
}

/// What a change writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The keys; `None` where they are computed.
    keys: Option<BTreeMap<String, Word>>,
    /// The word of all of it.
    whole: Word,
    /// The keys of the context that it looks at; `None` where these can be any.
    reads: Option<BTreeSet<String>>,
}

impl Written {
    /// Whose word this key has from then on; `None` where it is not written.
    pub fn word_of(&self, key: &str) -> Option<Word> {
        match &self.keys {
            Some(keys) => keys.get(key).copied(),
            None => Some(self.whole),
        }
    }

    /// The keys with their words; the word of all of it where the keys are computed.
    pub fn words(&self) -> Result<&BTreeMap<String, Word>, Word> {
        self.keys.as_ref().ok_or(self.whole)
    }

    /// Whether it can copy what one of these keys of the context holds.
    pub fn can_copy(&self, mut is_one: impl FnMut(&str) -> bool) -> bool {
        let reads = self.reads.as_ref();
        reads.is_none_or(|reads| reads.iter().any(|key| is_one(key)))
    }
}

impl Change {
    /// What it writes, where the value of the step before is of this word.
    pub fn written(&self, before: Word) -> Written {
        let mut written = match self {
            Self::Expression(expression) => of_expression(expression, before),
            Self::Values(tree) => of_values(tree, before),
        };
        written.reads = written.reads.filter(|_| before != Word::Copied);
        written
    }
}

fn of_expression(expression: &Expression, before: Word) -> Written {
    let flow = expression.flow(CONTEXT);
    let word = |flows| if flows { Word::Copied } else { before };
    let keys = flow.entries.map(|entries| {
        let entries = entries.into_iter();
        entries.map(|(key, flows)| (key, word(flows))).collect()
    });
    Written {
        keys,
        whole: word(flow.flows),
        reads: flow.names,
    }
}

fn of_values(tree: &TemplateTree, before: Word) -> Written {
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
    Written {
        keys,
        whole: of_tree(tree, before),
        reads,
    }
}

fn of_tree(tree: &TemplateTree, before: Word) -> Word {
    let layers = Sources::of_placeholders(tree.placeholders().into_iter()).layers();
    if layers.contains(&Layer::Account) {
        Word::Copied
    } else if layers.contains(&Layer::Call) {
        before
    } else {
        Word::Provider
    }
}

impl Step {
    /// Whose word the value behind the step is, once it has run.
    pub fn word_behind(&self, before: Word) -> Word {
        match &self.kind {
            StepKind::Request(_) | StepKind::Call(_) => Word::Provider,
            StepKind::Transform(expression) => of_expression(expression, before).whole,
            StepKind::GetContext(_) | StepKind::Form(_) => Word::Copied,
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

    /// Whether it asks the provider.
    pub fn is_request(&self) -> bool {
        matches!(self.kind, StepKind::Request(_) | StepKind::Call(_))
    }
}
