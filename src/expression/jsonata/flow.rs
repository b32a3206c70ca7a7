//! Where the values of an expression come from: whether what a variable holds can be part of its result.
//!
//! A value flows by being named, put together or handed to a function. What only decides (a condition, a comparison, the
//! predicate of a path) hands nothing on. In doubt a value flows.

use std::collections::{BTreeMap, BTreeSet};

use jsonata_core::ast::{AstNode, BinaryOp, Stage};

use super::syntax::children;

/// Rounds in which variables that are bound to one another are followed; in longer chains everything flows.
const ROUNDS: usize = 8;

/// Functions whose result says something about what is given to them, and holds nothing of it.
const ABOUT: &[&str] = &[
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
}

pub(super) fn of(node: &AstNode, variable: &str) -> Flow {
    let Some(bound) = bound(node, variable) else {
        return Flow {
            entries: None,
            flows: true,
            names: None,
        };
    };
    let mut entries = BTreeMap::new();
    let is_plain = add_entries(node, &bound, &mut entries);
    let mut names = BTreeSet::new();
    let is_named = add_names(node, variable, &mut names);
    Flow {
        names: is_named.then_some(names),
        entries: is_plain.then_some(entries),
        flows: flows(node, &bound),
    }
}

/// The texts that stand in an expression.
pub(super) fn texts<'n>(node: &'n AstNode, texts: &mut Vec<&'n str>) {
    if let AstNode::String(text) = node {
        texts.push(text);
    }
    for child in children(node) {
        self::texts(child, texts);
    }
}

/// The variables whose values hold something of it; `None` where that is too long to follow.
fn bound(node: &AstNode, variable: &str) -> Option<BTreeSet<String>> {
    let mut bindings = Vec::new();
    add_bindings(node, &mut bindings);
    let mut bound = BTreeSet::from([variable.to_owned()]);
    for _ in 0..ROUNDS {
        let before = bound.len();
        for (name, value) in &bindings {
            if !bound.contains(*name) && flows(value, &bound) {
                bound.insert((*name).to_owned());
            }
        }
        if bound.len() == before {
            return Some(bound);
        }
    }
    None
}

fn add_bindings<'n>(node: &'n AstNode, bindings: &mut Vec<(&'n str, &'n AstNode)>) {
    if let AstNode::Binary {
        op: BinaryOp::ColonEqual,
        lhs,
        rhs,
    } = node
        && let AstNode::Variable(name) = lhs.as_ref()
    {
        bindings.push((name, rhs));
    }
    for child in children(node) {
        add_bindings(child, bindings);
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
    if matches!(node, AstNode::Variable(name) if name == variable) {
        return false;
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
    match (&steps.first()?.node, &steps.get(1)?.node) {
        (AstNode::Variable(own), AstNode::Name(name)) if own == variable => Some(name),
        _ => None,
    }
}

fn decides(op: BinaryOp) -> bool {
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
fn sources(node: &AstNode) -> Vec<&AstNode> {
    match node {
        AstNode::Path { steps } => steps.iter().map(|step| &step.node).collect(),
        node => children(node),
    }
}

/// The predicates of a path.
fn filters(node: &AstNode) -> Vec<&AstNode> {
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
