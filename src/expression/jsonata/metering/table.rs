//! What the rewriting leaves for the evaluation: what each body and path costs, by their number in the tree.

use std::rc::Rc;

use jsonata_core::ast::AstNode;

use super::meter::CompiledPattern;
use super::plan::PathPlan;

/// What one call of `PAY` or `RESULT` pays for.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the marks are independent, and all of them may be set"
)]
pub struct Charge {
    /// Steps of the nodes.
    pub(super) steps: u64,
    /// Frames a function takes while it runs; 0 where the charge is not for a function.
    pub(super) frames: usize,
    /// Whether the function has a signature, which looks through what it is given.
    pub(super) is_checked: bool,
    /// What is read of each value that is given.
    pub(super) starts: Vec<Vec<ValueRead>>,
    /// Whether it is the key by which tuples are grouped.
    pub(super) groups_tuples: bool,
    /// Sizes that are compared.
    pub(super) slots: usize,
    /// Whether what is read is read once for each value of the result.
    pub(super) times_result: bool,
    /// Whether each value of the result becomes a tuple.
    pub(super) is_tuple: bool,
}

/// One way a value is read.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueRead {
    /// Along a path.
    Path(PathPlan),
    /// So many names, one step each: a list is gone through for each.
    Names(u64),
    /// As the text that a function without it takes from the context.
    Text,
    /// Compared with others, whole or a field of it.
    Size {
        /// Where its size is kept.
        slot: usize,
        /// The field.
        name: Option<String>,
    },
}

/// The charges and patterns of a tree.
#[derive(Debug, Default)]
pub struct Table {
    charges: Vec<Rc<Charge>>,
    pub(super) patterns: Vec<CompiledPattern>,
}

impl Table {
    /// Adds one; its number.
    pub(super) fn add(&mut self, charge: Charge) -> AstNode {
        let number = u32::try_from(self.charges.len()).unwrap_or(u32::MAX);
        self.charges.push(Rc::new(charge));
        AstNode::Number(f64::from(number))
    }

    pub(super) fn charge(&self, number: usize) -> Rc<Charge> {
        self.charges.get(number).cloned().unwrap_or_default()
    }
}
