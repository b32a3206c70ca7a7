//! The steps of a path, with their predicates and the terms they are sorted by.

use jsonata_core::ast::{AstNode, PathStep, Stage};

use super::super::meter::Scan;
use super::super::plan::{Axis, PlanStep};
use super::super::price;
use super::follow::Continuation;
use super::nodes::{scanned, wrap};
use super::operators::is_scalar;
use super::path::PathState;
use super::shape::{axis_of, is_made_once, is_open, is_ordered, number};
use super::{Rewriter, Rewritten, builtin, predicate};
use crate::expression::ExpressionError;

/// Predicates of a path that are paid ahead although they name variables.
const WITH_VARIABLES: usize = 8;

impl Rewriter {
    /// Rewrites a step; where it goes, unless it is computed.
    pub(super) fn step(
        &mut self,
        index: usize,
        step: &mut PathStep,
        known: &mut PathState,
    ) -> Result<Option<PlanStep>, ExpressionError> {
        let axis = axis_of(&step.node, index);
        let mut hop = PlanStep {
            focus: step.focus.is_some(),
            tuple: known.makes_tuples,
            ..PlanStep::of(axis.clone().unwrap_or_default())
        };
        match (index, &axis) {
            (0, None) if is_ordered(&step.node) => {}
            (_, None) if self.has_tuples && is_open(index, step) => self.degree += 1,
            (0, None) if known.is_alone || is_made_once(&step.node) => self.node(&mut step.node)?,
            (_, None) => {
                self.degree += 1;
                self.computed(&mut step.node, hop.tuple)?;
            }
            (0, Some(Axis::Itself)) => self.node(&mut step.node)?,
            (_, Some(Axis::Descendants)) => self.below(&mut step.node, index),
            _ => {}
        }
        for (place, stage) in step.stages.iter_mut().enumerate() {
            let Stage::Filter(filter) = stage else {
                continue;
            };
            if let Some(position) = number(filter) {
                hop.only = hop.only.or((place == 0).then_some(position));
                continue;
            }
            self.degree += 1;
            if axis.is_none() || !self.is_paid_ahead(filter, &mut hop, known) {
                self.filter(filter)?;
            }
        }
        Ok(axis.map(|_| hop))
    }

    /// A step in brackets that ends with a path: what follows is paid with that
    /// path, which stays the end, as tuples are handed on by paths alone.
    pub(super) fn opened_step(&mut self, node: &mut AstNode, onward: Continuation) -> Rewritten {
        if let AstNode::FunctionApplication(inner) = node {
            let (steps, starts) =
                self.opened(inner, |rewriter, inner| rewriter.ending(inner, onward))?;
            self.enclose(inner, steps, starts);
            return Ok(());
        }
        let (steps, starts) = self.opened(node, |rewriter, node| rewriter.ending(node, onward))?;
        if let AstNode::Block(items) = node {
            let paid = self.payment(steps, starts);
            items.insert(0, paid);
        }
        Ok(())
    }

    pub(super) fn ending(&mut self, node: &mut AstNode, onward: Continuation) -> Rewritten {
        match node {
            AstNode::Block(items) => {
                let outside = self.bound.len();
                let Some((last, others)) = items.split_last_mut() else {
                    return Ok(());
                };
                let done = self.all(others).and_then(|()| self.ending(last, onward));
                self.bound.truncate(outside);
                done
            }
            other => {
                if let Some(ahead) = self.chain(other, onward)? {
                    self.pay_ahead(other, ahead);
                }
                Ok(())
            }
        }
    }

    /// Whether a predicate is so simple that the path pays for it ahead.
    fn is_paid_ahead(&self, filter: &AstNode, hop: &mut PlanStep, known: &mut PathState) -> bool {
        let own = self.bound.get(known.own_from..).unwrap_or_default();
        let is_own = |name: &str| {
            !known.may_name || own.iter().any(|own| own == name) || builtin::is_counted(name)
        };
        !hop.tuple
            && known.starts.nodes.len() < WITH_VARIABLES
            && predicate::ahead(filter, hop, &mut known.starts, &is_own).is_some()
    }

    /// A predicate runs for each item; a list it gives is looked through.
    pub(super) fn filter(&mut self, filter: &mut AstNode) -> Rewritten {
        let is_scalar = is_scalar(filter);
        self.enclosed(filter, 0)?;
        if !is_scalar {
            wrap(filter, |filter| scanned(Scan::Apply, filter));
        }
        Ok(())
    }

    /// A step after a dot runs for each item.
    pub(super) fn computed(&mut self, node: &mut AstNode, is_tuple: bool) -> Rewritten {
        let more = if is_tuple { price::TUPLE } else { 0 };
        match node {
            AstNode::FunctionApplication(inner) => self.enclosed(inner, more),
            AstNode::ArrayGroup(_) | AstNode::Array(_) | AstNode::Object(_) | AstNode::Block(_) => {
                self.enclosed_within(node, more)
            }
            other => self.enclosed(other, more),
        }
    }

    /// Terms are compared as often as a list can be halved. What is no number,
    /// such as 0 by 0, must not become a sort key.
    pub(super) fn term(&mut self, term: &mut AstNode) -> Rewritten {
        self.is_plain = false;
        self.enclosed(term, 0)?;
        wrap(term, |term| scanned(Scan::Key, term));
        Ok(())
    }
}
