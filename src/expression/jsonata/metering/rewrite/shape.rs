//! What the engine does with a node by its kind and place.

use jsonata_core::ast::{AstNode, PathStep, Stage};

use super::super::super::syntax::children;
use super::super::plan::Axis;

/// Where a step goes that nothing is computed for.
pub(super) fn axis_of(node: &AstNode, index: usize) -> Option<Axis> {
    match node {
        AstNode::Name(name) => Some(Axis::Name(name.clone())),
        AstNode::Wildcard => Some(Axis::Children),
        AstNode::Descendant => Some(Axis::Descendants),
        AstNode::Variable(name) if name.is_empty() || index == 0 => Some(Axis::Itself),
        AstNode::ParentVariable(_) | AstNode::Parent(_) if index == 0 => Some(Axis::Itself),
        _ => None,
    }
}

pub(super) fn is_ordered(node: &AstNode) -> bool {
    matches!(node, AstNode::Sort { .. } | AstNode::ObjectTransform { .. })
}

/// Whether a first step is evaluated once for any context.
pub(super) fn is_made_once(node: &AstNode) -> bool {
    match node {
        AstNode::Array(_) => true,
        AstNode::Block(items) => starts_with_array(items),
        _ => false,
    }
}

/// Whether a step in brackets ends with a path. `@` after it has what follows
/// begin elsewhere.
pub(super) fn is_open(index: usize, step: &PathStep) -> bool {
    let is_once = index == 0 && is_made_once(&step.node);
    !is_once && step.focus.is_none() && ends_with_path(&step.node, true)
}

pub(super) fn ends_with_path(node: &AstNode, is_outside: bool) -> bool {
    match node {
        AstNode::FunctionApplication(inner) if is_outside => ends_with_path(inner, false),
        AstNode::Block(items) => items.last().is_some_and(|last| ends_with_path(last, false)),
        AstNode::Path { .. } | AstNode::Sort { .. } | AstNode::Name(_) => !is_outside,
        _ => false,
    }
}

/// Whether there are tuples anywhere in it.
pub(super) fn has_tuples(node: &AstNode) -> bool {
    matches!(node, AstNode::Path { steps } if steps.iter().any(makes_tuple))
        || children(node).into_iter().any(has_tuples)
}

pub(super) fn makes_tuple(step: &PathStep) -> bool {
    step.is_tuple
        || step.inner_tuple
        || step.focus.is_some()
        || step.index_var.is_some()
        || step.ancestor_label.is_some()
}

pub(super) fn makes_tuples(node: &AstNode) -> bool {
    match node {
        AstNode::Sort { input, .. } => makes_tuples(input),
        AstNode::Path { steps } => steps
            .iter()
            .any(|step| makes_tuple(step) || has_tuples(&step.node)),
        _ => false,
    }
}

/// A position; `-1` is one too.
pub(super) fn number(filter: &AstNode) -> Option<f64> {
    match filter {
        AstNode::Number(position) => Some(*position),
        AstNode::Unary { operand, .. } => match operand.as_ref() {
            AstNode::Number(position) => Some(-position),
            _ => None,
        },
        _ => None,
    }
}

/// The variables a step binds.
pub(super) fn names(step: &PathStep) -> Vec<String> {
    let stages = step.stages.iter().filter_map(|stage| match stage {
        Stage::Index(name) => Some(name.clone()),
        Stage::Filter(_) | Stage::KeepArray => None,
    });
    let own = [&step.focus, &step.index_var]
        .into_iter()
        .flatten()
        .cloned();
    own.chain(stages).collect()
}

/// Whether the engine takes a block for an array: one of its steps is a path
/// that starts with one.
pub(super) fn starts_with_array(items: &[AstNode]) -> bool {
    fn starts(node: &AstNode, dotted: bool) -> bool {
        match node {
            AstNode::Array(_) => dotted,
            AstNode::Block(items) => starts_with_array(items),
            AstNode::Sort { input, .. } => starts(input, dotted),
            AstNode::Path { steps } => steps
                .first()
                .is_some_and(|step| starts(&step.node, dotted || steps.len() > 1)),
            _ => false,
        }
    }
    items.iter().any(|item| starts(item, false))
}
