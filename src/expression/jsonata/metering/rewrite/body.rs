//! Bodies: what runs as a whole, and pays for itself in front.

use jsonata_core::ast::AstNode;

use super::super::hook;
use super::super::table::{Charge, ValueRead};
use super::follow::{Continuation, Prepayment};
use super::nodes::{call, wrap};
use super::{Rewriter, Rewritten, steps};
use crate::expression::ExpressionError;
use crate::expression::effort;

/// What a body pays for before it runs, while the body is rewritten.
#[derive(Debug, Default)]
pub(super) struct OpenBody {
    /// The first of the variables in scope that the body bound itself.
    pub first_own: usize,
    /// Where its paths start, and what they read there.
    pub starts: PathStarts,
    /// Conditions around this place: a branch may never run.
    pub branches: usize,
}

/// Values that are read, each once.
#[derive(Debug, Default)]
pub(super) struct PathStarts {
    pub nodes: Vec<AstNode>,
    pub reads: Vec<Vec<ValueRead>>,
    pub slots: usize,
}

impl PathStarts {
    /// Adds what is read of the value a node gives.
    pub(super) fn add(&mut self, node: AstNode, read: ValueRead) {
        let place = self.nodes.iter().position(|known| *known == node);
        let Some(reads) = place.and_then(|place| self.reads.get_mut(place)) else {
            self.nodes.push(node);
            self.reads.push(vec![read]);
            return;
        };
        match (reads.first_mut(), &read) {
            (Some(ValueRead::Names(count)), ValueRead::Names(more)) => *count += more,
            (_, ValueRead::Names(_)) => reads.insert(0, read),
            _ => reads.push(read),
        }
    }

    /// A place for the size of what is compared, which is read of `node`.
    pub(super) fn slot(&mut self, node: AstNode, name: Option<String>) -> usize {
        let slot = self.slots;
        self.slots += 1;
        self.add(node, ValueRead::Size { slot, name });
        slot
    }

    /// Adds those of another, whose slots go after ours.
    pub(super) fn append(&mut self, other: Self) -> usize {
        let behind = self.slots;
        self.slots += other.slots;
        for (node, reads) in other.nodes.into_iter().zip(other.reads) {
            for read in reads {
                self.add(node.clone(), moved(read, behind));
            }
        }
        behind
    }
}

fn moved(read: ValueRead, behind: usize) -> ValueRead {
    match read {
        ValueRead::Size { slot, name } => ValueRead::Size {
            slot: slot + behind,
            name,
        },
        ValueRead::Path(mut plan) => {
            for hop in &mut plan {
                hop.with.iter_mut().for_each(|slot| *slot += behind);
            }
            ValueRead::Path(plan)
        }
        other @ (ValueRead::Text | ValueRead::Names(_)) => other,
    }
}

impl Rewriter {
    /// A part that runs more than once: it pays for itself each time, and so
    /// many steps more.
    pub(super) fn enclosed(&mut self, node: &mut AstNode, more: u64) -> Rewritten {
        let (steps, starts) = self.opened(node, Self::node)?;
        self.enclose(node, steps + more, starts);
        Ok(())
    }

    /// The same for a node whose kind must stay: it pays inside.
    pub(super) fn enclosed_within(&mut self, node: &mut AstNode, more: u64) -> Rewritten {
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

    /// Rewrites a body with its own count; gives its steps and starts.
    pub(super) fn opened(
        &mut self,
        node: &mut AstNode,
        inside: impl FnOnce(&mut Self, &mut AstNode) -> Rewritten,
    ) -> Result<(u64, PathStarts), ExpressionError> {
        let steps = steps::of(node);
        // The body has been gone through once more.
        effort::take(steps).map_err(|spent| ExpressionError::Syntax(spent.to_string()))?;
        let own = OpenBody {
            first_own: self.bound.len(),
            ..OpenBody::default()
        };
        let outer = std::mem::replace(&mut self.body, own);
        self.loops += 1;
        let done = inside(self, node);
        self.loops -= 1;
        let own = std::mem::replace(&mut self.body, outer);
        done.map(|()| (steps, own.starts))
    }

    pub(super) fn pay_ahead(&mut self, node: &mut AstNode, ahead: Prepayment) {
        let Prepayment {
            start,
            onward,
            mut starts,
        } = ahead;
        let read = Continuation::read(onward.plan());
        let is_brief = matches!(read, ValueRead::Names(_));
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
    pub(super) fn is_outer(&self, node: &AstNode) -> bool {
        match node {
            AstNode::Variable(name) => {
                let own = self.bound.get(self.body.first_own..).unwrap_or_default();
                name.is_empty() || !own.contains(name)
            }
            AstNode::ParentVariable(_) => true,
            _ => false,
        }
    }

    /// Puts the payment before a node.
    pub(super) fn enclose(&mut self, node: &mut AstNode, steps: u64, starts: PathStarts) {
        let paid = self.payment(steps, starts);
        let hides = steps::binds(node);
        wrap(node, |node| {
            if hides {
                call(hook::THEN, vec![paid, node])
            } else {
                AstNode::Block(vec![paid, node])
            }
        });
    }

    /// What pays so many steps and for what is read.
    pub(super) fn payment(&mut self, steps: u64, starts: PathStarts) -> AstNode {
        let charge = Charge {
            steps,
            ..Charge::default()
        };
        self.payment_of(charge, starts)
    }

    pub(super) fn payment_of(&mut self, mut charge: Charge, starts: PathStarts) -> AstNode {
        charge.slots = starts.slots;
        charge.starts = starts.reads;
        let number = self.table.add(charge);
        call(
            hook::PAY,
            std::iter::once(number).chain(starts.nodes).collect(),
        )
    }
}
