//! The steps that send requests. Such a step is a call whose body is the result of the step before. Its placeholders
//! read the whole context as the steps before left it.

use serde_json::Value;

use crate::config::action::MethodCall;
use crate::config::resource::Method;
use crate::config::{Entries, QueryArrayFormat};
use crate::error::{Code, Failure};
use crate::expression::{RenderRoom, Rendered, TemplateScope};
use crate::flows::actions::Run;
use crate::flows::call::account::LiveAccount;
use crate::flows::call::step::{Answered, ExpectedAnswer, StepCall, call_step};
use crate::flows::call::subject::Purpose;
use crate::proxy::query::write_value;

impl<A: LiveAccount> Run<'_, A> {
    /// A request that the step defines.
    pub(in crate::flows) async fn request(&self, method: &Method) -> Result<Answered, Failure> {
        self.send(StepCall {
            errand: self.errand,
            purpose: Purpose::AsMethod,
            method,
            whole: ExpectedAnswer::Any,
            context: self.context.whole(),
            shown: self.context.shown(),
            id: Value::Null,
            query: String::new(),
            body: self.previous.value.clone(),
        })
        .await
    }

    /// A call of a resource's method. The step's id, query and body take the place of a caller's.
    pub(in crate::flows) async fn call(&self, call: &MethodCall) -> Result<Answered, Failure> {
        let config = &self.resolved.compiled.config;
        let method = config.method(&call.resource, &call.method);
        let method = method.ok_or_else(|| {
            let message = format!(
                "The action calls `{}` of `{}`, which the integration does not have.",
                call.method, call.resource
            );
            Failure::new(Code::BadIntegration, message)
        })?;
        let scope = self.scope();
        let id = call.id.as_ref().map(|id| id.render(&scope)).transpose()?;
        let body = match &call.body {
            Some(tree) => tree.render(&scope)?.unwrap_or_default(),
            None => self.previous.value.clone(),
        };
        self.send(StepCall {
            errand: self.errand,
            purpose: Purpose::of_method(&call.method),
            method,
            whole: if call.method == "list" {
                ExpectedAnswer::List
            } else {
                ExpectedAnswer::Any
            },
            context: self.context.whole(),
            shown: self.context.shown(),
            id: match id {
                Some(Rendered::Value(id)) => id,
                Some(Rendered::Dropped) | None => Value::Null,
            },
            query: raw_query(&call.query, &scope)?,
            body,
        })
        .await
    }

    async fn send(&self, call: StepCall<'_>) -> Result<Answered, Failure> {
        let writes = call.purpose.writes(&call.method.method.0);
        let (account, loaded, resolved) = (self.account, self.loaded, self.resolved);
        let answered = call_step(account, loaded, resolved, call, self.deadline).await?;
        self.has_written.set(self.has_written.get() || writes);
        Ok(answered)
    }

    fn scope(&self) -> TemplateScope<'_> {
        let compiled = &self.resolved.compiled;
        compiled
            .scope(self.context.whole(), self.context.shown())
            .with_exact_body(&self.previous.value)
    }
}

/// The query of a call. An entry without a value is left out, as in every query map.
pub(in crate::flows) fn raw_query(
    entries: &Entries,
    scope: &TemplateScope,
) -> Result<String, Failure> {
    let room = RenderRoom::url();
    let mut pieces = Vec::new();
    for (name, template) in entries {
        let Some(template) = template else { continue };
        match template.query(scope, &room) {
            Ok(Some(value)) => pieces.extend(write_value(name, &value, QueryArrayFormat::Repeat)),
            Ok(None) => {}
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(pieces.join("&"))
}
