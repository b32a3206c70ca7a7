//! What the nodes of a batch gave, and which of them can run.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::batch::BatchPlan;
use crate::error::{Code, Failure};
use crate::flows::agents::batch::calls::NodeCallResult;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::parse_counted;
use crate::flows::base::reply::raw;
use crate::json::quoted;
use crate::settings::{BATCH_BYTES, EXPRESSION_VALUES};

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
    /// Records, one a line.
    lines: String,
    /// Errors, as JSON texts.
    errors: Vec<String>,
}

/// The results of all nodes.
pub(super) struct BatchResults {
    nodes: Vec<NodeResult>,
    /// What placeholders and expressions read: `resources` has the results of nodes that others wait for; `args`; `item`.
    root: Value,
    /// Bytes of all records together.
    bytes: usize,
    /// Holds these bytes, and the values in `root`.
    room: Room,
}

impl BatchResults {
    pub(super) fn new(plan: &BatchPlan, room: Room) -> Self {
        let empty = |_| NodeResult {
            state: NodeState::Waiting,
            lines: String::new(),
            errors: Vec::new(),
        };
        Self {
            nodes: plan.nodes.iter().map(empty).collect(),
            root: json!({ "resources": {}, "args": plan.args, "item": null }),
            bytes: 0,
            room,
        }
    }

    /// The root `resources`.
    pub(super) fn values(&self) -> &Value {
        self.root.get("resources").unwrap_or(&Value::Null)
    }

    /// The roots of placeholders, for this item.
    pub(super) fn root_for(&mut self, item: Value) -> &Value {
        if let Some(place) = self.root.get_mut("item") {
            *place = item;
        }
        &self.root
    }

    /// The bytes that a further result may have.
    pub(super) fn bytes_left(&self) -> usize {
        BATCH_BYTES.saturating_sub(self.bytes)
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

    pub(super) fn has_ready(&self, plan: &BatchPlan) -> bool {
        let nodes = plan.nodes.iter().enumerate();
        let mut waiting = nodes.filter(|(place, _)| self.state(*place) == NodeState::Waiting);
        waiting.any(|(_, node)| node.after.iter().all(|before| self.is_settled(*before)))
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
            if self.values().get(&planned.name).is_some() {
                continue;
            }
            let list = listed(&result.lines);
            match parse_counted(list.as_bytes(), EXPRESSION_VALUES, &self.room) {
                Ok(value) => {
                    if let Some(Value::Object(values)) = self.root.get_mut("resources") {
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
    pub(super) fn take(&mut self, place: usize, result: NodeCallResult) {
        self.bytes += result.lines.len();
        let fits = self.bytes <= BATCH_BYTES && self.room.take(result.lines.len()).is_ok();
        if let Some(node) = self.nodes.get_mut(place).filter(|_| fits) {
            let lines = String::from_utf8_lossy(&result.lines);
            let (whole, _) = lines.rsplit_once('\n').unwrap_or_default();
            if !whole.is_empty() {
                node.lines.push_str(whole);
                node.lines.push('\n');
            }
        }
        match result
            .failure
            .or_else(|| (!fits).then(super::calls::too_large))
        {
            Some(failure) => self.fail(place, &failure),
            None => self.end_one(place, NodeState::Done),
        }
    }

    /// Notes that a call of a node failed.
    pub(super) fn fail(&mut self, place: usize, failure: &Failure) {
        if let Some(node) = self.nodes.get_mut(place) {
            node.errors.push(error_text(failure));
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

    /// `{result, errors}` by the names of the nodes.
    pub(super) fn into_text(self, plan: &BatchPlan) -> String {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        for (planned, node) in plan.nodes.iter().zip(&self.nodes) {
            let name = quoted(&planned.name);
            if planned.node.persist != Some(false) && node.state != NodeState::LeftOut {
                results.push(format!("{name}:{}", listed(&node.lines)));
            }
            if !node.errors.is_empty() {
                errors.push(format!("{name}:[{}]", node.errors.join(",")));
            }
        }
        format!(
            r#"{{"result":{{{}}},"errors":{{{}}}}}"#,
            results.join(","),
            errors.join(",")
        )
    }
}

/// Lines as a JSON array.
fn listed(lines: &str) -> String {
    format!("[{}]", lines.trim_end_matches('\n').replace('\n', ","))
}

/// The parts of the error envelope that say what failed.
fn error_text(failure: &Failure) -> String {
    let error = json!({
        "statusCode": failure.status(), "code": failure.code.as_str(), "message": failure.message,
        "is_remote_error": failure.remote.is_some(), "details": failure.details, "retry_after": failure.retry_after,
    });
    let raw = failure.remote.as_ref().map(|own| raw(&own.raw_response));
    let raw = raw.as_deref().map_or("null", RawValue::get);
    let error = error.to_string();
    let open = error.strip_suffix('}').unwrap_or_default();
    format!(r#"{open},"raw_response":{raw}}}"#)
}
