//! How a run is reported: in the failure of an action, and in an account's `last_action_run_result`.

use serde_json::{Map, Value, json};

use crate::error::Failure;
use crate::flows::actions::ActionOutcome;
use crate::time::Timestamp;

/// An account's `last_action_run_result`: `{action, success, steps, error?: {code, message}, at}`. The result of the
/// action is left out: it may hold personal data.
pub fn run_result(action: &str, outcome: &Result<ActionOutcome, Failure>, at: Timestamp) -> Value {
    match outcome {
        Ok(outcome) => {
            json!({ "action": action, "success": true, "steps": outcome.steps, "at": at })
        }
        Err(failure) => json!({
            "action": action, "success": false, "steps": steps_of(failure), "at": at,
            "error": { "code": failure.code.as_str(), "message": failure.message },
        }),
    }
}

/// Adds the place of the failed step, and how many steps had run before it.
pub(in crate::flows) fn with_place(mut failure: Failure, at: &str, steps: usize) -> Failure {
    let details = failure
        .details
        .get_or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(details) = details {
        details.insert("at".to_owned(), json!(at));
        details.insert("steps".to_owned(), json!(steps));
    }
    failure
}

fn steps_of(failure: &Failure) -> u64 {
    let steps = failure
        .details
        .as_ref()
        .and_then(|details| details.get("steps"));
    steps.and_then(Value::as_u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_run_is_reported_without_its_result() {
        let at = Timestamp::from_millis(0);
        let outcome = ActionOutcome {
            result: json!({ "secret": "s" }).into(),
            headers: json!({}),
            written: std::collections::BTreeSet::new(),
            copied: std::collections::BTreeSet::new(),
            context: Some(json!({ "api_key": "k" })),
            steps: 2,
            requests: 0,
            has_written: false,
        };
        assert_eq!(
            run_result("sync", &Ok(outcome), at),
            json!({ "action": "sync", "success": true, "steps": 2, "at": "1970-01-01T00:00:00.000Z" })
        );
        let failure = with_place(
            Failure::invalid("context", "is too large"),
            "config.actions.sync",
            1,
        );
        assert_eq!(
            failure.details.as_ref().unwrap()["failures"][0]["path"],
            "context"
        );
        assert_eq!(
            run_result("sync", &Err(failure), at),
            json!({
                "action": "sync", "success": false, "steps": 1, "at": "1970-01-01T00:00:00.000Z",
                "error": { "code": "caller.invalid", "message": "context: is too large" },
            })
        );
        let failure = Failure::new(Code::Unreachable, "gone");
        assert_eq!(run_result("sync", &Err(failure), at)["steps"], 0);
    }
}
