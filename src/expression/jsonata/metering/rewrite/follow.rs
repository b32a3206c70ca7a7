//! What follows on a value: paid ahead where the value is there, on the value itself where it is computed.

use jsonata_core::ast::AstNode;

use super::super::plan::{PathPlan, PlanStep, name_steps};
use super::super::price;
use super::super::table::{Charge, ValueRead};
use super::Rewriter;
use super::body::PathStarts;
use super::nodes::{array_path, result};
use super::shape::starts_with_array;

/// What follows on a value: steps, the last one first.
#[derive(Clone, Default)]
pub(super) struct Continuation {
    pub hops: PathPlan,
}

impl Continuation {
    pub(super) fn is_nothing(&self) -> bool {
        self.hops.iter().all(PlanStep::is_free)
    }

    /// As what a step gives, whose items join those of others.
    pub(super) fn joined(mut self, is_tuple: bool) -> Self {
        self.hops.push(PlanStep {
            each: price::JOINED,
            tuple: is_tuple,
            ..PlanStep::default()
        });
        self
    }

    pub(super) fn is_tuple(&self) -> bool {
        self.hops.iter().any(|hop| hop.tuple)
    }

    /// In the order of the path.
    pub(super) fn plan(&self) -> PathPlan {
        self.hops.iter().rev().cloned().collect()
    }

    /// How a plan is read; one name alone is read with others of its kind.
    pub(super) fn read(plan: PathPlan) -> ValueRead {
        let mut steps = plan.iter().filter(|hop| !hop.is_free());
        match (steps.next(), steps.next()) {
            (Some(only), None)
                if *only == PlanStep::of(only.axis.clone()) && name_steps(&only.axis) > 0 =>
            {
                ValueRead::Names(name_steps(&only.axis))
            }
            _ => ValueRead::Path(plan),
        }
    }
}

/// A path to be paid ahead.
pub(super) struct Prepayment {
    pub start: AstNode,
    pub onward: Continuation,
    /// Variables that its predicates name.
    pub starts: PathStarts,
}

impl Rewriter {
    /// Pays for what follows on the value a node gives.
    pub(super) fn follow(
        &mut self,
        node: &mut AstNode,
        onward: &Continuation,
        is_focus: bool,
        is_tuple: bool,
    ) {
        match node {
            AstNode::Object(pairs) if !is_focus => return self.follow_values(pairs, onward),
            AstNode::Array(_) | AstNode::ArrayGroup(_)
                if onward.is_nothing() && !is_focus && !is_tuple =>
            {
                return;
            }
            _ => {}
        }
        let number = self.onward(onward, is_focus, is_tuple);
        follow_into(node, &number, is_focus);
    }

    /// The values of an object, one step further.
    pub(super) fn follow_values(
        &mut self,
        pairs: &mut [(AstNode, AstNode)],
        onward: &Continuation,
    ) {
        let mut further = onward.clone();
        further.hops.pop();
        if further.is_nothing() {
            return;
        }
        let is_tuple = further.is_tuple();
        let number = self.onward(&further, false, is_tuple);
        for (_, value) in pairs {
            result(value, &number, false);
        }
    }

    /// The charge of what follows on a value. Behind `@` it follows on the
    /// context, once for each item of the value.
    pub(super) fn onward(
        &mut self,
        onward: &Continuation,
        is_focus: bool,
        is_tuple: bool,
    ) -> AstNode {
        self.is_plain = false;
        self.table.add(Charge {
            times_result: is_focus,
            is_tuple,
            // A single name, too: what it finds joins what others find.
            starts: vec![vec![ValueRead::Path(onward.plan())]],
            ..Charge::default()
        })
    }
}

/// Goes to where the value of a node is made, whose kind must stay.
fn follow_into(node: &mut AstNode, number: &AstNode, is_focus: bool) {
    match node {
        AstNode::FunctionApplication(inner) => follow_into(inner, number, is_focus),
        AstNode::Block(items) => {
            let was_cons = starts_with_array(items);
            if let Some(last) = items.last_mut() {
                follow_into(last, number, is_focus);
            }
            if was_cons {
                items.insert(0, array_path());
            }
        }
        AstNode::Array(items) | AstNode::ArrayGroup(items) => {
            for item in items {
                follow_into(item, number, is_focus);
            }
        }
        AstNode::String(_) | AstNode::Number(_) | AstNode::Boolean(_) | AstNode::Null => {}
        other => result(other, number, is_focus),
    }
}
