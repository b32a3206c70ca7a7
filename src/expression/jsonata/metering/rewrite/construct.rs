//! Constructors and copies: `[…]`, `{…}`, `|…|…|`, and paths whose list is
//! kept once per call of a function.

use jsonata_core::ast::{AstNode, BinaryOp};

use super::super::meter::Scan;
use super::super::table::Charge;
use super::super::{hook, price};
use super::body::PathStarts;
use super::nodes::{call, context, scanned, wrap};
use super::predicate::is_literal;
use super::{Rewriter, Rewritten, steps};

/// What an object's entries are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grouping {
    /// The context, or each item of it where a key is computed.
    None,
    /// Each item of a list.
    Items,
    /// Each tuple of a path.
    Tuples,
}

impl Rewriter {
    /// Items are counted where the array is made; the arrays written inside
    /// it count themselves, and stay as they are because they do not flatten.
    pub(super) fn array(&mut self, items: &mut [AstNode]) -> Rewritten {
        items.iter_mut().try_for_each(|item| self.node(item))?;
        if self.loops == 0 && items.iter().all(is_literal) {
            return Ok(());
        }
        self.is_plain = false;
        let (mut values, mut bytes) = (1 + items.len(), 0);
        for item in items {
            if !matches!(item, AstNode::Array(_) | AstNode::ArrayGroup(_)) {
                count(item, values, bytes);
                (values, bytes) = (0, 0);
            }
        }
        Ok(())
    }

    /// One object per item, so its entries and keys are counted with each. A
    /// computed key runs for each item of the context, and its value for each
    /// group of them.
    pub(super) fn object(
        &mut self,
        pairs: &mut [(AstNode, AstNode)],
        grouping: Grouping,
    ) -> Rewritten {
        for (key, value) in pairs.iter_mut() {
            if grouping != Grouping::None || !matches!(key, AstNode::String(_)) {
                self.degree += 1;
                self.key(key, grouping)?;
                self.enclosed(value, 0)?;
            } else {
                self.node(value)?;
            }
        }
        if self.loops == 0 {
            return Ok(());
        }
        self.is_plain = false;
        let mut values = 1;
        for (key, value) in pairs {
            let bytes = match key {
                AstNode::String(key) => key.len(),
                computed => {
                    wrap(computed, |key| call(hook::TEXT, vec![key]));
                    0
                }
            };
            count(value, values + 1, bytes);
            values = 0;
        }
        Ok(())
    }

    fn key(&mut self, key: &mut AstNode, grouping: Grouping) -> Rewritten {
        let (steps, starts) = self.opened(key, Self::node)?;
        let charge = Charge {
            steps: steps + price::GROUPED,
            groups_tuples: grouping == Grouping::Tuples,
            ..Charge::default()
        };
        let paid = self.payment_of(charge, starts);
        wrap(key, |key| AstNode::Block(vec![paid, key]));
        Ok(())
    }

    /// A transform copies its input. Alone it is a function of that input.
    pub(super) fn transform(&mut self, node: &mut AstNode) -> Rewritten {
        self.is_plain = false;
        let steps = steps::of(node);
        self.changes(node)?;
        let input = "causeway input".to_owned();
        wrap(node, |transform| AstNode::Lambda {
            params: vec![input.clone()],
            body: Box::new(AstNode::Binary {
                op: BinaryOp::ChainPipe,
                lhs: Box::new(call(hook::WHOLE, vec![AstNode::Variable(input)])),
                rhs: Box::new(transform),
            }),
            signature: None,
            thunk: false,
        });
        if let AstNode::Lambda { params, body, .. } = node {
            let charge = Charge {
                steps,
                ..Charge::default()
            };
            self.count_calls(params, body, charge, PathStarts::default());
        }
        Ok(())
    }

    /// The parts of a transform. Its context is its input, then each target.
    pub(super) fn changes(&mut self, node: &mut AstNode) -> Rewritten {
        let AstNode::Transform {
            location,
            update,
            delete,
        } = node
        else {
            return Ok(());
        };
        self.is_plain = false;
        self.enclosed(location, 0)?;
        wrap(location, |targets| {
            call(hook::LOCATE, vec![targets, context()])
        });
        self.enclosed(update, 0)?;
        wrap(update, |update| scanned(Scan::Entries, update));
        if let Some(delete) = delete.as_deref_mut() {
            self.enclosed(delete, 0)?;
            wrap(delete, |names| call(hook::REMOVE, vec![names, context()]));
        }
        Ok(())
    }
}

/// Counts the list a path gives, where it becomes a value that is kept.
pub(super) fn count_copies(node: &mut AstNode) {
    match node {
        AstNode::Path { .. } | AstNode::Sort { .. } | AstNode::ObjectTransform { .. } => {
            count(node, 0, 0);
        }
        AstNode::Block(items) => {
            if let Some(last) = items.last_mut() {
                count_copies(last);
            }
        }
        AstNode::Conditional {
            then_branch,
            else_branch,
            ..
        } => {
            count_copies(then_branch);
            if let Some(branch) = else_branch {
                count_copies(branch);
            }
        }
        _ => {}
    }
}

fn count(node: &mut AstNode, values: usize, bytes: usize) {
    let number = |n: usize| AstNode::Number(f64::from(u32::try_from(n).unwrap_or(u32::MAX)));
    wrap(node, |node| {
        call(hook::COST, vec![number(values), number(bytes), node])
    });
}
