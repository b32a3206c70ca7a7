//! What the nodes of a batch gave, and which of them can run.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::batch::{BatchPlan, PlannedNode};
use crate::error::{Code, Failure};
use crate::expression::ExpressionScope;
use crate::flows::agents::batch::calls::{NodeCallResult, error_text, too_large, too_many};
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::parse_counted;
use crate::json::quoted;
use crate::settings::{BATCH_BYTES, BATCH_RECORDS, EXPRESSION_VALUES};

/// How far a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodeState {
    /// It waits for others.
    Waiting,
    /// So many of its calls have not ended.
    Running(usize),
    /// All calls succeeded.
    Done,
    /// Its `run_if` left it out.
    LeftOut,
    /// A call failed, or a node before it.
    Failed,
}

struct NodeResult {
    state: NodeState,
    /// What its calls gave, each with the room that holds it.
    parts: Vec<NodeCallResult>,
    /// Their records.
    records: usize,
    /// Errors, as JSON texts.
    errors: Vec<String>,
}

/// The results of all nodes.
pub(super) struct BatchResults {
    nodes: Vec<NodeResult>,
    /// What placeholders and expressions read: `resources` has the results of nodes that others wait for; `args`; `item`.
    root: Value,
    /// Bytes of all records and errors together.
    bytes: usize,
    /// Holds the errors, and the values in `root`.
    room: Room,
}

impl BatchResults {
    pub(super) fn new(plan: &BatchPlan, args: Value, room: Room) -> Self {
        let empty = |_| NodeResult {
            state: NodeState::Waiting,
            parts: Vec::new(),
            records: 0,
            errors: Vec::new(),
        };
        let mut values = Map::new();
        values.insert("resources".to_owned(), json!({}));
        values.insert("args".to_owned(), args);
        values.insert("item".to_owned(), Value::Null);
        Self {
            nodes: plan.nodes.iter().map(empty).collect(),
            root: Value::Object(values),
            bytes: 0,
            room,
        }
    }

    /// What an expression of this node reads: the results of the nodes that it waits for.
    pub(super) fn read_by<T>(
        &mut self,
        plan: &BatchPlan,
        node: &PlannedNode,
        read: impl FnOnce(&ExpressionScope<'_>) -> T,
    ) -> T {
        let awaited = node.after.iter().filter_map(|place| plan.nodes.get(*place));
        let awaited: BTreeSet<&str> = awaited.map(|node| node.name.as_str()).collect();
        let all = self.values().map(std::mem::take).unwrap_or_default();
        let (seen, others): (Map<_, _>, Map<_, _>) = all
            .into_iter()
            .partition(|(name, _)| awaited.contains(name.as_str()));
        let seen = Value::Object(seen);
        let args = self.root.get("args").unwrap_or(&Value::Null);
        let result = read(&ExpressionScope::batch(&seen, args));
        if let (Some(all), Value::Object(seen)) = (self.values(), seen) {
            all.extend(seen.into_iter().chain(others));
        }
        result
    }

    /// The root `resources`.
    fn values(&mut self) -> Option<&mut Map<String, Value>> {
        self.root
            .get_mut("resources")
            .and_then(Value::as_object_mut)
    }

    /// The roots of placeholders, for this item.
    pub(super) fn root_for(&mut self, item: Value) -> &Value {
        if let Some(place) = self.root.get_mut("item") {
            *place = item;
        }
        &self.root
    }

    /// The bytes and records that a further result of a node may have.
    pub(super) fn left(&self, place: usize) -> (usize, usize) {
        let records = self.nodes.get(place).map_or(0, |node| node.records);
        (
            BATCH_BYTES.saturating_sub(self.bytes),
            BATCH_RECORDS.saturating_sub(records),
        )
    }

    pub(super) fn set(&mut self, place: usize, state: NodeState) {
        if let Some(node) = self.nodes.get_mut(place) {
            node.state = match state {
                NodeState::Running(0) => NodeState::Done,
                state => state,
            };
        }
    }

    fn state(&self, place: usize) -> NodeState {
        let node = self.nodes.get(place);
        node.map_or(NodeState::Failed, |node| node.state)
    }

    fn is_settled(&self, place: usize) -> bool {
        !matches!(
            self.state(place),
            NodeState::Waiting | NodeState::Running(_)
        )
    }

    /// A node whose predecessors have all succeeded, or were left out. Those behind a failed one fail here.
    pub(super) fn next_ready(&mut self, plan: &BatchPlan) -> Option<usize> {
        for (place, node) in plan.nodes.iter().enumerate() {
            let is_waiting = self.state(place) == NodeState::Waiting;
            if !is_waiting || !node.after.iter().all(|before| self.is_settled(*before)) {
                continue;
            }
            let mut before = node.after.iter();
            let failed = before.find(|before| self.state(**before) == NodeState::Failed);
            let failed = failed.and_then(|failed| plan.nodes.get(*failed));
            match failed {
                None => {
                    self.read_before(plan, place);
                    if self.state(place) == NodeState::Waiting {
                        return Some(place);
                    }
                }
                Some(failed) => {
                    let message = format!("It depends on {}, which failed.", failed.name);
                    self.set(place, NodeState::Running(1));
                    self.fail(place, &Failure::new(Code::NotReached, message));
                }
            }
            // A node that failed settles others, which may come before it.
            return self.next_ready(plan);
        }
        None
    }

    /// Builds the values of the nodes that this one reads.
    fn read_before(&mut self, plan: &BatchPlan, place: usize) {
        let Some(node) = plan.nodes.get(place) else {
            return;
        };
        for before in &node.after {
            let names = plan.nodes.get(*before).zip(self.nodes.get(*before));
            let Some((planned, result)) = names else {
                continue;
            };
            let known = self.root.pointer("/resources");
            if known.is_some_and(|own| own.get(&planned.name).is_some()) {
                continue;
            }
            let mut list = Vec::new();
            result.write(&mut list);
            match parse_counted(&list, EXPRESSION_VALUES, &self.room) {
                Ok(value) => {
                    if let Some(values) = self.values() {
                        values.insert(planned.name.clone(), value);
                    }
                }
                Err(error) => {
                    let message = error.of_caller(&format!("The result of {}", planned.name));
                    self.set(place, NodeState::Running(1));
                    self.fail(place, &Failure::new(Code::AnswerTooLarge, message.message));
                    return;
                }
            }
        }
    }

    /// Adds what a call of a node gave.
    pub(super) fn take(&mut self, place: usize, mut result: NodeCallResult) {
        // Calls in parallel began with the same number left.
        let (_, most) = self.left(place);
        let records = result.cut_to(most);
        let fits = self.bytes + result.lines.len() <= BATCH_BYTES;
        let failure = result.failure.take();
        if let Some(node) = self.nodes.get_mut(place).filter(|_| fits) {
            self.bytes += result.lines.len();
            node.records += records.min(most);
            node.parts.push(result);
        }
        let failure = failure.or_else(|| (!fits).then(too_large));
        match failure.or_else(|| (records > most).then(too_many)) {
            Some(failure) => self.fail(place, &failure),
            None => self.end_one(place, NodeState::Done),
        }
    }

    /// Notes that a call of a node failed.
    pub(super) fn fail(&mut self, place: usize, failure: &Failure) {
        let mut text = error_text(failure);
        if self.bytes + text.len() <= BATCH_BYTES && self.room.take(2 * text.len()).is_ok() {
            self.bytes += text.len();
        } else {
            let message = "There is no room for what this error says.";
            text = error_text(&Failure::new(failure.code, message));
        }
        if let Some(node) = self.nodes.get_mut(place) {
            node.errors.push(text);
        }
        self.end_one(place, NodeState::Failed);
    }

    fn end_one(&mut self, place: usize, end: NodeState) {
        let Some(node) = self.nodes.get_mut(place) else {
            return;
        };
        let has_failed = !node.errors.is_empty() || end == NodeState::Failed;
        node.state = match node.state {
            NodeState::Running(left) if left > 1 => NodeState::Running(left - 1),
            _ if has_failed => NodeState::Failed,
            _ => NodeState::Done,
        };
    }

    /// `{result, errors}` by the names of the nodes, as JSON text.
    pub(super) fn into_text(self, plan: &BatchPlan) -> Vec<u8> {
        let mut text = br#"{"result":{"#.to_vec();
        let nodes = || plan.nodes.iter().zip(&self.nodes);
        let is_shown = |planned: &PlannedNode, node: &NodeResult| {
            planned.node.persist != Some(false) && node.state != NodeState::LeftOut
        };
        for (planned, node) in nodes().filter(|(planned, node)| is_shown(planned, node)) {
            begin_entry(&mut text, &planned.name);
            node.write(&mut text);
        }
        text.extend_from_slice(br#"},"errors":{"#);
        for (planned, node) in nodes().filter(|(_, node)| !node.errors.is_empty()) {
            begin_entry(&mut text, &planned.name);
            text.extend_from_slice(format!("[{}]", node.errors.join(",")).as_bytes());
        }
        text.extend_from_slice(b"}}");
        text
    }
}

impl NodeResult {
    /// Writes its records as a JSON array.
    fn write(&self, text: &mut Vec<u8>) {
        text.push(b'[');
        let begin = text.len();
        for part in &self.parts {
            let bytes = part.lines.iter();
            text.extend(bytes.map(|byte| if *byte == b'\n' { b',' } else { *byte }));
        }
        if text.len() > begin {
            text.pop();
        }
        text.push(b']');
    }
}

fn begin_entry(text: &mut Vec<u8>, name: &str) {
    if text.last() != Some(&b'{') {
        text.push(b',');
    }
    text.extend_from_slice(quoted(name).as_bytes());
    text.push(b':');
}
