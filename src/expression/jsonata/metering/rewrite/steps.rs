//! The static part of the price: the nodes of a body.

use jsonata_core::ast::AstNode;

use super::super::super::syntax::children;
use super::super::price::{CALL, COMPARED, COPY, HASHED, NODE};

/// Calls of these cost more than a node for any arguments.
fn base(name: &str) -> u64 {
    match name {
        "toMillis" => 4_000, // builds a regular expression from the picture
        "fromMillis" | "now" => 1_500,
        "formatNumber" | "formatInteger" | "parseInteger" | "formatBase" => 600,
        "random" | "uuid" => 120,
        _ => 20,
    }
}

/// Steps of a node and what is below it, when each part runs once. Parts that
/// run more often pay again for themselves.
pub(super) fn of(node: &AstNode) -> u64 {
    within(node, 0)
}

/// A variable is looked for in one scope after the other.
fn within(node: &AstNode, scopes: u64) -> u64 {
    let inner = scopes + u64::from(matches!(node, AstNode::Block(_)));
    let below = match node {
        AstNode::Lambda { .. } | AstNode::Transform { .. } => size(node) * COPY,
        _ => children(node)
            .into_iter()
            .map(|child| within(child, inner))
            .sum(),
    };
    own(node, scopes) + below
}

fn own(node: &AstNode, scopes: u64) -> u64 {
    NODE + match node {
        AstNode::Name(name) => (name.len() / HASHED) as u64,
        AstNode::String(text) => (text.len() / COMPARED) as u64,
        AstNode::Variable(name) if name.is_empty() => scopes + NODE,
        AstNode::Variable(_) | AstNode::Lambda { .. } => scopes,
        AstNode::Function { name, .. } => scopes + base(name),
        AstNode::Call { .. } => CALL,
        AstNode::Array(_) | AstNode::ArrayGroup(_) => 4 * NODE,
        AstNode::Block(_) => 8 * NODE,
        AstNode::Object(entries)
        | AstNode::ObjectTransform {
            pattern: entries, ..
        } => (6 + 5 * entries.len() as u64) * NODE,
        _ => 0,
    }
}

/// Nodes of a tree.
fn size(node: &AstNode) -> u64 {
    1 + children(node).into_iter().map(size).sum::<u64>()
}

/// Whether a variable is bound in it, outside of a block or function within.
pub(super) fn binds(node: &AstNode) -> bool {
    use jsonata_core::ast::BinaryOp::ColonEqual;
    match node {
        AstNode::Block(_) | AstNode::Lambda { .. } => false,
        AstNode::Binary { op: ColonEqual, .. } => true,
        other => children(other).into_iter().any(binds),
    }
}
