//! Runs a batch: nodes whose predecessors have succeeded run in parallel, as many calls at a time as the account has
//! connections.

mod calls;
mod results;

use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

use crate::batch::{BatchMistake, BatchPlan, PlannedNode, SentBatch};
use crate::config::Config;
use crate::error::{Code, Complaint, Failure};
use crate::expression::{Expression, ExpressionScope, TemplateScope, TemplateTree};
use crate::flows::agents::agent_call::AgentCall;
use crate::flows::agents::batch::calls::{NodeCall, NodeCallResult, run_call};
use crate::flows::agents::batch::results::{BatchResults, NodeState};
use crate::flows::base::body;
use crate::flows::base::memory::values::parse_counted;
use crate::flows::base::moment::moment;
use crate::flows::call::account::{CallAccount, LiveAccount};
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::json::typed;
use crate::json::{Exact, exact, inexact_as_texts, is_deeper};
use crate::ports::{Body, Budget, HandOver, Incoming, Outside, Reply, Storage};
use crate::proxy::headers::keep_harmless;
use crate::settings::{
    ADMIN_BODY_BYTES, ADMIN_BODY_DEPTH, BATCH_CALLS, BATCH_ITEMS, BODY_VALUES, CALL_SLOTS,
};
use crate::time::Timestamp;
use crate::tools::arguments::query_of;

/// Runs the batch of a request.
pub(in crate::flows) async fn run_batch<O: Outside, S: Storage>(
    calls: &Rc<AccountCalls<O, S>>,
    hand_over: &HandOver,
    budget: Budget,
    request: Incoming<O::Stream>,
) -> Result<Reply<O::Stream>, Failure> {
    let deadline = calls.system().now().plus(budget.timeout);
    let loaded = calls.visible(&hand_over.visibility).await?;
    let room = calls.body_room();
    let (system, sent) = (calls.system(), request.body);
    let sent = body::read_until(system, sent, ADMIN_BODY_BYTES, &room, Some(deadline)).await?;
    let value = parse_counted(&inexact_as_texts(&sent), BODY_VALUES, &room);
    let value = value.map_err(|error| error.of_caller("The body"))?;
    if is_deeper(&value, ADMIN_BODY_DEPTH) {
        return Err(Failure::body_too_deep(ADMIN_BODY_DEPTH));
    }
    let resolved = calls.resolved_config(&loaded.account).await?;
    let plan = planned(&value, &resolved.compiled.config)?;
    let batch = BatchRun {
        calls,
        hand_over,
        resolved: &resolved,
        budget,
        deadline,
        results: BatchResults::new(&plan, calls.room()),
        plan: &plan,
        queue: VecDeque::new(),
        begun: 0,
    };
    let text = batch.run().await;
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    keep_harmless(&mut headers);
    Ok(Reply {
        status: StatusCode::OK,
        headers,
        body: Body::from_bytes(text),
    })
}

/// The plan of a batch whose methods the file has.
fn planned(value: &Value, config: &Config) -> Result<BatchPlan, Failure> {
    let sent: SentBatch = typed::read(value)
        .map_err(|mistake| Failure::invalid(&mistake.path(), mistake.to_string()))?;
    let plan = BatchPlan::of(sent).map_err(|mistakes| refused(&mistakes))?;
    let unknown = plan.nodes.iter().enumerate().filter_map(|(place, own)| {
        let node = &own.node;
        let is_known = config.method(&node.resource, &node.method).is_some();
        (!is_known).then(|| BatchMistake {
            path: format!("resources[{place}].method"),
            message: format!("the integration has no {}.{}", node.resource, node.method),
        })
    });
    let unknown: Vec<BatchMistake> = unknown.collect();
    if unknown.is_empty() {
        return Ok(plan);
    }
    Err(refused(&unknown))
}

fn refused(mistakes: &[BatchMistake]) -> Failure {
    let complaints = mistakes.iter().map(|own| Complaint {
        path: own.path.clone(),
        message: own.message.clone(),
    });
    Failure::invalid_in(&complaints.collect::<Vec<_>>())
}

/// A batch that runs.
struct BatchRun<'b, O: Outside, S: Storage> {
    calls: &'b Rc<AccountCalls<O, S>>,
    hand_over: &'b HandOver,
    resolved: &'b ResolvedConfig,
    budget: Budget,
    deadline: Timestamp,
    plan: &'b BatchPlan,
    results: BatchResults,
    /// Calls that wait for a connection: the node, and its item.
    queue: VecDeque<(usize, Value)>,
    /// How many calls were begun.
    begun: usize,
}

impl<'b, O: Outside, S: Storage> BatchRun<'b, O, S> {
    /// Runs all nodes → the answer as JSON text.
    async fn run(mut self) -> String {
        let mut running = FuturesUnordered::new();
        loop {
            self.begin_ready();
            while running.len() < CALL_SLOTS {
                let Some((place, item)) = self.queue.pop_front() else {
                    break;
                };
                match self.prepared(place, item) {
                    Ok(call) => running.push(self.run_node_call(place, call)),
                    Err(failure) => self.results.fail(place, &failure),
                }
            }
            match running.next().await {
                Some((place, result)) => self.results.take(place, result),
                None if self.queue.is_empty() && !self.results.has_ready(self.plan) => break,
                None => {}
            }
        }
        self.results.into_text(self.plan)
    }

    fn run_node_call(
        &self,
        place: usize,
        call: NodeCall,
    ) -> impl Future<Output = (usize, NodeCallResult)> + use<'b, O, S> {
        let (calls, hand_over, resolved) = (self.calls, self.hand_over, self.resolved);
        let (deadline, retries) = (self.deadline, self.budget.max_retries);
        async move {
            let result = run_call(calls, hand_over, resolved, call, (deadline, retries));
            (place, result.await)
        }
    }

    /// Queues the calls of every node that waits for nothing more.
    fn begin_ready(&mut self) {
        while let Some(place) = self.results.next_ready(self.plan) {
            let Some(node) = self.plan.nodes.get(place) else {
                return;
            };
            match self.items(node) {
                Ok(None) => self.results.set(place, NodeState::LeftOut),
                Ok(Some(items)) => {
                    self.results.set(place, NodeState::Running(items.len()));
                    self.queue
                        .extend(items.into_iter().map(|item| (place, item)));
                }
                Err(failure) => {
                    self.results.set(place, NodeState::Running(1));
                    self.results.fail(place, &failure);
                }
            }
        }
    }

    /// The items that a node is called for; `None` where `run_if` leaves it out.
    fn items(&self, node: &PlannedNode) -> Result<Option<Vec<Value>>, Failure> {
        if let Some(condition) = &node.node.run_if {
            let scope = self.expression_scope();
            let runs = condition.is_true(&scope, &moment(self.calls.system()));
            if !runs.map_err(|error| in_expression("run_if", &error.to_string()))? {
                return Ok(None);
            }
        }
        let Some(expression) = &node.node.loop_on else {
            return Ok(Some(vec![Value::Null]));
        };
        let items = match self.evaluated(expression)? {
            Some(Value::Array(items)) => items,
            Some(Value::Null) | None => Vec::new(),
            Some(item) => vec![item],
        };
        if items.len() > BATCH_ITEMS {
            let message = format!(
                "loop_on gives {} items; a node is called for at most {BATCH_ITEMS}.",
                items.len()
            );
            return Err(Failure::new(Code::NotReached, message));
        }
        Ok(Some(items))
    }

    fn evaluated(&self, expression: &Expression) -> Result<Option<Value>, Failure> {
        let scope = self.expression_scope();
        let result = expression.evaluate(&scope, &moment(self.calls.system()));
        result.map_err(|error| in_expression("loop_on", &error.to_string()))
    }

    fn expression_scope(&self) -> ExpressionScope<'_> {
        ExpressionScope::batch(self.results.values(), &self.plan.args)
    }

    /// The call of a node for an item, unless the batch has used up its calls or its time.
    fn prepared(&mut self, place: usize, item: Value) -> Result<NodeCall, Failure> {
        if self.calls.system().now() >= self.deadline {
            let message = "The batch did not get to this call in time: x-timeout-ms.";
            return Err(Failure::new(Code::NotReached, message));
        }
        if self.begun >= BATCH_CALLS {
            let message = format!("A batch makes at most {BATCH_CALLS} calls.");
            return Err(Failure::new(Code::NotReached, message));
        }
        self.begun += 1;
        let node = self.plan.nodes.get(place);
        let node = node.ok_or_else(|| Failure::new(Code::Internal, "A batch lost a node."))?;
        let most_bytes = self.results.bytes_left();
        let scope = TemplateScope::new(self.results.root_for(item));
        let render = |tree: &Option<TemplateTree>, key: &str| {
            let tree = tree.as_ref();
            let rendered = tree.map(|tree| tree.render(&scope)).transpose();
            rendered
                .map(Option::flatten)
                .map_err(|error| Failure::new(Code::MissingValue, format!("{key}: {error}.")))
        };
        let id = render(&node.node.id, "id")?;
        let query = render(&node.node.query, "query")?;
        Ok(NodeCall {
            call: AgentCall {
                resource: node.node.resource.clone(),
                method: node.node.method.clone(),
                id: id.map(|id| exact::text(id.inside()).into_owned()),
                query: query
                    .as_ref()
                    .map(Exact::inside)
                    .map(query_of)
                    .unwrap_or_default(),
                body: render(&node.node.body, "body")?,
            },
            most_bytes,
        })
    }
}

fn in_expression(key: &str, reason: &str) -> Failure {
    Failure::new(Code::Invalid, format!("{key} failed: {reason}"))
}
