//! Calls of built-in functions, and their names used as values: both become
//! calls that are counted.

use jsonata_core::ast::AstNode;

use super::super::produced::{VALUE, WHOLE};
use super::guard::{guard, rewrite};
use super::{Done, ExpressionError, Kind, Walk, call, frame, wrap};

impl Walk {
    pub(super) fn function(&mut self, node: &mut AstNode) -> Done {
        let AstNode::Function {
            name,
            args,
            is_builtin,
        } = node
        else {
            return Ok(());
        };
        self.name(name)?;
        self.all(args)?;
        let Some((kind, _)) = guard(name).filter(|_| *is_builtin) else {
            return Ok(());
        };
        self.kind = Kind::Counted;
        let (name, args) = (std::mem::take(name), std::mem::take(args));
        *node = if args.contains(&AstNode::Placeholder) {
            partial(args, |args| rewrite(&name, kind, args))
        } else {
            rewrite(&name, kind, args)
        };
        Ok(())
    }

    /// `list ~> $join(",")` is `$join(list, ",")`.
    pub(super) fn chain(&mut self, node: &mut AstNode) -> Done {
        let AstNode::Binary { lhs, rhs, .. } = node else {
            return Ok(());
        };
        if let AstNode::Function {
            name,
            args,
            is_builtin: true,
        } = rhs.as_mut()
            && guard(name).is_some()
            && !args.contains(&AstNode::Placeholder)
        {
            args.insert(0, std::mem::replace(lhs, AstNode::Null));
            *node = std::mem::replace(rhs, AstNode::Null);
            return self.node(node);
        }
        self.node(lhs)?;
        if matches!(rhs.as_ref(), AstNode::Transform { .. }) {
            wrap(lhs, |input| call(WHOLE, vec![input]));
            return self.changes(rhs);
        }
        self.node(rhs)
    }

    /// `$map(list, $string)`: the name becomes a function that counts, unless
    /// it may be a variable of the expression's own.
    pub(super) fn variable(&mut self, node: &mut AstNode) -> Done {
        let AstNode::Variable(name) = node else {
            return Ok(());
        };
        self.name(name)?;
        let Some((_, arity)) = guard(name) else {
            return Ok(());
        };
        self.kind = Kind::Counted;
        if self.bound.contains(name) {
            wrap(node, |node| call(VALUE, vec![node]));
        } else {
            *node = by_name(&std::mem::take(name), arity);
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

/// No JSONata variable can be called so.
fn parameter(index: usize) -> String {
    format!("causeway {index}")
}

fn lambda(params: Vec<String>, mut body: AstNode) -> AstNode {
    frame::count_calls(&params, &mut body);
    AstNode::Lambda {
        params,
        body: Box::new(body),
        signature: None,
        thunk: false,
    }
}

/// `$split(?, ",")` as a function of what is left open.
fn partial(mut args: Vec<AstNode>, rewrite: impl FnOnce(Vec<AstNode>) -> AstNode) -> AstNode {
    let mut params = Vec::new();
    for (index, arg) in args.iter_mut().enumerate() {
        if *arg == AstNode::Placeholder {
            params.push(parameter(index));
            *arg = AstNode::Variable(parameter(index));
        }
    }
    lambda(params, rewrite(args))
}

/// A function of as many parameters as the built-in has, which passes on
/// those it was given.
fn by_name(name: &str, arity: usize) -> AstNode {
    let given = |count: usize| {
        let args = (0..count).map(|index| AstNode::Variable(parameter(index)));
        let args = args.collect();
        guard(name).map_or(AstNode::Null, |(kind, _)| rewrite(name, kind, args))
    };
    let body = (2..=arity).fold(given(1), |fewer, count| AstNode::Conditional {
        condition: Box::new(call(
            "exists",
            vec![AstNode::Variable(parameter(count - 1))],
        )),
        then_branch: Box::new(given(count)),
        else_branch: Some(Box::new(fewer)),
    });
    lambda((0..arity).map(parameter).collect(), body)
}
