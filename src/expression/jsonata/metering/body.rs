//! What the compiler knows of a tree it rewrote: what each body and path costs,
//! by their number in the tree.

use std::rc::Rc;

use jsonata_core::ast::AstNode;

use super::plan::Plan;
use super::regular::Regular;

/// What one call of `PAY` or `RESULT` pays for.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a mark of its own, and all of them may be set"
)]
pub(in crate::expression::jsonata) struct Charge {
    /// Steps of the nodes.
    pub(super) steps: u64,
    /// Frames a function takes while it runs; 0 for what is none.
    pub(super) frames: usize,
    /// Whether the function has a signature, which looks through what it is given.
    pub(super) is_checked: bool,
    /// What is read of each value that is given.
    pub(super) starts: Vec<Vec<Read>>,
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
pub(in crate::expression::jsonata) enum Read {
    /// Along a path.
    Walk(Plan),
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
pub(in crate::expression::jsonata) struct Table {
    charges: Vec<Rc<Charge>>,
    pub(super) patterns: Vec<Regular>,
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

/// What a body pays for before it runs, while the body is rewritten.
#[derive(Debug, Default)]
pub(super) struct Body {
    /// The first of the variables in scope that the body bound itself.
    pub first_own: usize,
    /// Where its paths start, and what they read there.
    pub starts: Starts,
    /// Conditions around this place: a branch may never run.
    pub branches: usize,
}

/// Values that are read, each once.
#[derive(Debug, Default)]
pub(super) struct Starts {
    pub nodes: Vec<AstNode>,
    pub reads: Vec<Vec<Read>>,
    pub slots: usize,
}

impl Starts {
    /// Adds what is read of the value a node gives.
    pub(super) fn add(&mut self, node: AstNode, read: Read) {
        let place = self.nodes.iter().position(|known| *known == node);
        let Some(reads) = place.and_then(|place| self.reads.get_mut(place)) else {
            self.nodes.push(node);
            self.reads.push(vec![read]);
            return;
        };
        match (reads.first_mut(), &read) {
            (Some(Read::Names(count)), Read::Names(more)) => *count += more,
            (_, Read::Names(_)) => reads.insert(0, read),
            _ => reads.push(read),
        }
    }

    /// A place for the size of what is compared, which is read of `node`.
    pub(super) fn slot(&mut self, node: AstNode, name: Option<String>) -> usize {
        let slot = self.slots;
        self.slots += 1;
        self.add(node, Read::Size { slot, name });
        slot
    }

    /// Adds those of another, whose slots go behind ours.
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

fn moved(read: Read, behind: usize) -> Read {
    match read {
        Read::Size { slot, name } => Read::Size {
            slot: slot + behind,
            name,
        },
        Read::Walk(mut plan) => {
            for hop in &mut plan {
                hop.with.iter_mut().for_each(|slot| *slot += behind);
            }
            Read::Walk(plan)
        }
        other @ (Read::Text | Read::Names(_)) => other,
    }
}
