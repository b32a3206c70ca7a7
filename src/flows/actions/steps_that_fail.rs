//! The steps that send requests, and what follows where the provider does not answer one: the action fails, another request is
//! sent (`any_of`), or the step gives null (`optional`).

use serde_json::{Map, Value, json};

use crate::config::action::{OnFailure, StepConfig, StepKind};
use crate::error::{AnsweredBy, Code, Failure, Remote};
use crate::flows::actions::run::Run;
use crate::flows::call::account::LiveAccount;
use crate::flows::call::step::Answered;
use crate::json::Exact;
use crate::ports::System;

/// The status of a failure that is in an answer with a success status, as for `error_expression`.
const IN_BODY: u16 = 502;

impl<A: LiveAccount> Run<'_, A> {
    /// Runs a step that sends requests. Where none of its alternatives runs, what was before it stays.
    pub(super) async fn answered(&mut self, step: &StepConfig, at: &str) -> Result<(), Failure> {
        let outcome = match &step.kind {
            StepKind::AnyOf(steps) => self.any_of(steps, at).await,
            _ => self.sent(step).await.map(Some),
        };
        match outcome {
            Ok(Some(answered)) => self.previous = answered,
            Ok(None) => {}
            Err(failure) if step.on_failure == OnFailure::Null && is_providers(&failure) => {
                self.passed_over(&failure, at);
                self.previous.value = Exact::default();
                self.previous.headers = Value::Object(Map::new());
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// The first answer of these requests. Fails as the last one that was sent.
    async fn any_of(
        &mut self,
        steps: &[StepConfig],
        at: &str,
    ) -> Result<Option<Answered>, Failure> {
        let mut last = None;
        for (index, step) in steps.iter().enumerate() {
            if !self.runs(step)? {
                continue;
            }
            if let Some((index, failure)) = last.take() {
                self.passed_over(&failure, &format!("{at}.any_of[{index}]"));
            }
            self.check_time()?;
            match self.sent(step).await {
                Ok(answered) => return Ok(Some(answered)),
                Err(failure) if is_providers(&failure) => last = Some((index, failure)),
                Err(failure) => return Err(failure),
            }
        }
        last.map_or(Ok(None), |(_, failure)| Err(failure))
    }

    /// The answer to a request, if its `ok_when` accepts it.
    async fn sent(&mut self, step: &StepConfig) -> Result<Answered, Failure> {
        self.count()?;
        let answered = match &step.kind {
            StepKind::Request(method) => self.request(method).await?,
            StepKind::Call(call) => self.call(call).await?,
            _ => {
                return Err(Failure::new(
                    Code::BadIntegration,
                    "Only a request can be sent.",
                ));
            }
        };
        self.requests += 1;
        let Some(condition) = &step.ok_when else {
            self.steps += 1;
            return Ok(answered);
        };
        // The condition sees the answer as the next step would.
        let before = std::mem::replace(&mut self.previous, answered);
        let is_ok = self.is_true(condition);
        let answered = std::mem::replace(&mut self.previous, before);
        if is_ok? {
            self.steps += 1;
            return Ok(answered);
        }
        let (account, context) = (self.account, self.context.whole());
        let redactor = account.redactor(&self.resolved.compiled, context);
        Err(redactor.failure(not_ok(&answered)))
    }

    /// Logs a failure that the action survives. Its text can hold what the provider said, so it stays out.
    fn passed_over(&mut self, failure: &Failure, at: &str) {
        self.steps += 1;
        if failure.write_made().is_some() {
            self.has_written.set(true);
        }
        self.account.system().log(&json!({
            "level": "info", "event": "action_step_passed_over", "integration": self.resolved.integration.name,
            "integrated_account_id": self.loaded.account.id, "at": at, "code": failure.code.as_str(), "status": failure.status(),
        }));
    }
}

/// Whether the provider is why the step failed. Faults of the file, of the account and of the gateway end the action.
fn is_providers(failure: &Failure) -> bool {
    failure.code.as_str().starts_with("provider.")
}

fn not_ok(answered: &Answered) -> Failure {
    let message = "The provider's answer does not meet `ok_when` of the step; raw_response has it.";
    Failure {
        remote: Some(Box::new(Remote {
            status: IN_BODY,
            raw_response: answered.value.to_string(),
            headers: http::HeaderMap::new(),
            answered_by: AnsweredBy::Provider,
        })),
        ..Failure::new(Code::ErrorInBody, message)
    }
}
