//! The syntax trees of a compiled expression.

use std::cell::OnceCell;
use std::rc::Rc;

use jsonata_core::ast::AstNode;

use super::metering::{self, Table};
use super::{ExpressionError, Flow, limits};

/// An expression twice: as it was written, for inputs so small that nothing in
/// it can take long, and with the calls that count.
pub(super) struct CompiledTrees {
    pub(super) written: jsonata_core::Expression,
    pub(super) ahead: AstNode,
    pub(super) counting: AstNode,
    pub(super) table: Rc<Table>,
    /// Steps and how often they multiply with the size of the input, where the
    /// expression as it was written needs no clock, no chance and no counting.
    plain: Option<(u64, u32)>,
    /// What it gives of the account's context as a variable and as a root, once that was asked.
    pub(super) variable: OnceCell<Flow>,
    pub(super) root: OnceCell<Flow>,
}

impl CompiledTrees {
    pub(super) fn of(ast: AstNode) -> Result<Self, ExpressionError> {
        let prepared = metering::prepare(&ast)?;
        Ok(Self {
            written: jsonata_core::Expression::from_ast(ast),
            ahead: prepared.ahead,
            counting: prepared.tree,
            table: Rc::new(prepared.table),
            plain: prepared.plain,
            variable: OnceCell::new(),
            root: OnceCell::new(),
        })
    }

    /// Whether it cannot take long on values of this size in all.
    pub(super) fn is_short(&self, size: u64) -> bool {
        self.plain.is_some_and(|(steps, degree)| {
            let most = size.max(1).saturating_pow(degree);
            steps.saturating_mul(most) <= limits::UNCOUNTED_STEPS
        })
    }
}
