//! Runs the nodes of a batch: those whose predecessors have succeeded in parallel, as many calls at a time as the account
//! has connections.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use crate::batch::{BatchPlan, PlannedNode, SentNode};
use crate::error::{Code, Failure};
use crate::expression::{
    ExpressionError, ExpressionScope, Moment, RenderError, RenderRoom, TemplateScope, TemplateTree,
    effort,
};
use crate::flows::agents::agent_call::AgentCall;
use crate::flows::agents::batch::calls::{NodeCall, NodeCallResult, run_call};
use crate::flows::agents::batch::results::{BatchResults, NodeState};
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::take_built;
use crate::flows::base::moment::moment;
use crate::flows::call::account::CallAccount;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::json::exact;
use crate::ports::{Body, Budget, HandOver, Outside, Pages, Storage};
use crate::settings::{BATCH_CALLS, CALL_SLOTS};
use crate::time::Timestamp;
use crate::tools::arguments::query_of;

/// A batch that runs.
pub(super) struct BatchRun<'b, O: Outside, S: Storage> {
    pub(super) calls: &'b Rc<AccountCalls<O, S>>,
    pub(super) hand_over: &'b HandOver,
    pub(super) resolved: &'b ResolvedConfig,
    pub(super) max_retries: Option<u32>,
    pub(super) deadline: Timestamp,
    pub(super) plan: &'b BatchPlan,
    pub(super) results: BatchResults,
    /// The node whose calls wait for a connection. The next is evaluated when they have one.
    pub(super) waiting: Option<WaitingCalls>,
    /// Calls that may still be made.
    pub(super) calls_left: usize,
    /// Whether a call was begun.
    pub(super) has_begun: bool,
    /// What is left for expressions and texts with placeholders.
    pub(super) steps: Cell<u64>,
}

/// The calls of a node that wait for a connection.
pub(super) struct WaitingCalls {
    place: usize,
    items: std::vec::IntoIter<Value>,
    #[expect(dead_code, reason = "holding it keeps the items counted")]
    room: Room,
}

impl<'b, O: Outside, S: Storage> BatchRun<'b, O, S> {
    /// Runs all nodes → the answer as JSON text.
    pub(super) async fn run(mut self) -> Vec<u8> {
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < CALL_SLOTS {
                let Some((place, item)) = self.next_item() else {
                    break;
                };
                match self.prepared(place, item) {
                    Ok(call) => running.push(self.run_node_call(place, call)),
                    Err(failure) => self.results.fail(place, &failure),
                }
            }
            match running.next().await {
                Some((place, result)) => self.results.take(place, result),
                None => break,
            }
        }
        self.results.into_text(self.plan)
    }

    fn run_node_call(
        &self,
        place: usize,
        call: NodeCall<O, S>,
    ) -> impl Future<Output = (usize, NodeCallResult)> + use<'b, O, S> {
        let (calls, hand_over, deadline) = (self.calls, self.hand_over, self.deadline);
        async move { (place, run_call(calls, hand_over, call, deadline).await) }
    }

    /// The next call: its node, and its item.
    fn next_item(&mut self) -> Option<(usize, Value)> {
        loop {
            if let Some(waiting) = &mut self.waiting
                && let Some(item) = waiting.items.next()
            {
                return Some((waiting.place, item));
            }
            self.waiting = None;
            let place = self.results.next_ready(self.plan)?;
            self.begin(place);
        }
    }

    /// Begins a node that waits for nothing more.
    fn begin(&mut self, place: usize) {
        match self.waiting_calls(place) {
            Ok(None) => self.results.set(place, NodeState::LeftOut),
            Ok(Some(waiting)) => {
                let count = waiting.items.len();
                self.results.set(place, NodeState::Running(count));
                self.calls_left -= count;
                self.waiting = Some(waiting);
            }
            Err(failure) => {
                self.results.set(place, NodeState::Running(1));
                self.results.fail(place, &failure);
            }
        }
    }

    /// The calls of a node; `None` where `run_if` leaves it out.
    fn waiting_calls(&mut self, place: usize) -> Result<Option<WaitingCalls>, Failure> {
        self.check_time()?;
        let Some(items) = self.items(place)? else {
            return Ok(None);
        };
        if items.len() > self.calls_left {
            let message = format!(
                "The node makes {} calls; of the {BATCH_CALLS} of a batch {} are left.",
                items.len(),
                self.calls_left
            );
            return Err(Failure::new(Code::NotReached, message));
        }
        let room = self.calls.room();
        items.iter().try_for_each(|item| take_built(item, &room))?;
        Ok(Some(WaitingCalls {
            place,
            items: items.into_iter(),
            room,
        }))
    }

    /// The items that a node is called for; `None` where `run_if` leaves it out.
    fn items(&mut self, place: usize) -> Result<Option<Vec<Value>>, Failure> {
        let plan = self.plan;
        let node = planned_node(plan, place)?;
        if let Some(condition) = &node.node.run_if {
            let runs = self.evaluated(node, "run_if", |scope, moment| {
                condition.is_true(scope, moment)
            });
            if !runs? {
                return Ok(None);
            }
        }
        let Some(expression) = &node.node.loop_on else {
            return Ok(Some(vec![Value::Null]));
        };
        let items = self.evaluated(node, "loop_on", |scope, moment| {
            expression.evaluate(scope, moment)
        });
        Ok(Some(match items? {
            Some(Value::Array(items)) => items,
            Some(Value::Null) | None => Vec::new(),
            Some(item) => vec![item],
        }))
    }

    fn evaluated<T>(
        &mut self,
        node: &PlannedNode,
        key: &str,
        evaluate: impl FnOnce(&ExpressionScope<'_>, &Moment) -> Result<T, ExpressionError>,
    ) -> Result<T, Failure> {
        self.check_steps()?;
        let (steps, moment) = (&self.steps, moment(self.calls.system()));
        let result = self.results.read_by(self.plan, node, |scope| {
            effort::counted(steps, || evaluate(scope, &moment))
        });
        result.map_err(|error| Failure::new(Code::Invalid, format!("{key} failed: {error}")))
    }

    fn check_steps(&self) -> Result<(), Failure> {
        let message = "The expressions and placeholders of the batch took all of its steps.";
        let is_left = self.steps.get() > 0;
        is_left
            .then_some(())
            .ok_or_else(|| Failure::new(Code::NotReached, message))
    }

    fn check_time(&self) -> Result<(), Failure> {
        let message = "The batch did not get to this call in time: x-timeout-ms.";
        let is_in_time = self.calls.system().now() < self.deadline;
        is_in_time
            .then_some(())
            .ok_or_else(|| Failure::new(Code::NotReached, message))
    }

    /// The call of a node for an item.
    fn prepared(&mut self, place: usize, item: Value) -> Result<NodeCall<O, S>, Failure> {
        self.check_time()?;
        self.check_steps()?;
        let node = &planned_node(self.plan, place)?.node;
        let config = &self.resolved.compiled.config;
        let method = config.method(&node.resource, &node.method);
        let method = method.ok_or_else(|| Failure::not_found("method"))?;
        let most = self.results.left(place);
        let budget = Budget {
            timeout: self.deadline.since(self.calls.system().now()),
            max_retries: self.max_retries,
        };
        let (token, pages) = (self.hand_over.token.clone(), (budget, Pages::All));
        let scope = TemplateScope::new(self.results.root_for(item));
        // Also what is not sent in the end was read and written.
        let made = effort::counted(&self.steps, || {
            let _ = effort::take(length(node));
            let call = rendered(node, &scope)?;
            call.into_call(&**self.calls, (config, method), pages, token)
        });
        self.check_steps()?;
        let call = made?;
        let body = match &call.body {
            Body::Bytes(bytes) => bytes.len(),
            Body::Empty | Body::Stream(_) => 0,
        };
        let room = self.calls.room();
        room.take(body)?;
        Ok(NodeCall {
            call,
            most,
            room,
            is_charged: std::mem::replace(&mut self.has_begun, true),
        })
    }
}

fn planned_node(plan: &BatchPlan, place: usize) -> Result<&PlannedNode, Failure> {
    let node = plan.nodes.get(place);
    node.ok_or_else(|| Failure::new(Code::Internal, "A batch lost a node."))
}

/// Steps of reading what a call is made of.
fn length(node: &SentNode) -> u64 {
    let trees = [&node.id, &node.query, &node.body];
    let lengths = trees.into_iter().flatten().map(TemplateTree::length);
    lengths.sum::<usize>() as u64
}

/// A call with its placeholders filled.
fn rendered(node: &SentNode, scope: &TemplateScope<'_>) -> Result<AgentCall, Failure> {
    let render = |tree: &Option<TemplateTree>, key: &str, room: RenderRoom| {
        let tree = tree.as_ref();
        let rendered = tree.map(|tree| tree.render_in(room, scope)).transpose();
        rendered
            .map(Option::flatten)
            .map_err(|error| not_rendered(key, &error))
    };
    let id = render(&node.id, "id", RenderRoom::url())?;
    let query = render(&node.query, "query", RenderRoom::url())?;
    let query = query.as_ref().map(|query| query_of(query.inside()));
    let query = query.transpose();
    Ok(AgentCall {
        resource: node.resource.clone(),
        method: node.method.clone(),
        id: id.map(|id| exact::text(id.inside()).into_owned()),
        query: query
            .map_err(|error| not_rendered("query", &error))?
            .unwrap_or_default(),
        body: render(&node.body, "body", RenderRoom::body())?,
    })
}

fn not_rendered(key: &str, error: &RenderError) -> Failure {
    let code = if error.is_missing() {
        Code::MissingValue
    } else {
        Code::Invalid
    };
    Failure::new(code, format!("{key}: {error}."))
}
