//! The nodes that are put into the tree.

use jsonata_core::ast::{AstNode, PathStep};

use super::super::hook;
use super::super::meter::Scan;

pub(super) fn wrap(node: &mut AstNode, outer: impl FnOnce(AstNode) -> AstNode) {
    let inner = std::mem::replace(node, AstNode::Null);
    *node = outer(inner);
}

pub(super) fn call(name: &str, args: Vec<AstNode>) -> AstNode {
    AstNode::Function {
        name: name.to_owned(),
        args,
        is_builtin: true,
    }
}

pub(super) fn scanned(scan: Scan, node: AstNode) -> AstNode {
    call(hook::SCAN, vec![AstNode::Number(scan.number()), node])
}

/// `$`
pub(super) fn context() -> AstNode {
    AstNode::Variable(String::new())
}

pub(super) fn result(node: &mut AstNode, number: &AstNode, is_focus: bool) {
    wrap(node, |node| {
        let start = is_focus.then(context);
        let args = std::iter::once(number.clone()).chain(start);
        call(hook::RESULT, args.chain(std::iter::once(node)).collect())
    });
}

/// A path that starts with an array, and gives nothing.
pub(super) fn array_path() -> AstNode {
    let step = |node| PathStep {
        node,
        stages: Vec::new(),
        focus: None,
        index_var: None,
        ancestor_label: None,
        is_tuple: false,
        inner_tuple: false,
        id: jsonata_core::ast::StepId::default(),
    };
    AstNode::Path {
        steps: vec![
            step(AstNode::Array(Vec::new())),
            step(AstNode::Name("causeway none".to_owned())),
        ],
    }
}
