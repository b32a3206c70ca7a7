//! The order of a batch: which node waits for which.

use std::collections::{BTreeMap, BTreeSet};

use super::{MOST_NODES, SentBatch, SentNode};
use crate::expression::{Placeholder, TemplateTree};
use crate::json::Path;

/// The root of the results.
const RESULTS: &str = "resources";
/// The longest name of a node.
const NAME_CHARACTERS: usize = 64;
/// The most mistakes that are said.
pub(super) const MOST_MISTAKES: usize = 100;

/// Why a batch is not run, with the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchMistake {
    /// Such as `resources[2].depends_on`.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

/// A node with its name, and the places of the nodes that it waits for.
#[derive(Debug)]
pub struct PlannedNode {
    /// Its name.
    pub name: String,
    /// The node.
    pub node: SentNode,
    /// The places of the nodes that it waits for.
    pub after: BTreeSet<usize>,
}

/// The nodes, in the order in which they were sent.
#[derive(Debug)]
pub struct BatchPlan {
    /// The nodes.
    pub nodes: Vec<PlannedNode>,
    /// The root `args`.
    pub args: serde_json::Value,
}

impl BatchPlan {
    /// Checks a batch: its names, what nodes wait for, and that none waits for itself.
    pub fn of(batch: SentBatch) -> Result<Self, Vec<BatchMistake>> {
        if !(1..=MOST_NODES).contains(&batch.resources.len()) {
            let message = format!("needs 1 to {MOST_NODES} nodes");
            return Err(vec![mistake(RESULTS, message)]);
        }
        let (mut mistakes, mut places) = (Mistakes::default(), BTreeMap::new());
        for (place, node) in batch.resources.iter().enumerate() {
            let name = name_of(node);
            if !is_name(name) {
                let message =
                    format!("needs 1 to {NAME_CHARACTERS} of letters, digits, `_` and `-`");
                mistakes.add(place, "name", message);
            }
            if places.insert(name.to_owned(), place).is_some() {
                let message = format!("`{name}` is the name of another node");
                mistakes.add(place, "name", message);
            }
        }
        let nodes = batch.resources.into_iter().enumerate();
        let nodes: Vec<PlannedNode> = nodes
            .map(|(place, node)| PlannedNode {
                name: name_of(&node).to_owned(),
                after: waits_for(&node, place, &places, &mut mistakes),
                node,
            })
            .collect();
        mistakes.0.extend(cycle(&nodes));
        if mistakes.0.is_empty() {
            let args = batch.args;
            return Ok(Self { nodes, args });
        }
        Err(mistakes.0)
    }
}

/// What is wrong with the nodes: the first mistakes.
#[derive(Default)]
struct Mistakes(Vec<BatchMistake>);

impl Mistakes {
    fn add(&mut self, place: usize, key: &str, message: String) {
        if self.0.len() < MOST_MISTAKES {
            let path = format!("{RESULTS}[{place}].{key}");
            self.0.push(mistake(&path, message));
        }
    }
}

fn name_of(node: &SentNode) -> &str {
    node.name.as_deref().unwrap_or(&node.resource)
}

fn is_name(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    (1..=NAME_CHARACTERS).contains(&name.len()) && name.bytes().all(is_letter)
}

/// What `depends_on` names, what placeholders read, and every node that an expression may read: those that it names, and
/// where it reads `resources` in another way than `resources.name`, all that were sent before.
fn waits_for(
    node: &SentNode,
    place: usize,
    places: &BTreeMap<String, usize>,
    mistakes: &mut Mistakes,
) -> BTreeSet<usize> {
    let mut after = BTreeSet::new();
    let mut find = |name: &str, key: &str| {
        if let Some(place) = places.get(name) {
            after.insert(*place);
            return;
        }
        mistakes.add(place, key, format!("there is no node `{name}`"));
    };
    for name in &node.depends_on {
        find(name, "depends_on");
    }
    for (key, tree) in [
        ("id", &node.id),
        ("query", &node.query),
        ("body", &node.body),
    ] {
        for name in tree.iter().flat_map(read_by) {
            find(name, key);
        }
    }
    let mut sources = Vec::new();
    for (key, expression) in [("loop_on", &node.loop_on), ("run_if", &node.run_if)] {
        let Some(expression) = expression else {
            continue;
        };
        match expression.names_below(RESULTS) {
            Some(read) => read.iter().for_each(|name| find(name, key)),
            None => sources.push(expression.source()),
        }
    }
    for source in sources {
        let named = places.iter().filter(|(name, _)| names(source, name));
        let named = named.map(|(_, place)| *place).filter(|own| *own != place);
        after.extend((0..place).chain(named));
    }
    after
}

/// Whether an expression may mean this node: its name is in it, and is no part of another word.
fn names(source: &str, name: &str) -> bool {
    let is_word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let bytes = source.as_bytes();
    source.match_indices(name).any(|(start, _)| {
        let before = start.checked_sub(1).and_then(|place| bytes.get(place));
        !is_word(before) && !is_word(bytes.get(start + name.len()))
    })
}

/// The nodes that the placeholders of a tree read.
fn read_by(tree: &TemplateTree) -> impl Iterator<Item = &str> {
    let paths = tree.placeholders().into_iter().flat_map(Placeholder::paths);
    paths.filter_map(|path: &Path| match path.parts() {
        [root, name, ..] if root == RESULTS => Some(name.as_str()),
        _ => None,
    })
}

/// The nodes that wait for each other: what is left when all that can run has run.
fn cycle(nodes: &[PlannedNode]) -> Option<BatchMistake> {
    let mut left: BTreeSet<usize> = (0..nodes.len()).collect();
    loop {
        let can_run = |place: &usize| {
            let node = nodes.get(*place);
            node.is_none_or(|node| node.after.is_disjoint(&left))
        };
        let ready: Vec<usize> = left.iter().copied().filter(|own| can_run(own)).collect();
        if ready.is_empty() {
            break;
        }
        for place in ready {
            left.remove(&place);
        }
    }
    let names = left.iter().filter_map(|place| nodes.get(*place));
    let names: Vec<&str> = names.map(|node| node.name.as_str()).collect();
    let message = format!(
        "wait for each other, or for themselves: {}",
        names.join(", ")
    );
    (!names.is_empty()).then(|| mistake(RESULTS, message))
}

fn mistake(path: &str, message: impl Into<String>) -> BatchMistake {
    BatchMistake {
        path: path.to_owned(),
        message: message.into(),
    }
}
