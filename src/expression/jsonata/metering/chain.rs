//! Paths, sorts and groups: what runs per item pays for itself, what is names
//! pays ahead, in front of the whole or with the body around it.

use jsonata_core::ast::{AstNode, PathStep, Stage};

use super::body::{Charge, Read, Starts};
use super::plan::{Go, Hop, Plan};
use super::rewrite::{Done, Walk, call, context, wrap};
use super::{hook, predicate, price};

/// Predicates of a path that are paid ahead although they name variables.
const WITH_VARIABLES: usize = 8;

/// What follows on a value: steps, the last one first, and the variables that
/// their predicates name.
#[derive(Default)]
pub(super) struct Onward {
    hops: Plan,
    starts: Starts,
}

impl Onward {
    fn is_nothing(&self) -> bool {
        self.hops.iter().all(Hop::is_free)
    }

    fn copy(&self) -> Self {
        Self {
            hops: self.hops.clone(),
            starts: self.starts.copy(),
        }
    }

    /// In the order of the path.
    fn plan(&self) -> Plan {
        self.hops.iter().rev().cloned().collect()
    }

    /// How a plan is read; one name alone is read with others of its kind.
    fn read(plan: Plan) -> Read {
        let mut steps = plan.iter().filter(|hop| !hop.is_free());
        match (steps.next(), steps.next()) {
            (Some(only), None) if *only == Hop::of(only.go.clone()) && matches!(only.go, Go::To(_)) => {
                Read::Names(1)
            }
            _ => Read::Walk(plan),
        }
    }
}

/// A path to be paid ahead.
pub(super) struct Ahead {
    start: AstNode,
    onward: Onward,
}

impl Walk {
    /// A path, sort or group where any value may stand.
    pub(super) fn chained(&mut self, node: &mut AstNode) -> Done {
        if let Some(ahead) = self.chain(node, Onward::default())? {
            self.pay_ahead(node, ahead);
        }
        Ok(())
    }

    fn chain(&mut self, node: &mut AstNode, mut onward: Onward) -> Result<Option<Ahead>, super::super::ExpressionError> {
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
                let mut within = Onward::default();
                if makes_tuples(input) {
                    within.hops.push(Hop::of(Go::Group));
                }
                let ahead = self.chain(input, within)?;
                self.group(pattern)?;
                self.follow_values(pattern, &onward);
                Ok(ahead)
            }
            AstNode::Variable(_) | AstNode::ParentVariable(_) | AstNode::Parent(_) => {
                self.node(node)?;
                let start = node.clone();
                Ok(Some(Ahead { start, onward }))
            }
            AstNode::Name(name) => {
                onward.hops.push(Hop::of(Go::To(name.clone())));
                Ok(Some(Ahead {
                    start: context(),
                    onward,
                }))
            }
            other => {
                self.node(other)?;
                if onward.hops.iter().any(|hop| !matches!(hop.go, Go::Sort(_))) {
                    self.follow(other, &onward, false);
                }
                Ok(None)
            }
        }
    }

    /// Keys run for each item and values for each group.
    fn group(&mut self, pattern: &mut [(AstNode, AstNode)]) -> Done {
        self.degree += 1;
        self.loops += 1;
        let done = self.object(pattern, true);
        self.loops -= 1;
        done
    }

    /// Terms are compared as often as a list can be halved.
    fn term(&mut self, term: &mut AstNode) -> Done {
        self.enclosed(term)?;
        wrap(term, |term| super::rewrite::scanned(super::scan::Scan::Key, term));
        Ok(())
    }

    fn path(&mut self, steps: &mut [PathStep], mut onward: Onward) -> Result<Option<Ahead>, super::super::ExpressionError> {
        let mut hops = Vec::with_capacity(steps.len());
        let own_from = self.bound.len();
        for step in steps.iter() {
            self.bound.extend(names(step));
        }
        let mut starts = Starts::default();
        let is_alone = steps.len() == 1;
        for (index, step) in steps.iter_mut().enumerate() {
            hops.push(self.step((index, is_alone), step, own_from, &mut starts)?);
        }
        let behind = starts.append(std::mem::take(&mut onward.starts));
        for hop in &mut onward.hops {
            hop.with.iter_mut().for_each(|slot| *slot += behind);
        }
        onward.starts = starts;
        self.assemble(steps, hops, onward, is_alone)
    }

    /// From the last step to the first: what is computed pays for what follows.
    fn assemble(
        &mut self,
        steps: &mut [PathStep],
        hops: Vec<Option<Hop>>,
        mut onward: Onward,
        is_alone: bool,
    ) -> Result<Option<Ahead>, super::super::ExpressionError> {
        for (index, (step, hop)) in steps.iter_mut().zip(hops).enumerate().rev() {
            match hop {
                Some(hop) => onward.hops.push(hop),
                None if index == 0 && is_ordered(&step.node) => {
                    return self.chain(&mut step.node, onward);
                }
                None if index == 0 && is_alone && onward.hops.is_empty() => return Ok(None),
                None => {
                    self.follow(&mut step.node, &onward, step.focus.is_some());
                    onward.hops.clear();
                }
            }
        }
        let start = match steps.first().map(|step| &step.node) {
            Some(AstNode::Variable(_) | AstNode::ParentVariable(_) | AstNode::Parent(_)) => {
                steps.first().map_or_else(context, |step| step.node.clone())
            }
            _ => context(),
        };
        Ok((!onward.is_nothing()).then_some(Ahead { start, onward }))
    }

    /// Rewrites a step; where it goes, unless it is computed.
    fn step(
        &mut self,
        (index, is_alone): (usize, bool),
        step: &mut PathStep,
        own_from: usize,
        starts: &mut Starts,
    ) -> Result<Option<Hop>, super::super::ExpressionError> {
        let go = go(&step.node, index);
        let mut hop = Hop {
            focus: step.focus.is_some(),
            tuple: step.is_tuple || step.index_var.is_some() || step.focus.is_some() || step.ancestor_label.is_some(),
            ..Hop::of(go.clone().unwrap_or_default())
        };
        if hop.tuple {
            self.has_tuples = true;
        }
        match (index, &go) {
            (0, None) if is_ordered(&step.node) => {}
            (0, None) if is_alone || is_made_once(&step.node) => self.node(&mut step.node)?,
            (_, None) => {
                self.degree += 1;
                self.computed(&mut step.node)?;
            }
            (0, Some(Go::Stay)) => self.node(&mut step.node)?,
            _ => {}
        }
        if matches!(go, Some(Go::Below)) {
            self.below(&mut step.node, index);
        }
        for (place, stage) in step.stages.iter_mut().enumerate() {
            let Stage::Filter(filter) = stage else { continue };
            if let Some(position) = number(filter) {
                hop.only = hop.only.or((place == 0).then_some(position));
                continue;
            }
            self.degree += 1;
            let own = |name: &str| {
                let own = self.bound.get(own_from..).unwrap_or_default();
                own.iter().any(|known| known == name) || super::builtin::is_counted(name)
            };
            let is_ahead = go.is_some()
                && !hop.tuple
                && starts.nodes.len() < WITH_VARIABLES
                && predicate::ahead(filter, &mut hop, starts, &own).is_some();
            if !is_ahead {
                self.filter(filter)?;
            }
        }
        Ok(go.map(|_| hop))
    }

    /// A predicate runs for each item; a list it gives is looked through.
    fn filter(&mut self, filter: &mut AstNode) -> Done {
        let is_scalar = super::rewrite::is_scalar(filter);
        self.enclosed(filter)?; // its call and block are dearer than a predicate
        if !is_scalar {
            wrap(filter, |filter| super::rewrite::scanned(super::scan::Scan::Apply, filter));
        }
        Ok(())
    }

    /// A step behind a dot runs for each item.
    fn computed(&mut self, node: &mut AstNode) -> Done {
        match node {
            AstNode::FunctionApplication(inner) => self.enclosed(inner),
            AstNode::ArrayGroup(_) | AstNode::Array(_) | AstNode::Object(_) | AstNode::Block(_) => {
                self.enclosed_within(node)
            }
            other => self.enclosed(other),
        }
    }

    /// Pays for what follows on the value a node gives.
    fn follow(&mut self, node: &mut AstNode, onward: &Onward, is_focus: bool) {
        match node {
            AstNode::Object(pairs) if !is_focus => return self.follow_values(pairs, onward),
            AstNode::Array(_) | AstNode::ArrayGroup(_) if onward.is_nothing() && !is_focus => return,
            _ => {}
        }
        let (number, nodes) = self.onward(onward, is_focus);
        follow_into(node, &number, &nodes);
    }

    /// The values of an object, one step further.
    fn follow_values(&mut self, pairs: &mut [(AstNode, AstNode)], onward: &Onward) {
        let mut further = onward.copy();
        further.hops.pop();
        if further.is_nothing() {
            return;
        }
        let (number, nodes) = self.onward(&further, false);
        for (_, value) in pairs {
            result(value, &number, &nodes);
        }
    }

    /// The charge of what follows, and what it reads beside the value.
    fn onward(&mut self, onward: &Onward, is_focus: bool) -> (AstNode, Vec<AstNode>) {
        self.is_plain = false;
        let mut starts = onward.starts.copy();
        let plan = onward.plan();
        let is_tuple = is_focus || plan.iter().any(|hop| hop.tuple);
        let mut charge = Charge {
            times_result: is_focus,
            is_tuple,
            slots: starts.slots,
            ..Charge::default()
        };
        if is_focus {
            starts.add(context(), Read::Walk(plan));
            charge.starts = starts.reads;
        } else {
            charge.starts = starts.reads;
            charge.starts.push(vec![Onward::read(plan)]);
        }
        (self.table.add(charge), starts.nodes)
    }

    fn pay_ahead(&mut self, node: &mut AstNode, ahead: Ahead) {
        let Ahead { start, mut onward } = ahead;
        let plan = onward.plan();
        let read = Onward::read(plan);
        let is_brief = matches!(read, Read::Names(_));
        onward.starts.add(start, read);
        let is_outer = onward.starts.nodes.iter().all(|node| self.is_outer(node));
        if is_outer && (is_brief || self.body.branches == 0) {
            self.body.starts.append(onward.starts);
        } else {
            self.enclose(node, 0, onward.starts);
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
        wrap(node, |node| match hides {
            true => call(hook::THEN, vec![paid, node]),
            false => AstNode::Block(vec![paid, node]),
        });
    }

    /// What pays so many steps and for what is read.
    pub(super) fn payment(&mut self, steps: u64, starts: Starts) -> AstNode {
        let number = self.table.add(Charge {
            steps,
            slots: starts.slots,
            starts: starts.reads,
            ..Charge::default()
        });
        call(hook::PAY, std::iter::once(number).chain(starts.nodes).collect())
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

fn makes_tuples(node: &AstNode) -> bool {
    match node {
        AstNode::Sort { input, .. } => makes_tuples(input),
        AstNode::Path { steps } => steps.iter().any(|step| {
            step.is_tuple || step.focus.is_some() || step.index_var.is_some() || step.ancestor_label.is_some() || makes_tuples(&step.node)
        }),
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
    let own = [&step.focus, &step.index_var].into_iter().flatten().cloned();
    own.chain(stages).collect()
}

/// Goes to where the value of a node is made, whose kind must stay.
fn follow_into(node: &mut AstNode, number: &AstNode, nodes: &[AstNode]) {
    match node {
        AstNode::FunctionApplication(inner) => follow_into(inner, number, nodes),
        AstNode::Block(items) => {
            let was_cons = starts_with_array(items);
            if let Some(last) = items.last_mut() {
                follow_into(last, number, nodes);
            }
            if was_cons {
                items.insert(0, array_path());
            }
        }
        AstNode::Array(items) | AstNode::ArrayGroup(items) => {
            for item in items {
                follow_into(item, number, nodes);
            }
        }
        other => result(other, number, nodes),
    }
}

fn result(node: &mut AstNode, number: &AstNode, nodes: &[AstNode]) {
    wrap(node, |node| {
        let args = std::iter::once(number.clone()).chain(nodes.iter().cloned());
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
        steps: vec![step(AstNode::Array(Vec::new())), step(AstNode::Name("causeway none".to_owned()))],
    }
}
