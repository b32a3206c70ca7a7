//! Counting what an expression does. The engine bounds depth and sequences
//! but not the number of calls, so every function body is given a first
//! step that counts, the bounds of ranges too ([`super::limits::CALLS`]) and ends the evaluation.

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

use super::ExpressionError;
/// Counts one call. No JSONata variable can be called so.
pub(super) const CALL: &str = "causeway call";
/// Counts what a bound of a range stands for, and gives the bound.
pub(super) const BOUND: &str = "causeway bound";

/// How an expression is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without functions of its own, ranges, clock or chance.
    Plain,
    /// With some of them.
    Counted,
}

/// Puts the counting steps in. Refuses `$eval`, whose text we could not count.
///
/// The recursion is as deep as the source, which is bounded.
pub(super) fn prepare(ast: &mut AstNode) -> Result<Kind, ExpressionError> {
    let mut walk = Walk { kind: Kind::Plain };
    walk.node(ast)?;
    Ok(walk.kind)
}

struct Walk {
    kind: Kind,
}

type Done = Result<(), ExpressionError>;

impl Walk {
    fn node(&mut self, node: &mut AstNode) -> Done {
        match node {
            AstNode::String(_)
            | AstNode::Name(_)
            | AstNode::Number(_)
            | AstNode::Boolean(_)
            | AstNode::Null
            | AstNode::Undefined
            | AstNode::Placeholder
            | AstNode::Regex { .. }
            | AstNode::ParentVariable(_)
            | AstNode::Wildcard
            | AstNode::Descendant
            | AstNode::Parent(_) => Ok(()),
            AstNode::Variable(name) => self.name(name),
            AstNode::Path { steps } => steps.iter_mut().try_for_each(|step| self.step(step)),
            AstNode::Binary { op, lhs, rhs } => self.binary(*op, lhs, rhs),
            AstNode::Unary { operand, .. } => self.node(operand),
            AstNode::Function { name, args, .. } => {
                self.name(name)?;
                self.all(args)
            }
            AstNode::Call { procedure, args } => {
                self.node(procedure)?;
                self.all(args)
            }
            AstNode::Lambda { body, .. } => {
                self.node(body)?;
                self.kind = Kind::Counted;
                wrap(body, |body| {
                    AstNode::Block(vec![call(CALL, Vec::new()), body])
                });
                Ok(())
            }
            AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => {
                self.all(items)
            }
            AstNode::Object(pairs) => self.pairs(pairs),
            AstNode::ObjectTransform { input, pattern } => {
                self.node(input)?;
                self.pairs(pattern)
            }
            AstNode::Conditional {
                condition,
                then_branch,
                else_branch,
            } => {
                self.node(condition)?;
                self.node(then_branch)?;
                else_branch
                    .as_deref_mut()
                    .map_or(Ok(()), |node| self.node(node))
            }
            AstNode::FunctionApplication(inner) => self.node(inner),
            AstNode::Sort { input, terms } => {
                self.node(input)?;
                terms.iter_mut().try_for_each(|(term, _)| self.node(term))
            }
            AstNode::Transform {
                location,
                update,
                delete,
            } => {
                self.kind = Kind::Counted;
                self.node(location)?;
                self.node(update)?;
                delete.as_deref_mut().map_or(Ok(()), |node| self.node(node))
            }
        }
    }

    fn all(&mut self, nodes: &mut [AstNode]) -> Done {
        nodes.iter_mut().try_for_each(|node| self.node(node))
    }

    fn pairs(&mut self, pairs: &mut [(AstNode, AstNode)]) -> Done {
        pairs.iter_mut().try_for_each(|(key, value)| {
            self.node(key)?;
            self.node(value)
        })
    }

    fn step(&mut self, step: &mut PathStep) -> Done {
        self.node(&mut step.node)?;
        step.stages.iter_mut().try_for_each(|stage| match stage {
            Stage::Filter(node) => self.node(node),
            Stage::KeepArray | Stage::Index(_) => Ok(()),
        })
    }

    fn binary(&mut self, op: BinaryOp, lhs: &mut AstNode, rhs: &mut AstNode) -> Done {
        self.node(lhs)?;
        self.node(rhs)?;
        if op == BinaryOp::Range {
            self.kind = Kind::Counted;
            wrap(lhs, |bound| call(BOUND, vec![bound]));
            wrap(rhs, |bound| call(BOUND, vec![bound]));
        }
        Ok(())
    }

    fn name(&mut self, name: &str) -> Done {
        match name {
            "eval" => return Err(ExpressionError::Unavailable("eval")),
            "now" | "millis" | "random" | "uuid" | "shuffle" => {
                self.kind = Kind::Counted;
            }
            _ => {}
        }
        Ok(())
    }
}

fn wrap(node: &mut AstNode, outer: impl FnOnce(AstNode) -> AstNode) {
    let inner = std::mem::replace(node, AstNode::Null);
    *node = outer(inner);
}

fn call(name: &str, args: Vec<AstNode>) -> AstNode {
    AstNode::Function {
        name: name.to_owned(),
        args,
        is_builtin: true,
    }
}
