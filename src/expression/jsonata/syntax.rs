//! The parts of a node, for every function that visits a tree; a path as source.

use jsonata_core::ast::{AstNode, PathStep, Stage};

use crate::json::Path;

/// One function for trees that are read, one for trees that are changed.
macro_rules! children {
    ($name:ident, $pairs:ident, $step:ident, $iter:ident, $option:ident $(, $mut:tt)?) => {
        /// What is directly below a node, in the order of the source.
        pub(super) fn $name(node: &$($mut)? AstNode) -> Vec<&$($mut)? AstNode> {
            match node {
                AstNode::String(_)
                | AstNode::Name(_)
                | AstNode::Number(_)
                | AstNode::Boolean(_)
                | AstNode::Null
                | AstNode::Undefined
                | AstNode::Placeholder
                | AstNode::Regex { .. }
                | AstNode::Variable(_)
                | AstNode::ParentVariable(_)
                | AstNode::Wildcard
                | AstNode::Descendant
                | AstNode::Parent(_) => Vec::new(),
                AstNode::Path { steps } => steps.$iter().flat_map($step).collect(),
                AstNode::Binary { lhs, rhs, .. } => vec![lhs, rhs],
                AstNode::Unary { operand: inner, .. }
                | AstNode::FunctionApplication(inner)
                | AstNode::Lambda { body: inner, .. } => vec![inner],
                AstNode::Function { args: items, .. }
                | AstNode::Array(items)
                | AstNode::ArrayGroup(items)
                | AstNode::Block(items) => items.$iter().collect(),
                AstNode::Call { procedure, args } => {
                    std::iter::once(&$($mut)? **procedure).chain(args).collect()
                }
                AstNode::Object(entries) => $pairs(entries).collect(),
                AstNode::ObjectTransform { input, pattern } => {
                    std::iter::once(&$($mut)? **input).chain($pairs(pattern)).collect()
                }
                AstNode::Conditional {
                    condition,
                    then_branch,
                    else_branch,
                } => [&$($mut)? **condition, &$($mut)? **then_branch]
                    .into_iter()
                    .chain(else_branch.$option())
                    .collect(),
                AstNode::Sort { input, terms } => std::iter::once(&$($mut)? **input)
                    .chain(terms.$iter().map(|(term, _)| term))
                    .collect(),
                AstNode::Transform {
                    location,
                    update,
                    delete,
                } => [&$($mut)? **location, &$($mut)? **update]
                    .into_iter()
                    .chain(delete.$option())
                    .collect(),
            }
        }

        fn $pairs(entries: &$($mut)? [(AstNode, AstNode)]) -> impl Iterator<Item = &$($mut)? AstNode> {
            entries.$iter().flat_map(|(key, value)| [key, value])
        }

        /// A step's node and its predicates.
        fn $step(step: &$($mut)? PathStep) -> impl Iterator<Item = &$($mut)? AstNode> {
            let predicates = step.stages.$iter().filter_map(|stage| match stage {
                Stage::Filter(predicate) => Some(&$($mut)? **predicate),
                Stage::KeepArray | Stage::Index(_) => None,
            });
            std::iter::once(&$($mut)? step.node).chain(predicates)
        }
    };
}

children!(children, pairs, of_step, iter, as_deref);
children!(
    children_mut,
    pairs_mut,
    of_step_mut,
    iter_mut,
    as_deref_mut,
    mut
);

/// A path as JSONata: each name in backquotes, numbers as indices.
pub(super) fn path_source(path: &Path) -> String {
    let steps = path.parts().iter().enumerate().map(|(position, part)| {
        let digits = part.strip_prefix('-').unwrap_or(part);
        let is_index = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        match (position, is_index) {
            (0, _) => format!("`{part}`"),
            (_, true) => format!("[{part}]"),
            (_, false) => format!(".`{part}`"),
        }
    });
    steps.collect()
}
