//! The walk over the tree that puts the counting calls in.

use jsonata_core::ast::{AstNode, BinaryOp};

use super::super::ExpressionError;
use super::super::limits::REGEX_BYTES_IN_ALL;
use super::body::{Body, Starts, Table};
use super::predicate::{is_comparison, is_literal};
use super::regular::Regular;
use super::scan::Scan;
use super::{builtin, chain, construct, hook, price};
use crate::expression::effort;

pub(super) type Done = Result<(), ExpressionError>;

/// An expression with its account.
pub(in crate::expression::jsonata) struct Prepared {
    /// What is evaluated first: it pays for what is certain. Around the tree it
    /// would have the engine take a list of one apart twice.
    pub ahead: AstNode,
    /// The tree that counts.
    pub tree: AstNode,
    /// What its numbers stand for.
    pub table: Table,
    /// Where nothing is produced, nothing called and no time or chance looked
    /// at: its steps, and how often they multiply with the size of the input.
    pub plain: Option<(u64, u32)>,
}

/// Puts the counting calls in. Refuses what could not be counted.
///
/// The recursion is as deep as the source, which is bounded.
pub(in crate::expression::jsonata) fn prepare(
    written: &AstNode,
) -> Result<Prepared, ExpressionError> {
    let mut walk = Walk {
        has_patterns: has_patterns(written),
        has_tuples: chain::has_tuples(written),
        ..Walk::default()
    };
    let mut tree = written.clone();
    let steps = price::of(&tree);
    walk.node(&mut tree)?;
    let is_plain = walk.is_plain;
    if walk.has_tuples {
        // The engine takes the tuples out of the whole of a result.
        wrap(&mut tree, |tree| call(hook::WHOLE, vec![tree]));
    }
    let starts = std::mem::take(&mut walk.body.starts);
    let ahead = walk.payment(steps, starts);
    Ok(Prepared {
        ahead,
        tree,
        table: walk.table,
        plain: is_plain.then_some((steps, 1 + walk.degree)),
    })
}

fn has_patterns(node: &AstNode) -> bool {
    matches!(node, AstNode::Regex { .. }) || price::children(node).into_iter().any(has_patterns)
}

/// Where the walk is.
pub(super) struct Walk {
    pub table: Table,
    /// What the body around this place pays for.
    pub body: Body,
    /// Variables the expression has bound so far, around this place.
    pub bound: Vec<String>,
    /// How many bodies are open that run more than once.
    pub loops: usize,
    /// How many places run once for each item of something.
    pub degree: u32,
    /// Built-in functions that are named as values so far.
    pub named: usize,
    /// Whether nothing has to be counted beyond what the size of the input bounds.
    pub is_plain: bool,
    /// Whether there is a path with `@`, `#` or `%`.
    pub has_tuples: bool,
    /// Whether there is a regular expression, so that calling a value may search.
    pub has_patterns: bool,
}

impl Default for Walk {
    fn default() -> Self {
        Self {
            table: Table::default(),
            body: Body::default(),
            bound: Vec::new(),
            loops: 0,
            degree: 0,
            named: 0,
            is_plain: true,
            has_tuples: false,
            has_patterns: false,
        }
    }
}

impl Walk {
    pub(super) fn node(&mut self, node: &mut AstNode) -> Done {
        match node {
            AstNode::String(_)
            | AstNode::Name(_)
            | AstNode::Number(_)
            | AstNode::Boolean(_)
            | AstNode::Null
            | AstNode::Undefined
            | AstNode::Placeholder
            | AstNode::ParentVariable(_)
            | AstNode::Parent(_) => Ok(()),
            AstNode::Regex { pattern, flags } => self.pattern(pattern, flags),
            AstNode::Wildcard | AstNode::Descendant => {
                self.below(node, 0);
                Ok(())
            }
            AstNode::Variable(_) => self.variable(node),
            AstNode::Path { .. } | AstNode::Sort { .. } | AstNode::ObjectTransform { .. } => {
                self.chained(node)
            }
            AstNode::Binary { .. } => self.binary(node),
            AstNode::Unary { operand, .. } => self.condition(operand),
            AstNode::Function { .. } => self.function(node),
            AstNode::Call { .. } => self.called(node),
            AstNode::Lambda { .. } => self.lambda(node),
            AstNode::Array(items) | AstNode::ArrayGroup(items) => self.array(items),
            AstNode::Block(items) => self.block(items),
            AstNode::Object(pairs) => self.object(pairs, construct::Grouping::None),
            AstNode::Conditional { .. } => self.conditional(node),
            AstNode::FunctionApplication(inner) => self.enclosed(inner, 0),
            AstNode::Transform { .. } => self.transform(node),
        }
    }

    pub(super) fn all(&mut self, nodes: &mut [AstNode]) -> Done {
        nodes.iter_mut().try_for_each(|node| self.node(node))
    }

    /// A part that runs more than once: it pays for itself each time, and so
    /// many steps more.
    pub(super) fn enclosed(&mut self, node: &mut AstNode, more: u64) -> Done {
        let (steps, starts) = self.opened(node, Self::node)?;
        self.enclose(node, steps + more, starts);
        Ok(())
    }

    /// The same for a node whose kind must stay: it pays inside.
    pub(super) fn enclosed_within(&mut self, node: &mut AstNode, more: u64) -> Done {
        let (steps, starts) = self.opened(node, Self::node)?;
        let steps = steps + more;
        match node {
            // What is undefined is no item.
            AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => {
                let paid = self.payment(steps, starts);
                items.insert(0, paid);
            }
            AstNode::Object(pairs) if !pairs.is_empty() => {
                if let Some((_, value)) = pairs.first_mut() {
                    self.enclose(value, steps, starts);
                }
            }
            other => {
                let paid = self.payment(steps, starts);
                wrap(other, |node| call(hook::THEN, vec![paid, node]));
            }
        }
        Ok(())
    }

    /// Walks a body with an account of its own; its steps and starts.
    pub(super) fn opened(
        &mut self,
        node: &mut AstNode,
        inside: impl FnOnce(&mut Self, &mut AstNode) -> Done,
    ) -> Result<(u64, Starts), ExpressionError> {
        let steps = price::of(node);
        // The body has been gone through once more.
        effort::take(steps).map_err(|spent| ExpressionError::Syntax(spent.to_string()))?;
        let own = Body {
            first_own: self.bound.len(),
            ..Body::default()
        };
        let outer = std::mem::replace(&mut self.body, own);
        self.loops += 1;
        let done = inside(self, node);
        self.loops -= 1;
        let own = std::mem::replace(&mut self.body, outer);
        done.map(|()| (steps, own.starts))
    }

    fn block(&mut self, items: &mut [AstNode]) -> Done {
        let outside = self.bound.len();
        let done = self.all(items);
        self.bound.truncate(outside);
        done
    }

    fn conditional(&mut self, node: &mut AstNode) -> Done {
        let AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } = node
        else {
            return Ok(());
        };
        self.condition(condition)?;
        self.branch(then_branch)?;
        match else_branch.as_deref_mut() {
            Some(branch) => self.branch(branch),
            None => Ok(()),
        }
    }

    fn branch(&mut self, node: &mut AstNode) -> Done {
        self.body.branches += 1;
        let done = self.node(node);
        self.body.branches -= 1;
        done
    }

    /// A value that is asked whether it is true: a list is looked through.
    pub(super) fn condition(&mut self, node: &mut AstNode) -> Done {
        let is_scalar = is_scalar(node);
        self.node(node)?;
        if !is_scalar {
            wrap(node, |node| scanned(Scan::Truth, node));
        }
        Ok(())
    }

    /// `*` and `**` look at everything there is before it is bounded.
    pub(super) fn below(&mut self, node: &mut AstNode, index: usize) {
        use super::plan::{Go, Hop};
        if matches!(node, AstNode::Wildcard) {
            let hop = Hop::of(Go::Children);
            self.body
                .starts
                .add(context(), super::body::Read::Walk(vec![hop]));
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

    fn binary(&mut self, node: &mut AstNode) -> Done {
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
        // What is bound may be a list a path multiplied.
        self.degree += 1;
        if self.loops > 0 {
            construct::count_copies(value);
        }
        Ok(())
    }

    fn pattern(&mut self, source: &str, flags: &str) -> Done {
        self.is_plain = false;
        let refused = |text: String| Err(ExpressionError::Syntax(text));
        let read = match Regular::read(source, flags) {
            Ok(read) => read,
            Err(problem) => return refused(problem.to_string()),
        };
        self.table.patterns.extend(read);
        let bytes: usize = self.table.patterns.iter().map(Regular::bytes).sum();
        if bytes > REGEX_BYTES_IN_ALL {
            return refused("the regular expressions are too large when compiled".to_owned());
        }
        Ok(())
    }
}

/// Whether a node gives a single value, or nothing, whatever it is given.
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
