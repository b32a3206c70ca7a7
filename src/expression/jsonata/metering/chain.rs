//! Paths, sorts and groups: what runs per item pays for itself, what is names
//! pays ahead, in front of the whole or with the body around it.

use jsonata_core::ast::{AstNode, PathStep, Stage};

use super::super::ExpressionError;
use super::body::{Charge, Read, Starts};
use super::construct::Grouping;
use super::plan::{Go, Hop, Plan, name_steps};
use super::rewrite::{Done, Walk, call, context, is_scalar, scanned, wrap};
use super::scan::Scan;
use super::{builtin, hook, predicate, price};

/// Predicates of a path that are paid ahead although they name variables.
const WITH_VARIABLES: usize = 8;

/// What follows on a value: steps, the last one first.
#[derive(Clone, Default)]
pub(super) struct Onward {
    hops: Plan,
}

impl Onward {
    fn is_nothing(&self) -> bool {
        self.hops.iter().all(Hop::is_free)
    }

    /// As what a step gives, whose items join those of others.
    fn joined(mut self, is_tuple: bool) -> Self {
        self.hops.push(Hop {
            each: price::JOINED,
            tuple: is_tuple,
            ..Hop::default()
        });
        self
    }

    fn is_tuple(&self) -> bool {
        self.hops.iter().any(|hop| hop.tuple)
    }

    /// In the order of the path.
    fn plan(&self) -> Plan {
        self.hops.iter().rev().cloned().collect()
    }

    /// How a plan is read; one name alone is read with others of its kind.
    fn read(plan: Plan) -> Read {
        let mut steps = plan.iter().filter(|hop| !hop.is_free());
        match (steps.next(), steps.next()) {
            (Some(only), None) if *only == Hop::of(only.go.clone()) && name_steps(&only.go) > 0 => {
                Read::Names(name_steps(&only.go))
            }
            _ => Read::Walk(plan),
        }
    }
}

/// What is known of a path while its steps are gone through.
struct Known {
    /// The first of the variables in scope that the path binds itself.
    own_from: usize,
    is_alone: bool,
    /// Whether a step makes tuples: then those behind it do, too.
    makes_tuples: bool,
    /// Whether predicates that name variables may be paid ahead.
    may_name: bool,
    starts: Starts,
}

/// A path to be paid ahead.
pub(super) struct Ahead {
    start: AstNode,
    onward: Onward,
    /// Variables that its predicates name.
    starts: Starts,
}

impl Walk {
    /// A path, sort or group where any value may stand.
    pub(super) fn chained(&mut self, node: &mut AstNode) -> Done {
        if let Some(ahead) = self.chain(node, Onward::default())? {
            self.pay_ahead(node, ahead);
        }
        Ok(())
    }

    fn chain(
        &mut self,
        node: &mut AstNode,
        mut onward: Onward,
    ) -> Result<Option<Ahead>, ExpressionError> {
        match node {
            AstNode::Path { steps } => self.path(steps, onward),
            AstNode::Sort { input, terms } => {
                self.degree += 1;
                onward.hops.push(Hop::of(Go::Sort(terms.len() as u64)));
                let ahead = self.chain(input, onward)?;
                self.loops += 1;
                let done = terms.iter_mut().try_for_each(|(term, _)| self.term(term));
                self.loops -= 1;
                done.map(|()| ahead)
            }
            AstNode::ObjectTransform { input, pattern } => {
                let is_tuples = makes_tuples(input);
                let ahead = self.chain(input, Onward::default())?;
                self.group(pattern, is_tuples)?;
                self.follow_values(pattern, &onward);
                Ok(ahead)
            }
            AstNode::Variable(_) | AstNode::ParentVariable(_) | AstNode::Parent(_) => {
                self.node(node)?;
                Ok(Some(Ahead {
                    start: node.clone(),
                    onward,
                    starts: Starts::default(),
                }))
            }
            AstNode::Name(name) => {
                onward.hops.push(Hop::of(Go::To(name.clone())));
                Ok(Some(Ahead {
                    start: context(),
                    onward,
                    starts: Starts::default(),
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
            other => {
                self.node(other)?;
                if onward.hops.iter().any(|hop| !matches!(hop.go, Go::Sort(_))) {
                    let is_tuple = onward.is_tuple();
                    self.follow(other, &onward, false, is_tuple);
                }
                Ok(None)
            }
        }
    }

    /// Keys run for each item and values for each group.
    fn group(&mut self, pattern: &mut [(AstNode, AstNode)], is_tuples: bool) -> Done {
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

    /// Terms are compared as often as a list can be halved. What is no number,
    /// such as 0 by 0, must not come to be sorted by.
    fn term(&mut self, term: &mut AstNode) -> Done {
        self.is_plain = false;
        self.enclosed(term, 0)?;
        wrap(term, |term| scanned(Scan::Key, term));
        Ok(())
    }

    fn path(
        &mut self,
        steps: &mut [PathStep],
        onward: Onward,
    ) -> Result<Option<Ahead>, ExpressionError> {
        let own_from = self.bound.len();
        for step in steps.iter() {
            self.bound.extend(names(step));
        }
        let is_tuple = |step: &PathStep| makes_tuple(step) || has_tuples(&step.node);
        let mut known = Known {
            own_from,
            makes_tuples: self.has_tuples && steps.iter().any(is_tuple),
            is_alone: steps.len() == 1,
            may_name: true,
            starts: Starts::default(),
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
    fn assemble(
        &mut self,
        steps: &mut [PathStep],
        hops: Vec<Option<Hop>>,
        mut onward: Onward,
        known: Known,
    ) -> Result<Option<Ahead>, ExpressionError> {
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
        Ok((!onward.is_nothing()).then_some(Ahead {
            start,
            onward,
            starts: known.starts,
        }))
    }

    /// A step in brackets that ends with a path: what follows is paid with that
    /// path, which stays the end, as tuples are handed on by paths alone.
    fn opened_step(&mut self, node: &mut AstNode, onward: Onward) -> Done {
        if let AstNode::FunctionApplication(inner) = node {
            let (steps, starts) = self.opened(inner, |walk, inner| walk.ending(inner, onward))?;
            self.enclose(inner, steps, starts);
            return Ok(());
        }
        let (steps, starts) = self.opened(node, |walk, node| walk.ending(node, onward))?;
        if let AstNode::Block(items) = node {
            let paid = self.payment(steps, starts);
            items.insert(0, paid);
        }
        Ok(())
    }

    fn ending(&mut self, node: &mut AstNode, onward: Onward) -> Done {
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

    /// Rewrites a step; where it goes, unless it is computed.
    fn step(
        &mut self,
        index: usize,
        step: &mut PathStep,
        known: &mut Known,
    ) -> Result<Option<Hop>, ExpressionError> {
        let go = go(&step.node, index);
        let mut hop = Hop {
            focus: step.focus.is_some(),
            tuple: known.makes_tuples,
            ..Hop::of(go.clone().unwrap_or_default())
        };
        match (index, &go) {
            (0, None) if is_ordered(&step.node) => {}
            (_, None) if self.has_tuples && is_open(index, step) => self.degree += 1,
            (0, None) if known.is_alone || is_made_once(&step.node) => self.node(&mut step.node)?,
            (_, None) => {
                self.degree += 1;
                self.computed(&mut step.node, hop.tuple)?;
            }
            (0, Some(Go::Stay)) => self.node(&mut step.node)?,
            (_, Some(Go::Below)) => self.below(&mut step.node, index),
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
            if go.is_none() || !self.is_paid_ahead(filter, &mut hop, known) {
                self.filter(filter)?;
            }
        }
        Ok(go.map(|_| hop))
    }

    /// Whether a predicate is so simple that the path pays for it ahead.
    fn is_paid_ahead(&self, filter: &AstNode, hop: &mut Hop, known: &mut Known) -> bool {
        let own = self.bound.get(known.own_from..).unwrap_or_default();
        let is_own = |name: &str| {
            !known.may_name || own.iter().any(|own| own == name) || builtin::is_counted(name)
        };
        !hop.tuple
            && known.starts.nodes.len() < WITH_VARIABLES
            && predicate::ahead(filter, hop, &mut known.starts, &is_own).is_some()
    }

    /// A predicate runs for each item; a list it gives is looked through.
    fn filter(&mut self, filter: &mut AstNode) -> Done {
        let is_scalar = is_scalar(filter);
        self.enclosed(filter, 0)?;
        if !is_scalar {
            wrap(filter, |filter| scanned(Scan::Apply, filter));
        }
        Ok(())
    }

    /// A step behind a dot runs for each item.
    fn computed(&mut self, node: &mut AstNode, is_tuple: bool) -> Done {
        let more = if is_tuple { price::TUPLE } else { 0 };
        match node {
            AstNode::FunctionApplication(inner) => self.enclosed(inner, more),
            AstNode::ArrayGroup(_) | AstNode::Array(_) | AstNode::Object(_) | AstNode::Block(_) => {
                self.enclosed_within(node, more)
            }
            other => self.enclosed(other, more),
        }
    }

    /// Pays for what follows on the value a node gives.
    fn follow(&mut self, node: &mut AstNode, onward: &Onward, is_focus: bool, is_tuple: bool) {
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
    fn follow_values(&mut self, pairs: &mut [(AstNode, AstNode)], onward: &Onward) {
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
    fn onward(&mut self, onward: &Onward, is_focus: bool, is_tuple: bool) -> AstNode {
        self.is_plain = false;
        self.table.add(Charge {
            times_result: is_focus,
            is_tuple,
            // A single name, too: what it finds joins what others find.
            starts: vec![vec![Read::Walk(onward.plan())]],
            ..Charge::default()
        })
    }

    fn pay_ahead(&mut self, node: &mut AstNode, ahead: Ahead) {
        let Ahead {
            start,
            onward,
            mut starts,
        } = ahead;
        let read = Onward::read(onward.plan());
        let is_brief = matches!(read, Read::Names(_));
        starts.add(start, read);
        let is_outer = starts.nodes.iter().all(|node| self.is_outer(node));
        if is_outer && (is_brief || self.body.branches == 0) {
            self.body.starts.append(starts);
        } else {
            self.is_plain = false;
            self.enclose(node, 0, starts);
        }
    }

    /// Whether a value is there when the body begins.
    fn is_outer(&self, node: &AstNode) -> bool {
        match node {
            AstNode::Variable(name) => {
                let own = self.bound.get(self.body.first_own..).unwrap_or_default();
                name.is_empty() || !own.contains(name)
            }
            AstNode::ParentVariable(_) => true,
            _ => false,
        }
    }

    /// Puts the payment in front of a node.
    pub(super) fn enclose(&mut self, node: &mut AstNode, steps: u64, starts: Starts) {
        let paid = self.payment(steps, starts);
        let hides = price::binds(node);
        wrap(node, |node| {
            if hides {
                call(hook::THEN, vec![paid, node])
            } else {
                AstNode::Block(vec![paid, node])
            }
        });
    }

    /// What pays so many steps and for what is read.
    pub(super) fn payment(&mut self, steps: u64, starts: Starts) -> AstNode {
        let charge = Charge {
            steps,
            ..Charge::default()
        };
        self.payment_of(charge, starts)
    }

    pub(super) fn payment_of(&mut self, mut charge: Charge, starts: Starts) -> AstNode {
        charge.slots = starts.slots;
        charge.starts = starts.reads;
        let number = self.table.add(charge);
        call(
            hook::PAY,
            std::iter::once(number).chain(starts.nodes).collect(),
        )
    }
}

/// Where a step goes that nothing is computed for.
fn go(node: &AstNode, index: usize) -> Option<Go> {
    match node {
        AstNode::Name(name) => Some(Go::To(name.clone())),
        AstNode::Wildcard => Some(Go::Children),
        AstNode::Descendant => Some(Go::Below),
        AstNode::Variable(name) if name.is_empty() || index == 0 => Some(Go::Stay),
        AstNode::ParentVariable(_) | AstNode::Parent(_) if index == 0 => Some(Go::Stay),
        _ => None,
    }
}

fn is_ordered(node: &AstNode) -> bool {
    matches!(node, AstNode::Sort { .. } | AstNode::ObjectTransform { .. })
}

/// Whether a first step is evaluated once, whatever the context is.
fn is_made_once(node: &AstNode) -> bool {
    match node {
        AstNode::Array(_) => true,
        AstNode::Block(items) => starts_with_array(items),
        _ => false,
    }
}

/// Whether a step in brackets ends with a path. `@` behind it has what follows
/// begin elsewhere.
fn is_open(index: usize, step: &PathStep) -> bool {
    let is_once = index == 0 && is_made_once(&step.node);
    !is_once && step.focus.is_none() && ends_with_path(&step.node, true)
}

fn ends_with_path(node: &AstNode, is_outside: bool) -> bool {
    match node {
        AstNode::FunctionApplication(inner) if is_outside => ends_with_path(inner, false),
        AstNode::Block(items) => items.last().is_some_and(|last| ends_with_path(last, false)),
        AstNode::Path { .. } | AstNode::Sort { .. } | AstNode::Name(_) => !is_outside,
        _ => false,
    }
}

/// Whether there are tuples anywhere in it.
pub(super) fn has_tuples(node: &AstNode) -> bool {
    matches!(node, AstNode::Path { steps } if steps.iter().any(makes_tuple))
        || price::children(node).into_iter().any(has_tuples)
}

fn makes_tuple(step: &PathStep) -> bool {
    step.is_tuple
        || step.inner_tuple
        || step.focus.is_some()
        || step.index_var.is_some()
        || step.ancestor_label.is_some()
}

fn makes_tuples(node: &AstNode) -> bool {
    match node {
        AstNode::Sort { input, .. } => makes_tuples(input),
        AstNode::Path { steps } => steps
            .iter()
            .any(|step| makes_tuple(step) || has_tuples(&step.node)),
        _ => false,
    }
}

/// A position; `-1` is one too.
fn number(filter: &AstNode) -> Option<f64> {
    match filter {
        AstNode::Number(position) => Some(*position),
        AstNode::Unary { operand, .. } => match operand.as_ref() {
            AstNode::Number(position) => Some(-position),
            _ => None,
        },
        _ => None,
    }
}

/// The variables a step binds.
fn names(step: &PathStep) -> Vec<String> {
    let stages = step.stages.iter().filter_map(|stage| match stage {
        Stage::Index(name) => Some(name.clone()),
        Stage::Filter(_) | Stage::KeepArray => None,
    });
    let own = [&step.focus, &step.index_var]
        .into_iter()
        .flatten()
        .cloned();
    own.chain(stages).collect()
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

fn result(node: &mut AstNode, number: &AstNode, is_focus: bool) {
    wrap(node, |node| {
        let start = is_focus.then(context);
        let args = std::iter::once(number.clone()).chain(start);
        call(hook::RESULT, args.chain(std::iter::once(node)).collect())
    });
}

/// Whether the engine takes a block for an array: one of its steps is a path
/// that starts with one.
fn starts_with_array(items: &[AstNode]) -> bool {
    fn starts(node: &AstNode, dotted: bool) -> bool {
        match node {
            AstNode::Array(_) => dotted,
            AstNode::Block(items) => starts_with_array(items),
            AstNode::Sort { input, .. } => starts(input, dotted),
            AstNode::Path { steps } => steps
                .first()
                .is_some_and(|step| starts(&step.node, dotted || steps.len() > 1)),
            _ => false,
        }
    }
    items.iter().any(|item| starts(item, false))
}

/// A path that starts with an array, and gives nothing.
fn array_path() -> AstNode {
    let step = |node| PathStep {
        node,
        stages: Vec::new(),
        focus: None,
        index_var: None,
        ancestor_label: None,
        is_tuple: false,
        inner_tuple: false,
        id: jsonata_core::ast::StepId::default(),
    };
    AstNode::Path {
        steps: vec![
            step(AstNode::Array(Vec::new())),
            step(AstNode::Name("causeway none".to_owned())),
        ],
    }
}
