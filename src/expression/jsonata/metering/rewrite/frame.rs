//! The first step of every function: it pays for the call, and gives something
//! that the engine's block holds until the body has its result. So those that
//! run can be counted without a step at the end, which would make tail calls
//! use stack.

use jsonata_core::ast::AstNode;

use super::super::super::limits::TAIL_STEPS_PER_FRAME;
use super::super::hook;
use super::super::table::Charge;
use super::body::PathStarts;
use super::nodes::{call, wrap};
use super::{Rewriter, Rewritten, construct};

impl Rewriter {
    pub(super) fn lambda(&mut self, node: &mut AstNode) -> Rewritten {
        let AstNode::Lambda {
            params,
            body,
            signature,
            ..
        } = node
        else {
            return Ok(());
        };
        self.is_plain = false;
        let outside = self.bound.len();
        self.bound.extend_from_slice(params);
        let opened = self.opened(body, Self::node);
        self.bound.truncate(outside);
        let (steps, starts) = opened?;
        construct::count_copies(body);
        let charge = Charge {
            steps,
            is_checked: signature.is_some(),
            ..Charge::default()
        };
        self.count_calls(params, body, charge, starts);
        Ok(())
    }

    /// Puts the payment before the body of a function.
    pub(super) fn count_calls(
        &mut self,
        params: &[String],
        body: &mut AstNode,
        mut charge: Charge,
        starts: PathStarts,
    ) {
        charge.frames = 1 + tail_steps(body) / TAIL_STEPS_PER_FRAME;
        charge.slots = starts.slots;
        charge.starts = starts.reads;
        let number = self.table.add(charge);
        let params = params.iter().cloned().map(AstNode::Variable);
        let args = std::iter::once(number).chain(starts.nodes).chain(params);
        let paid = call(hook::PAY, args.collect());
        wrap(body, |body| AstNode::Block(vec![paid, body]));
    }
}

/// Whether it is the body of a function that counts its calls; those that the
/// engine makes by itself do not.
pub fn is_counted(body: &AstNode) -> bool {
    let first = match body {
        AstNode::Block(items) => items.first(),
        _ => None,
    };
    matches!(first, Some(AstNode::Function { name, .. }) if name == hook::PAY)
}

/// How many conditionals and blocks enclose the expression that a function ends with.
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
