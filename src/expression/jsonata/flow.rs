//! Where the values of an expression come from: whether what a variable holds can be part of its result.
//!
//! A value flows by being named, put together or handed to a function. What only decides (a condition, a comparison, the
//! predicate of a path) hands nothing on. In doubt a value flows.

use std::collections::{BTreeMap, BTreeSet};

use jsonata_core::ast::{AstNode, BinaryOp, Stage};

use super::inputs;
use super::links::bound;
use super::syntax::children;

/// Functions whose result says something about what is given to them, and holds nothing of it.
pub(super) const ABOUT: &[&str] = &[
    "boolean", "contains", "count", "exists", "length", "not", "type",
];

/// What an expression gives of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// The keys of the object it gives, each with whether the variable flows into its value; `None` where the keys are
    /// computed.
    pub entries: Option<BTreeMap<String, bool>>,
    /// Whether the variable flows into any of it.
    pub flows: bool,
    /// What it looks at of the variable, by the names right below it; `None` where it can be anything.
    pub names: Option<BTreeSet<String>>,
    /// For each of `entries` the keys of the input that its value can hold something of; `None` where it can be any.
    pub inputs: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl Flow {
    /// What is assumed of an expression that is not looked at: all of it flows.
    pub(super) fn unknown() -> Self {
        Self {
            entries: None,
            flows: true,
            names: None,
            inputs: BTreeMap::new(),
        }
    }
}

pub(super) fn of(node: &AstNode, variable: &str) -> Flow {
    let Some(bound) = bound(node, variable) else {
        return Flow::unknown();
    };
    let mut entries = BTreeMap::new();
    let is_plain = add_entries(node, &bound, &mut entries);
    let mut names = BTreeSet::new();
    let is_named = add_names(node, variable, &mut names);
    let inputs = if is_plain {
        inputs::of(node)
    } else {
        BTreeMap::new()
    };
    Flow {
        inputs,
        names: is_named.then_some(names),
        entries: is_plain.then_some(entries),
        flows: flows(node, &bound),
    }
}

/// The string literals of an expression.
pub(super) fn texts<'n>(node: &'n AstNode, texts: &mut Vec<&'n str>) {
    if let AstNode::String(text) = node {
        texts.push(text);
    }
    for child in children(node) {
        self::texts(child, texts);
    }
}

/// Whether something of the bound variables is in the result.
fn flows(node: &AstNode, bound: &BTreeSet<String>) -> bool {
    match node {
        AstNode::Variable(name) => bound.contains(name),
        AstNode::Binary { op, .. } if decides(*op) => false,
        AstNode::Function { name, .. } if ABOUT.contains(&name.as_str()) => false,
        AstNode::Function { name, args, .. } => {
            bound.contains(name) || args.iter().any(|arg| flows(arg, bound))
        }
        AstNode::Conditional {
            then_branch,
            else_branch,
            ..
        } => {
            flows(then_branch, bound)
                || else_branch
                    .as_deref()
                    .is_some_and(|node| flows(node, bound))
        }
        AstNode::Sort { input, .. } => flows(input, bound),
        node => sources(node).into_iter().any(|child| flows(child, bound)),
    }
}

/// Adds the names that are looked at; whether nothing else is.
fn add_names(node: &AstNode, variable: &str, names: &mut BTreeSet<String>) -> bool {
    match node {
        AstNode::Variable(name) if name == variable => return false,
        // A path may come back by it to the variable that it began with.
        AstNode::Parent(_) => return false,
        _ => {}
    }
    let mut parts = sources(node);
    if let Some(name) = named(node, variable) {
        names.insert(name.to_owned());
        parts.drain(..2);
    }
    let mut parts = parts.into_iter().chain(filters(node));
    parts.all(|part| add_names(part, variable, names))
}

/// The name in `$variable.name`.
fn named<'n>(node: &'n AstNode, variable: &str) -> Option<&'n str> {
    let AstNode::Path { steps } = node else {
        return None;
    };
    let first = steps.first()?;
    match (&first.node, &steps.get(1)?.node) {
        (AstNode::Variable(own), AstNode::Name(name))
            if own == variable && first.focus.is_none() =>
        {
            Some(name)
        }
        _ => None,
    }
}

pub(super) fn decides(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::LessThan
            | BinaryOp::LessThanOrEqual
            | BinaryOp::GreaterThan
            | BinaryOp::GreaterThanOrEqual
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::In
    )
}

/// Adds what an object literal names; whether it is one, in all its branches.
fn add_entries(
    node: &AstNode,
    bound: &BTreeSet<String>,
    entries: &mut BTreeMap<String, bool>,
) -> bool {
    match node {
        AstNode::Object(pairs) => pairs.iter().all(|(key, value)| {
            let AstNode::String(key) = key else {
                return false;
            };
            *entries.entry(key.clone()).or_default() |= flows(value, bound);
            true
        }),
        AstNode::Block(items) => items
            .last()
            .is_some_and(|last| add_entries(last, bound, entries)),
        AstNode::Conditional {
            then_branch,
            else_branch,
            ..
        } => {
            add_entries(then_branch, bound, entries)
                && else_branch
                    .as_deref()
                    .is_none_or(|node| add_entries(node, bound, entries))
        }
        AstNode::Path { steps } => match steps.as_slice() {
            [only] if only.stages.is_empty() => add_entries(&only.node, bound, entries),
            _ => false,
        },
        _ => false,
    }
}

/// The parts whose values can be in that of the whole: not the predicates of a path.
pub(super) fn sources(node: &AstNode) -> Vec<&AstNode> {
    match node {
        AstNode::Path { steps } => steps.iter().map(|step| &step.node).collect(),
        node => children(node),
    }
}

/// The predicates of a path.
pub(super) fn filters(node: &AstNode) -> Vec<&AstNode> {
    let AstNode::Path { steps } = node else {
        return Vec::new();
    };
    steps
        .iter()
        .flat_map(|step| &step.stages)
        .filter_map(|stage| match stage {
            Stage::Filter(filter) => Some(filter.as_ref()),
            Stage::KeepArray | Stage::Index(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
