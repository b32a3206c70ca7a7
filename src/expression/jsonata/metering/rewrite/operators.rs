//! Operators, conditions and variables that are bound.

use jsonata_core::ast::{AstNode, BinaryOp};

use super::super::hook;
use super::super::meter::Scan;
use super::super::plan::{Axis, PlanStep};
use super::super::table::ValueRead;
use super::nodes::{call, context, scanned, wrap};
use super::predicate::{is_comparison, is_literal};
use super::{Rewriter, Rewritten, builtin, construct};

impl Rewriter {
    /// A value that is asked whether it is true: a list is looked through.
    pub(super) fn condition(&mut self, node: &mut AstNode) -> Rewritten {
        let is_scalar = is_scalar(node);
        self.node(node)?;
        if !is_scalar {
            wrap(node, |node| scanned(Scan::Truth, node));
        }
        Ok(())
    }

    /// `*` and `**` look at everything there is before it is bounded.
    pub(super) fn below(&mut self, node: &mut AstNode, index: usize) {
        if matches!(node, AstNode::Wildcard) {
            let hop = PlanStep::of(Axis::Children);
            self.body.starts.add(context(), ValueRead::Path(vec![hop]));
            return;
        }
        self.is_plain = false;
        wrap(node, |node| {
            AstNode::Block(vec![call(hook::WHOLE, vec![context()]), node])
        });
        if index > 0 {
            wrap(node, |node| AstNode::FunctionApplication(Box::new(node)));
        }
    }

    pub(super) fn binary(&mut self, node: &mut AstNode) -> Rewritten {
        let AstNode::Binary { op, lhs, rhs } = node else {
            return Ok(());
        };
        match op {
            BinaryOp::ChainPipe => return self.piped(node),
            BinaryOp::ColonEqual => return self.bind(lhs, rhs),
            BinaryOp::And | BinaryOp::Or => {
                self.condition(lhs)?;
                self.body.branches += 1;
                let done = self.condition(rhs);
                self.body.branches -= 1;
                return done;
            }
            BinaryOp::Default => {
                self.condition(lhs)?;
                return self.branch(rhs);
            }
            BinaryOp::Coalesce => {
                self.node(lhs)?;
                return self.branch(rhs);
            }
            _ => {}
        }
        let is_fixed = is_literal(lhs) || is_literal(rhs);
        self.node(lhs)?;
        self.node(rhs)?;
        match op {
            BinaryOp::Range => {
                self.is_plain = false;
                wrap(lhs, |bound| call(hook::BOUND, vec![bound]));
                wrap(rhs, |bound| call(hook::BOUND, vec![bound]));
            }
            BinaryOp::Concatenate => {
                self.is_plain = false;
                wrap(lhs, |text| call(hook::TEXT, vec![text]));
                wrap(rhs, |text| call(hook::TEXT, vec![text]));
            }
            BinaryOp::In if !matches!(rhs.as_ref(), AstNode::Array(_)) => {
                wrap(rhs, |list| scanned(Scan::Member, list));
            }
            BinaryOp::Equal | BinaryOp::NotEqual if !is_fixed => {
                let name = match op {
                    BinaryOp::Equal => hook::EQUAL,
                    _ => hook::UNEQUAL,
                };
                wrap(node, |node| match node {
                    AstNode::Binary { lhs, rhs, .. } => call(name, vec![*lhs, *rhs]),
                    other => other,
                });
            }
            op if is_comparison(*op) && !is_fixed => {
                wrap(lhs, |text| scanned(Scan::Order, text));
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn bind(&mut self, variable: &AstNode, value: &mut AstNode) -> Rewritten {
        let is_recursive = matches!(value, AstNode::Lambda { .. });
        let name = match variable {
            AstNode::Variable(name) => name.clone(),
            _ => String::new(),
        };
        if is_recursive {
            self.bound.push(name.clone());
        }
        self.node(value)?;
        self.bound.push(name);
        // What is bound may be a list a path multiplied.
        self.degree += 1;
        if self.loops > 0 {
            construct::count_copies(value);
        }
        Ok(())
    }
}

/// Whether a node gives a single value, or nothing, for any input.
pub(super) fn is_scalar(node: &AstNode) -> bool {
    match node {
        AstNode::Binary { op, .. } => match op {
            BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::In
            | BinaryOp::Concatenate
            | BinaryOp::Add
            | BinaryOp::Subtract
            | BinaryOp::Multiply
            | BinaryOp::Divide
            | BinaryOp::Modulo => true,
            op => is_comparison(*op),
        },
        AstNode::Function {
            name,
            is_builtin: true,
            ..
        } => builtin::gives_scalar(name),
        other => is_literal(other),
    }
}
