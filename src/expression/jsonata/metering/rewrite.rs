//! Before an expression runs: the counting calls are put into a copy of its tree.

mod body;
pub(super) mod builtin;
mod calls;
mod construct;
mod follow;
mod frame;
mod nodes;
mod operators;
mod path;
mod path_step;
mod predicate;
mod replacements;
mod shape;
mod steps;

use jsonata_core::ast::AstNode;

use super::super::ExpressionError;
use super::super::limits::REGEX_BYTES_IN_ALL;
use super::super::syntax::children;
use super::hook;
use super::meter::CompiledPattern;
use super::table::Table;

use self::body::OpenBody;
use self::nodes::{call, wrap};

pub(super) use self::frame::is_counted as counts_its_calls;

pub(super) type Rewritten = Result<(), ExpressionError>;

/// An expression with its account.
pub struct MeteredTree {
    /// What is evaluated first: it pays for what is certain. Around the tree it
    /// would have the engine take a list of one apart twice.
    pub ahead: AstNode,
    /// The tree that counts.
    pub tree: AstNode,
    /// What its numbers refer to.
    pub table: Table,
    /// Where nothing is produced, nothing called and no time or chance looked
    /// at: its steps, and how often they multiply with the size of the input.
    pub plain: Option<(u64, u32)>,
}

/// Puts the counting calls into a copy of the tree. Refuses what cannot be counted.
///
/// The recursion is as deep as the source, which is bounded.
pub fn prepare(written: &AstNode) -> Result<MeteredTree, ExpressionError> {
    let mut rewriter = Rewriter {
        has_patterns: has_patterns(written),
        has_tuples: shape::has_tuples(written),
        ..Rewriter::default()
    };
    let mut tree = written.clone();
    let steps = steps::of(&tree);
    rewriter.node(&mut tree)?;
    let is_plain = rewriter.is_plain;
    if rewriter.has_tuples {
        // The engine takes the tuples out of the whole of a result.
        wrap(&mut tree, |tree| call(hook::WHOLE, vec![tree]));
    }
    let starts = std::mem::take(&mut rewriter.body.starts);
    let ahead = rewriter.payment(steps, starts);
    Ok(MeteredTree {
        ahead,
        tree,
        table: rewriter.table,
        plain: is_plain.then_some((steps, 1 + rewriter.degree)),
    })
}

fn has_patterns(node: &AstNode) -> bool {
    matches!(node, AstNode::Regex { .. }) || children(node).into_iter().any(has_patterns)
}

/// The state of the rewriting: what surrounds the node it is at.
pub(super) struct Rewriter {
    pub table: Table,
    /// What the body around this place pays for.
    body: OpenBody,
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

impl Default for Rewriter {
    fn default() -> Self {
        Self {
            table: Table::default(),
            body: OpenBody::default(),
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

impl Rewriter {
    pub(super) fn node(&mut self, node: &mut AstNode) -> Rewritten {
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

    pub(super) fn all(&mut self, nodes: &mut [AstNode]) -> Rewritten {
        nodes.iter_mut().try_for_each(|node| self.node(node))
    }

    fn block(&mut self, items: &mut [AstNode]) -> Rewritten {
        let outside = self.bound.len();
        let done = self.all(items);
        self.bound.truncate(outside);
        done
    }

    fn conditional(&mut self, node: &mut AstNode) -> Rewritten {
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

    pub(super) fn branch(&mut self, node: &mut AstNode) -> Rewritten {
        self.body.branches += 1;
        let done = self.node(node);
        self.body.branches -= 1;
        done
    }

    pub(super) fn pattern(&mut self, source: &str, flags: &str) -> Rewritten {
        self.is_plain = false;
        let refused = |text: String| Err(ExpressionError::Syntax(text));
        let read = match CompiledPattern::read(source, flags) {
            Ok(read) => read,
            Err(problem) => return refused(problem.to_string()),
        };
        self.table.patterns.extend(read);
        let bytes: usize = self.table.patterns.iter().map(CompiledPattern::bytes).sum();
        if bytes > REGEX_BYTES_IN_ALL {
            return refused("the regular expressions are too large when compiled".to_owned());
        }
        Ok(())
    }
}
