//! Runs a batch.

mod calls;
mod results;
mod run;

use std::cell::Cell;
use std::rc::Rc;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::Value;

use crate::batch::{BatchMistake, BatchPlan, SentBatch};
use crate::config::Config;
use crate::error::{Complaint, Failure};
use crate::expression::effort;
use crate::flows::agents::batch::results::BatchResults;
use crate::flows::agents::batch::run::BatchRun;
use crate::flows::base::body;
use crate::flows::base::memory::values::parse_counted;
use crate::flows::call::account::{CallAccount, LiveAccount};
use crate::flows::call::account_calls::AccountCalls;
use crate::json::typed;
use crate::json::{inexact_as_texts, is_deeper};
use crate::ports::{Body, Budget, HandOver, Incoming, Outside, Reply, Storage};
use crate::proxy::headers::keep_harmless;
use crate::settings::{ADMIN_BODY_BYTES, ADMIN_BODY_DEPTH, BATCH_CALLS, BATCH_STEPS, BODY_VALUES};

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
    let steps = Cell::new(BATCH_STEPS);
    let planned = effort::counted(&steps, || planned(&value, &resolved.compiled.config));
    if steps.get() == 0 {
        let message = "too many or too long expressions";
        return Err(Failure::invalid("resources", message));
    }
    let mut plan = planned?;
    drop(value);
    let args = std::mem::take(&mut plan.args);
    let batch = BatchRun {
        calls,
        hand_over,
        resolved: &resolved,
        max_retries: budget.max_retries,
        deadline,
        results: BatchResults::new(&plan, args, calls.room()),
        plan: &plan,
        waiting: None,
        calls_left: BATCH_CALLS,
        has_begun: false,
        steps,
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
