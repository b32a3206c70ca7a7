//! `$replace` with a function: what the function gives is counted, too.

use jsonata_core::ast::{AstNode, BinaryOp};

use super::super::hook;
use super::super::table::Charge;
use super::body::PathStarts;
use super::nodes::{call, wrap};
use super::{Rewriter, steps};

impl Rewriter {
    /// A function that gives replacements is counted by what it gives. Whether
    /// the second or the third argument is the replacement, and whether what a
    /// variable holds is a function, only the call shows.
    pub(super) fn count_replacements(&mut self, args: &mut [AstNode]) {
        for arg in args.iter_mut().skip(1).take(2) {
            match arg {
                AstNode::Lambda { body, .. } => wrap(body, |body| call(hook::MADE, vec![body])),
                AstNode::String(_) | AstNode::Number(_) | AstNode::Regex { .. } => {}
                other => {
                    let value = std::mem::replace(other, AstNode::Null);
                    *other = self.counted_when_function(value);
                }
            }
        }
    }

    /// `($r := value; $r is a function ? function($a, $b) { counted($r($a, $b)) } : $r)`
    fn counted_when_function(&mut self, value: AstNode) -> AstNode {
        let name = |index: usize| format!("causeway replacement {index}");
        let variable = |index: usize| AstNode::Variable(name(index));
        let inner = call(&name(0), vec![variable(1), variable(2)]);
        let params = vec![name(1), name(2)];
        let mut body = call(hook::MADE, vec![inner]);
        let charge = Charge {
            steps: steps::of(&body),
            ..Charge::default()
        };
        self.count_calls(&params, &mut body, charge, PathStarts::default());
        let function = AstNode::Lambda {
            params,
            body: Box::new(body),
            signature: None,
            thunk: false,
        };
        let bind = AstNode::Binary {
            op: BinaryOp::ColonEqual,
            lhs: Box::new(variable(0)),
            rhs: Box::new(value),
        };
        let choice = AstNode::Conditional {
            condition: Box::new(call(hook::IS_FUNCTION, vec![variable(0)])),
            then_branch: Box::new(function),
            else_branch: Some(Box::new(variable(0))),
        };
        AstNode::Block(vec![bind, choice])
    }
}
