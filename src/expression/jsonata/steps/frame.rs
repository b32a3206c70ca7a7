//! The first step of every function: it counts the call, and gives something
//! that the engine's block holds until the body has its result. So those that
//! run can be counted without a step at the end, which would make tail calls
//! use stack.

use jsonata_core::ast::AstNode;

use super::super::limits::TAIL_STEPS_PER_FRAME;
use super::{CALL, call, wrap};

pub(super) fn count_calls(params: &[String], body: &mut AstNode) {
    let number = u32::try_from(1 + tail_steps(body) / TAIL_STEPS_PER_FRAME);
    let mut args = vec![AstNode::Number(f64::from(number.unwrap_or(u32::MAX)))];
    args.extend(params.iter().cloned().map(AstNode::Variable));
    wrap(body, |body| AstNode::Block(vec![call(CALL, args), body]));
}

/// How many conditionals and blocks stand around what a function ends with.
fn tail_steps(body: &AstNode) -> usize {
    match body {
        AstNode::Block(items) => 1 + items.last().map_or(0, tail_steps),
        AstNode::Conditional {
            then_branch,
            else_branch,
            ..
        } => 1 + tail_steps(then_branch).max(else_branch.as_deref().map_or(0, tail_steps)),
        _ => 0,
    }
}
