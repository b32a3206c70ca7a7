//! Predicates that are so simple that the path they belong to can pay for them
//! ahead: comparisons of an item, or a field of it, with a literal or a
//! variable. They keep the form they have, which the engine runs fastest.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep};

use super::super::plan::PlanStep;
use super::super::price;
use super::body::PathStarts;
use super::steps;

/// What one side of a comparison is.
enum Side<'a> {
    /// A literal.
    Fixed,
    /// The item, or a field of it.
    Item,
    /// A variable, or a field of it.
    Variable(&'a str, Option<&'a str>),
}

/// Adds to `hop` what the predicate costs for each item, and to `starts` the
/// variables it compares with. `None` where it is not simple: then nothing was added.
pub(super) fn ahead(
    node: &AstNode,
    hop: &mut PlanStep,
    starts: &mut PathStarts,
    own: &dyn Fn(&str) -> bool,
) -> Option<()> {
    if !is_simple(node, own) {
        return None;
    }
    hop.each += price::PREDICATE + steps::of(node);
    add(node, hop, starts);
    Some(())
}

fn is_simple(node: &AstNode, own: &dyn Fn(&str) -> bool) -> bool {
    match node {
        AstNode::Binary { op, lhs, rhs } => match op {
            BinaryOp::And | BinaryOp::Or => is_simple(lhs, own) && is_simple(rhs, own),
            BinaryOp::In => {
                side(lhs, own).is_some() && (is_literals(rhs) || side(rhs, own).is_some())
            }
            op if is_comparison(*op) => side(lhs, own).is_some() && side(rhs, own).is_some(),
            _ => false,
        },
        _ => false,
    }
}

pub(super) fn is_comparison(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::LessThan
            | BinaryOp::LessThanOrEqual
            | BinaryOp::GreaterThan
            | BinaryOp::GreaterThanOrEqual
    )
}

fn is_literals(node: &AstNode) -> bool {
    matches!(node, AstNode::Array(items) if items.iter().all(is_literal))
}

pub(super) fn is_literal(node: &AstNode) -> bool {
    match node {
        AstNode::String(_) | AstNode::Number(_) | AstNode::Boolean(_) | AstNode::Null => true,
        AstNode::Unary { operand, .. } => is_literal(operand),
        _ => false,
    }
}

fn side<'a>(node: &'a AstNode, own: &dyn Fn(&str) -> bool) -> Option<Side<'a>> {
    let of = |name: &'a str, field| match name {
        "" => Some(Side::Item),
        // A tuple's own, or a function of the engine.
        name if own(name) => None,
        name => Some(Side::Variable(name, field)),
    };
    match node {
        node if is_literal(node) => Some(Side::Fixed),
        AstNode::Name(_) => Some(Side::Item),
        AstNode::Variable(name) => of(name, None),
        AstNode::Path { steps } => match steps.as_slice() {
            [only] => match plain(only)? {
                AstNode::Name(_) => Some(Side::Item),
                AstNode::Variable(name) => of(name, None),
                _ => None,
            },
            [start, field] => match (plain(start)?, plain(field)?) {
                (AstNode::Variable(name), AstNode::Name(field)) => of(name, Some(field)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The node of a step that does nothing else.
pub(super) fn plain(step: &PathStep) -> Option<&AstNode> {
    let is_plain = step.stages.is_empty()
        && step.focus.is_none()
        && step.index_var.is_none()
        && step.ancestor_label.is_none()
        && !step.is_tuple;
    is_plain.then_some(&step.node)
}

fn add(node: &AstNode, hop: &mut PlanStep, starts: &mut PathStarts) {
    let AstNode::Binary { op, lhs, rhs } = node else {
        return;
    };
    if matches!(op, BinaryOp::And | BinaryOp::Or) {
        add(lhs, hop, starts);
        add(rhs, hop, starts);
        return;
    }
    let nothing = |_: &str| false;
    let sides = [side(lhs, &nothing), side(rhs, &nothing)];
    let is_fixed = sides
        .iter()
        .any(|side| !matches!(side, Some(Side::Item | Side::Variable(..))));
    let mut compared = false;
    for side in sides.into_iter().flatten() {
        match side {
            Side::Fixed => {}
            Side::Item => hop.looks += 1,
            Side::Variable(name, field) => {
                let slot =
                    starts.slot(AstNode::Variable(name.to_owned()), field.map(str::to_owned));
                hop.with.push(slot);
                compared = true;
            }
        }
    }
    hop.compares |= !is_fixed && !compared;
}
