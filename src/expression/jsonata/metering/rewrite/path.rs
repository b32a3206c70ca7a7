//! Paths, sorts and groups: what runs per item pays for itself, what is names pays ahead, before the whole or with
//! the body around it.

use jsonata_core::ast::{AstNode, PathStep};

use super::super::plan::{Axis, PlanStep};
use super::body::PathStarts;
use super::construct::Grouping;
use super::follow::{Continuation, Prepayment};
use super::nodes::context;
use super::shape::{
    ends_with_path, has_tuples, is_made_once, is_open, is_ordered, makes_tuple, makes_tuples, names,
};
use super::{Rewriter, Rewritten};
use crate::expression::ExpressionError;

/// What is known of a path while its steps are gone through.
pub(super) struct PathState {
    /// The first of the variables in scope that the path binds itself.
    pub own_from: usize,
    pub is_alone: bool,
    /// Whether a step makes tuples: then those after it do, too.
    pub makes_tuples: bool,
    /// Whether predicates that name variables may be paid ahead.
    pub may_name: bool,
    pub starts: PathStarts,
}

impl Rewriter {
    /// A path, sort or group in a position that takes any value.
    pub(super) fn chained(&mut self, node: &mut AstNode) -> Rewritten {
        if let Some(ahead) = self.chain(node, Continuation::default())? {
            self.pay_ahead(node, ahead);
        }
        Ok(())
    }

    pub(super) fn chain(
        &mut self,
        node: &mut AstNode,
        mut onward: Continuation,
    ) -> Result<Option<Prepayment>, ExpressionError> {
        match node {
            AstNode::Path { steps } => self.path(steps, onward),
            AstNode::Sort { input, terms } => {
                self.degree += 1;
                onward
                    .hops
                    .push(PlanStep::of(Axis::Sort(terms.len() as u64)));
                let ahead = self.chain(input, onward)?;
                self.loops += 1;
                let done = terms.iter_mut().try_for_each(|(term, _)| self.term(term));
                self.loops -= 1;
                done.map(|()| ahead)
            }
            AstNode::ObjectTransform { input, pattern } => {
                let is_tuples = makes_tuples(input);
                let ahead = self.chain(input, Continuation::default())?;
                self.group(pattern, is_tuples)?;
                self.follow_values(pattern, &onward);
                Ok(ahead)
            }
            AstNode::Variable(_) | AstNode::ParentVariable(_) | AstNode::Parent(_) => {
                self.node(node)?;
                Ok(Some(Prepayment {
                    start: node.clone(),
                    onward,
                    starts: PathStarts::default(),
                }))
            }
            AstNode::Name(name) => {
                onward.hops.push(PlanStep::of(Axis::Name(name.clone())));
                Ok(Some(Prepayment {
                    start: context(),
                    onward,
                    starts: PathStarts::default(),
                }))
            }
            // It may run for each item of the context.
            AstNode::Block(_)
                if self.has_tuples && ends_with_path(node, true) && !is_made_once(node) =>
            {
                let is_tuple = onward.is_tuple();
                self.opened_step(node, onward.joined(is_tuple))?;
                Ok(None)
            }
            other => self.chain_value(other, &onward).map(|()| None),
        }
    }

    fn chain_value(&mut self, node: &mut AstNode, onward: &Continuation) -> Rewritten {
        self.node(node)?;
        let mut hops = onward.hops.iter();
        if hops.any(|hop| !matches!(hop.axis, Axis::Sort(_))) {
            self.follow(node, onward, false, onward.is_tuple());
        }
        Ok(())
    }

    /// Keys run for each item and values for each group.
    pub(super) fn group(
        &mut self,
        pattern: &mut [(AstNode, AstNode)],
        is_tuples: bool,
    ) -> Rewritten {
        self.degree += 1;
        self.loops += 1;
        let how = if is_tuples {
            Grouping::Tuples
        } else {
            Grouping::Items
        };
        let done = self.object(pattern, how);
        self.loops -= 1;
        done
    }

    pub(super) fn path(
        &mut self,
        steps: &mut [PathStep],
        onward: Continuation,
    ) -> Result<Option<Prepayment>, ExpressionError> {
        let own_from = self.bound.len();
        for step in steps.iter() {
            self.bound.extend(names(step));
        }
        let is_tuple = |step: &PathStep| makes_tuple(step) || has_tuples(&step.node);
        let mut known = PathState {
            own_from,
            makes_tuples: self.has_tuples && steps.iter().any(is_tuple),
            is_alone: steps.len() == 1,
            may_name: true,
            starts: PathStarts::default(),
        };
        let mut hops = Vec::with_capacity(steps.len());
        for (index, step) in steps.iter_mut().enumerate() {
            let hop = self.step(index, step, &mut known)?;
            // Behind what is computed a variable may be another's.
            known.may_name &= hop.is_some();
            hops.push(hop);
        }
        self.assemble(steps, hops, onward, known)
    }

    /// From the last step to the first: what is computed pays for what follows.
    pub(super) fn assemble(
        &mut self,
        steps: &mut [PathStep],
        hops: Vec<Option<PlanStep>>,
        mut onward: Continuation,
        known: PathState,
    ) -> Result<Option<Prepayment>, ExpressionError> {
        for (index, (step, hop)) in steps.iter_mut().zip(hops).enumerate().rev() {
            let behind = match hop {
                Some(hop) => {
                    onward.hops.push(hop);
                    continue;
                }
                None => std::mem::take(&mut onward),
            };
            match &step.node {
                node if index == 0 && is_ordered(node) => {
                    return self.chain(&mut step.node, behind);
                }
                _ if self.has_tuples && is_open(index, step) => {
                    let is_tuple = behind.is_tuple() || known.makes_tuples;
                    self.opened_step(&mut step.node, behind.joined(is_tuple))?;
                }
                _ if index == 0 && known.is_alone && behind.hops.is_empty() => return Ok(None),
                _ => {
                    let is_tuple = behind.is_tuple() || known.makes_tuples;
                    let is_focus = step.focus.is_some();
                    self.follow(&mut step.node, &behind, is_focus, is_tuple);
                }
            }
        }
        let start = match steps.first().map(|step| &step.node) {
            Some(
                start @ (AstNode::Variable(_) | AstNode::ParentVariable(_) | AstNode::Parent(_)),
            ) => start.clone(),
            _ => context(),
        };
        Ok((!onward.is_nothing()).then_some(Prepayment {
            start,
            onward,
            starts: known.starts,
        }))
    }
}
