//! Counting what an expression does. The engine bounds depth and sequences
//! but not the number of calls, nor what they produce. So every function body
//! is given a first step that counts, and whatever can make a value larger
//! than its operands passes through a function that counts ([`super::produced`]).

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

use super::produced::{TEXT, WHOLE};
use super::{ExpressionError, estimate};

mod construct;
mod frame;
mod guard;
mod reference;

/// `(frames, arguments…)`: counts one call of a function that takes the stack
/// of so many, and gives what stands for it while it runs. No JSONata variable
/// can be called so.
pub(super) const CALL: &str = "causeway call";
/// Counts what a bound of a range stands for, and gives the bound.
pub(super) const BOUND: &str = "causeway bound";

/// How an expression is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// With nothing to count, no clock and no chance.
    Plain,
    /// With some of them.
    Counted,
}

/// Puts the counting steps in. Refuses `$eval`, whose text we could not count.
///
/// The recursion is as deep as the source, which is bounded.
pub(super) fn prepare(ast: &mut AstNode) -> Result<Kind, ExpressionError> {
    let mut walk = Walk {
        kind: Kind::Plain,
        bound: Vec::new(),
        loops: 0,
    };
    walk.node(ast)?;
    Ok(walk.kind)
}

/// Whether a built-in function is counted, so that its name alone must not
/// give the engine's own.
pub(super) fn is_counted(name: &str) -> bool {
    guard::guard(name).is_some()
}

struct Walk {
    kind: Kind,
    /// Variables the expression has bound so far, around this place.
    bound: Vec<String>,
    /// How many bodies are open that run more than once.
    loops: usize,
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
            | AstNode::ParentVariable(_)
            | AstNode::Wildcard
            | AstNode::Parent(_) => Ok(()),
            AstNode::Regex { pattern, flags } => check_regex(pattern, flags),
            AstNode::Descendant => {
                self.descendant(node);
                Ok(())
            }
            AstNode::Variable(_) => self.variable(node),
            AstNode::Path { steps } => self.path(steps),
            AstNode::Binary { .. } => self.binary(node),
            AstNode::Unary { operand, .. } => self.node(operand),
            AstNode::Function { .. } => self.function(node),
            AstNode::Call { procedure, args } => {
                self.node(procedure)?;
                self.all(args)
            }
            AstNode::Lambda { params, body, .. } => self.lambda(params, body),
            AstNode::Array(items) | AstNode::ArrayGroup(items) => self.array(items),
            AstNode::Block(items) => self.block(items),
            AstNode::Object(pairs) => self.object(pairs),
            AstNode::ObjectTransform { input, pattern } => {
                self.node(input)?;
                self.repeated(|walk| walk.object(pattern))
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
            AstNode::FunctionApplication(inner) => self.repeated(|walk| walk.node(inner)),
            AstNode::Sort { input, terms } => {
                self.node(input)?;
                self.repeated(|walk| terms.iter_mut().try_for_each(|(term, _)| walk.node(term)))
            }
            AstNode::Transform { .. } => self.transform(node),
        }
    }

    fn all(&mut self, nodes: &mut [AstNode]) -> Done {
        nodes.iter_mut().try_for_each(|node| self.node(node))
    }

    /// A part that runs more than once.
    fn repeated(&mut self, inside: impl FnOnce(&mut Self) -> Done) -> Done {
        self.loops += 1;
        let done = inside(self);
        self.loops -= 1;
        done
    }

    fn block(&mut self, items: &mut [AstNode]) -> Done {
        let outside = self.bound.len();
        let done = self.all(items);
        self.bound.truncate(outside);
        done
    }

    fn lambda(&mut self, params: &[String], body: &mut AstNode) -> Done {
        self.kind = Kind::Counted;
        let outside = self.bound.len();
        self.bound.extend_from_slice(params);
        let done = self.repeated(|walk| walk.node(body));
        self.bound.truncate(outside);
        construct::count_copies(body);
        frame::count_calls(params, body);
        done
    }

    fn path(&mut self, steps: &mut [PathStep]) -> Done {
        for (index, step) in steps.iter_mut().enumerate() {
            let names = [&step.focus, &step.index_var];
            self.bound.extend(names.into_iter().flatten().cloned());
            match index {
                0 => self.node(&mut step.node)?,
                _ => self.repeated(|walk| walk.step(&mut step.node))?,
            }
            step.stages.iter_mut().try_for_each(|stage| match stage {
                Stage::Filter(node) => self.repeated(|walk| walk.node(node)),
                Stage::Index(name) => {
                    self.bound.push(name.clone());
                    Ok(())
                }
                Stage::KeepArray => Ok(()),
            })?;
        }
        Ok(())
    }

    /// A step behind a dot runs for each item.
    fn step(&mut self, node: &mut AstNode) -> Done {
        let is_descendant = matches!(node, AstNode::Descendant);
        self.node(node)?;
        if is_descendant {
            wrap(node, |node| AstNode::FunctionApplication(Box::new(node)));
        }
        Ok(())
    }

    /// `**` collects everything below the context before it is bounded.
    fn descendant(&mut self, node: &mut AstNode) {
        self.kind = Kind::Counted;
        let context = AstNode::Variable(String::new());
        wrap(node, |node| {
            AstNode::Block(vec![call(WHOLE, vec![context]), node])
        });
    }

    fn binary(&mut self, node: &mut AstNode) -> Done {
        let AstNode::Binary { op, lhs, rhs } = node else {
            return Ok(());
        };
        match op {
            BinaryOp::ChainPipe => return self.chain(node),
            BinaryOp::ColonEqual => return self.bind(lhs, rhs),
            _ => {}
        }
        self.node(lhs)?;
        self.node(rhs)?;
        match op {
            BinaryOp::Range => {
                self.kind = Kind::Counted;
                wrap(lhs, |bound| call(BOUND, vec![bound]));
                wrap(rhs, |bound| call(BOUND, vec![bound]));
            }
            BinaryOp::Concatenate => {
                self.kind = Kind::Counted;
                wrap(lhs, |text| call(TEXT, vec![text]));
                wrap(rhs, |text| call(TEXT, vec![text]));
            }
            _ => {}
        }
        Ok(())
    }

    fn bind(&mut self, variable: &AstNode, value: &mut AstNode) -> Done {
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
        if self.loops > 0 {
            construct::count_copies(value);
        }
        Ok(())
    }
}

/// The engine compiles a pattern at each use.
fn check_regex(pattern: &str, flags: &str) -> Done {
    match estimate::compile(pattern, flags) {
        Err(regex::Error::CompiledTooBig(_)) => Err(ExpressionError::Syntax(
            "a regular expression is too large when compiled".to_owned(),
        )),
        // Others are found when they are used, as they always were.
        _ => Ok(()),
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
