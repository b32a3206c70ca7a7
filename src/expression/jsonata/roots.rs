//! What an expression gives of a root of its input, such as `context`. Where the input is still that of the whole
//! expression, the name of the root is followed like a variable.

use std::collections::BTreeSet;

use jsonata_core::ast::AstNode;

use super::flow::{self, Flow};
use super::foresight::may_see;

/// What it gives of a root. Where it may look at it in another way, what it looks at of it is unknown.
pub(super) fn flow(node: &AstNode, root: &str) -> Flow {
    // No variable has such a name.
    let variable = format!("\0{root}");
    let mut tree = node.clone();
    rename(&mut tree, root, &variable);
    let flow = flow::of(&tree, &variable);
    let names: Option<BTreeSet<String>> = flow.names.filter(|_| !may_see(&tree, &[root]));
    Flow { names, ..flow }
}

/// Renames it where the input is that of the whole expression.
fn rename(node: &mut AstNode, root: &str, variable: &str) {
    if matches!(node, AstNode::Name(name) if name == root) {
        *node = AstNode::Variable(variable.to_owned());
        return;
    }
    for part in same_input(node) {
        rename(part, root, variable);
    }
}

/// The parts of a node whose input is its own.
fn same_input(node: &mut AstNode) -> Vec<&mut AstNode> {
    match node {
        AstNode::Path { steps } => {
            let first = steps.first_mut();
            first.map(|step| &mut step.node).into_iter().collect()
        }
        AstNode::Binary { lhs, rhs, .. } => vec![lhs, rhs],
        AstNode::Unary { operand, .. } => vec![operand],
        AstNode::Function { args, .. } => args.iter_mut().collect(),
        AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => {
            items.iter_mut().collect()
        }
        AstNode::Object(pairs) => {
            let pairs = pairs.iter_mut();
            pairs.flat_map(|(key, value)| [key, value]).collect()
        }
        AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } => {
            let branches: [&mut AstNode; 2] = [condition, then_branch];
            let branches = branches.into_iter();
            branches.chain(else_branch.as_deref_mut()).collect()
        }
        _ => Vec::new(),
    }
}
