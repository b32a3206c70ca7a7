//! Calls of functions, and names of built-in ones used as values: both become
//! calls that are counted.

use jsonata_core::ast::AstNode;

use super::super::super::limits::NAMED_FUNCTIONS;
use super::super::hook::{self, CALLED, PIPED};
use super::super::table::Charge;
use super::body::PathStarts;
use super::builtin::{self, Pricing};
use super::nodes::{call, wrap};
use super::{Rewriter, Rewritten, steps};
use crate::expression::ExpressionError;

impl Rewriter {
    pub(super) fn function(&mut self, node: &mut AstNode) -> Rewritten {
        let AstNode::Function {
            name,
            args,
            is_builtin,
        } = node
        else {
            return Ok(());
        };
        if *is_builtin && !self.bound.contains(name) {
            self.known(name)?;
        }
        self.all(args)?;
        let counted = builtin::guard(name).filter(|_| *is_builtin);
        let Some((guard, _)) = counted else {
            let callee = is_builtin.then(|| AstNode::Variable(name.clone()));
            self.searches(node, callee);
            return Ok(());
        };
        if guard == Pricing::Free {
            return Ok(());
        }
        self.is_plain &= matches!(guard, Pricing::Scan(_)) && name != "now" || name == "lookup";
        let (name, args) = (std::mem::take(name), std::mem::take(args));
        *node = if args.contains(&AstNode::Placeholder) {
            self.partial(args, |rewriter, args| rewriter.counted(&name, guard, args))
        } else {
            self.counted(&name, guard, args)
        };
        Ok(())
    }

    /// A call of what an expression gives.
    pub(super) fn called(&mut self, node: &mut AstNode) -> Rewritten {
        let AstNode::Call { procedure, args } = node else {
            return Ok(());
        };
        self.is_plain = false;
        self.node(procedure)?;
        self.all(args)?;
        self.searches(node, None);
        Ok(())
    }

    /// Where there are regular expressions, what is called may be one.
    fn searches(&mut self, node: &mut AstNode, callee: Option<AstNode>) {
        self.is_plain = false;
        let (AstNode::Function { args, .. } | AstNode::Call { args, .. }) = node else {
            return;
        };
        if !self.has_patterns || args.contains(&AstNode::Placeholder) {
            return;
        }
        let callee = callee.unwrap_or(AstNode::Null);
        if args.is_empty() {
            let mut nothing = vec![AstNode::Undefined];
            builtin::check(CALLED, &mut nothing, callee);
            nothing.push(std::mem::replace(node, AstNode::Null));
            *node = call(hook::THEN, nothing);
        } else {
            builtin::check(CALLED, args, callee);
        }
    }

    /// `list ~> $join(",")` is `$join(list, ",")`.
    pub(super) fn piped(&mut self, node: &mut AstNode) -> Rewritten {
        let AstNode::Binary { lhs, rhs, .. } = node else {
            return Ok(());
        };
        if let Some(args) = called_with(rhs) {
            args.insert(0, std::mem::replace(lhs, AstNode::Null));
            *node = std::mem::replace(rhs, AstNode::Null);
            return self.node(node);
        }
        self.is_plain = false;
        self.node(lhs)?;
        if matches!(rhs.as_ref(), AstNode::Transform { .. }) {
            wrap(lhs, |input| call(hook::WHOLE, vec![input]));
            return self.changes(rhs);
        }
        self.node(rhs)?;
        let is_called = matches!(rhs.as_ref(), AstNode::Lambda { .. } | AstNode::Call { .. });
        if self.has_patterns && !is_called {
            wrap(lhs, |text| call(hook::NOTE, vec![text]));
            // In a block it stays a value: a call would be given the left side.
            wrap(rhs, |function| {
                AstNode::Block(vec![builtin::checked(PIPED, 2, AstNode::Null, function)])
            });
        }
        Ok(())
    }

    /// `$map(list, $string)`: the name becomes a function that counts, unless
    /// it may be a variable of the expression's own.
    pub(super) fn variable(&mut self, node: &mut AstNode) -> Rewritten {
        let AstNode::Variable(name) = node else {
            return Ok(());
        };
        let is_bound = self.bound.contains(name);
        if !is_bound && !name.is_empty() {
            self.known(name)?;
        }
        let Some((_, arity)) = builtin::guard(name).filter(|_| builtin::is_counted(name)) else {
            return Ok(());
        };
        self.is_plain = false;
        if is_bound {
            wrap(node, |node| call(hook::VALUE, vec![node]));
        } else {
            let name = std::mem::take(name);
            self.named += 1;
            if self.named > NAMED_FUNCTIONS {
                let text =
                    format!("more than {NAMED_FUNCTIONS} functions are named without being called");
                return Err(ExpressionError::Syntax(text));
            }
            *node = self.by_name(&name, arity);
        }
        Ok(())
    }

    fn known(&mut self, name: &str) -> Rewritten {
        if matches!(name, "now" | "millis" | "random" | "uuid" | "shuffle") {
            self.is_plain = false;
        }
        builtin::check_known(name)
    }

    fn function_of(&mut self, params: Vec<String>, mut body: AstNode) -> AstNode {
        let charge = Charge {
            steps: steps::of(&body),
            ..Charge::default()
        };
        self.count_calls(&params, &mut body, charge, PathStarts::default());
        AstNode::Lambda {
            params,
            body: Box::new(body),
            signature: None,
            thunk: false,
        }
    }

    /// `$split(?, ",")` as a function of what is left open.
    fn partial(
        &mut self,
        mut args: Vec<AstNode>,
        rewrite: impl FnOnce(&mut Self, Vec<AstNode>) -> AstNode,
    ) -> AstNode {
        let mut params = Vec::new();
        for (index, arg) in args.iter_mut().enumerate() {
            if *arg == AstNode::Placeholder {
                params.push(parameter(index));
                *arg = AstNode::Variable(parameter(index));
            }
        }
        let body = rewrite(self, args);
        self.function_of(params, body)
    }

    /// A function of as many parameters as the built-in has, which passes on
    /// those it was given.
    fn by_name(&mut self, name: &str, arity: usize) -> AstNode {
        let mut body = self.given(name, 1.min(arity));
        for count in 2..=arity {
            body = AstNode::Conditional {
                condition: Box::new(call(
                    "exists",
                    vec![AstNode::Variable(parameter(count - 1))],
                )),
                then_branch: Box::new(self.given(name, count)),
                else_branch: Some(Box::new(body)),
            };
        }
        self.function_of((0..arity).map(parameter).collect(), body)
    }

    fn given(&mut self, name: &str, count: usize) -> AstNode {
        let args = (0..count).map(|index| AstNode::Variable(parameter(index)));
        let args = args.collect();
        match builtin::guard(name) {
            Some((guard, _)) => self.counted(name, guard, args),
            None => AstNode::Null,
        }
    }
}

/// No JSONata variable can be called so.
fn parameter(index: usize) -> String {
    format!("causeway {index}")
}

/// The arguments of the call on the right of `~>`, which the left side joins;
/// with predicates after it the call is a path of one step.
fn called_with(node: &mut AstNode) -> Option<&mut Vec<AstNode>> {
    let node = match node {
        AstNode::Path { steps } => match steps.as_mut_slice() {
            [only] => &mut only.node,
            _ => return None,
        },
        other => other,
    };
    match node {
        AstNode::Function { args, .. } if !args.contains(&AstNode::Placeholder) => Some(args),
        _ => None,
    }
}
