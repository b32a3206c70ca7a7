//! JSONata expressions: compiled while they are read, bounded while they run,
//! and the same for the same [`Moment`]. The engine (`jsonata-core`) is named
//! in this folder only, so that it can be changed in one place.

mod compiled;
mod convert;
mod error;
mod failure;
mod flow;
mod foresight;
mod functions;
mod inputs;
pub mod limits;
mod links;
mod literals;
mod metering;
mod roots;
mod signatures;
mod syntax;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::value::JValue;
use serde_json::Value;

use crate::json::text_type;

use super::effort;
use super::scope::{ExpressionScope, ScopeInput};
use super::template::Template;

use self::compiled::CompiledTrees;
use self::convert::InputNumbers;
pub use self::error::ExpressionError;
pub use self::flow::Flow;
use self::metering::Meter;
use self::syntax::path_source;

/// What an expression knows of time and chance. The same moment gives the
/// same result.
#[derive(Debug, Clone)]
pub struct Moment {
    /// Unix time in milliseconds: `$now()`, `$millis()`.
    pub now_ms: i64,
    /// The seed of `$random()`, `$shuffle()` and `$uuid()`.
    pub random: [u8; 32],
}

/// A compiled expression. Cloning shares it.
#[derive(Clone)]
pub struct Expression {
    source: Rc<str>,
    compiled: Rc<CompiledTrees>,
}

/// What an account's context is called: a variable in the steps of an action, a root elsewhere.
const CONTEXT: &str = "context";

impl Expression {
    /// Compiles a JSONata expression.
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        Self::compile(source, source)
    }

    /// Compiles an expression, reading a text that is wholly `{{path}}` as
    /// that path (docs/integration-file.md, `error_expression`).
    pub fn parse_path_or_source(source: &str) -> Result<Self, ExpressionError> {
        let template = Template::parse(source.trim()).ok();
        match template.as_ref().and_then(Template::whole_path) {
            Some(path) => Self::compile(source, &path_source(path)),
            None => Self::parse(source),
        }
    }

    fn compile(shown: &str, source: &str) -> Result<Self, ExpressionError> {
        limits::check_source(source)?;
        effort::take(limits::COMPILING_A_BYTE.saturating_mul(source.len() as u64))
            .map_err(|spent| ExpressionError::Syntax(spent.to_string()))?;
        let ast =
            literals::parse(source).map_err(|error| ExpressionError::Syntax(error.to_string()))?;
        Ok(Self {
            source: shown.into(),
            compiled: Rc::new(CompiledTrees::of(ast)?),
        })
    }

    /// The text as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Evaluates in a scope. `None` is JSONata's *undefined*, which is not
    /// `null`. Within [`effort::counted`] it takes its steps from that count.
    pub fn evaluate(
        &self,
        scope: &ExpressionScope,
        moment: &Moment,
    ) -> Result<Option<Value>, ExpressionError> {
        let mut carried = InputNumbers::default();
        let result = self.run(scope, &mut carried, moment)?;
        convert::to_value(&result, &carried)
    }

    /// Whether the result is true in JSONata's sense (`$boolean`): undefined,
    /// `null`, `0`, `""`, `[]`, `{}` and functions are false.
    pub fn is_true(
        &self,
        scope: &ExpressionScope,
        moment: &Moment,
    ) -> Result<bool, ExpressionError> {
        functions::boolean(&self.run(scope, &mut InputNumbers::default(), moment)?)
    }

    /// Whether it is true, where these roots, which are numbers, decide it alone.
    pub fn foretell(&self, known: &[(&str, u16)]) -> Option<bool> {
        let known: Vec<(&str, f64)> = known
            .iter()
            .map(|(name, number)| (*name, f64::from(*number)))
            .collect();
        foresight::truth(self.compiled.written.ast(), &known)
    }

    /// Whether it may look at one of these roots; in doubt it may.
    pub fn may_see(&self, roots: &[&str]) -> bool {
        foresight::may_see(self.compiled.written.ast(), roots)
    }

    /// The names right below a root that it looks at; `None` where it may look at any.
    pub fn names_below(&self, root: &str) -> Option<BTreeSet<String>> {
        let steps = limits::FOLLOWING_A_BYTE.saturating_mul(self.source.len() as u64);
        effort::take(steps).ok()?;
        roots::flow(self.compiled.written.ast(), root).names
    }

    /// What it gives of `$context`, as a step of an action.
    pub fn context_variable(&self) -> Cow<'_, Flow> {
        let tree = self.compiled.written.ast();
        self.followed(&self.compiled.variable, || flow::of(tree, CONTEXT))
    }

    /// What it gives of the root `context`, as an authorization.
    pub fn context_root(&self) -> Cow<'_, Flow> {
        let tree = self.compiled.written.ast();
        self.followed(&self.compiled.root, || roots::flow(tree, CONTEXT))
    }

    /// Followed once. Where the steps do not suffice, the reader refuses the file.
    fn followed<'f>(
        &self,
        once: &'f OnceCell<Flow>,
        follow: impl FnOnce() -> Flow,
    ) -> Cow<'f, Flow> {
        if let Some(flow) = once.get() {
            return Cow::Borrowed(flow);
        }
        let steps = limits::FOLLOWING_A_BYTE.saturating_mul(self.source.len() as u64);
        match effort::take(steps) {
            Ok(()) => Cow::Borrowed(once.get_or_init(follow)),
            Err(effort::Spent) => Cow::Owned(Flow::unknown()),
        }
    }

    /// The string literals in it, their escapes undone.
    pub fn texts(&self) -> Vec<&str> {
        let mut texts = Vec::new();
        flow::texts(self.compiled.written.ast(), &mut texts);
        texts
    }

    fn run(
        &self,
        scope: &ExpressionScope,
        carried: &mut InputNumbers,
        moment: &Moment,
    ) -> Result<JValue, ExpressionError> {
        let input = match &scope.input {
            ScopeInput::Value(value) => carried.value(value),
            ScopeInput::Roots(roots) => carried.roots(roots),
        };
        let variables = variables(scope, carried);
        let given = variables.iter().map(|(_, value)| value);
        let size = convert::size(std::iter::once(&input).chain(given));
        let counted = convert::counted(size);
        let is_short = counted.is_none() && self.compiled.is_short(size);
        if is_short && variables.is_empty() {
            let written = &self.compiled.written;
            return Ok(written.evaluate_with_options(&input, options())?);
        }
        let mut evaluator = evaluator(variables);
        if is_short {
            return Ok(evaluator.evaluate(self.compiled.written.ast(), &input)?);
        }
        let most = counted.unwrap_or(limits::STEPS).min(limits::STEPS);
        let meter = Meter::with_steps(&self.compiled.table, most);
        let result = self.count(&mut evaluator, &input, &meter, moment);
        // Where that was all, the count is at its end, and the next evaluation fails.
        effort::take(most - meter.left()).ok();
        result
    }

    fn count(
        &self,
        evaluator: &mut Evaluator,
        input: &JValue,
        meter: &Rc<Meter>,
        moment: &Moment,
    ) -> Result<JValue, ExpressionError> {
        functions::register(evaluator, moment)?;
        meter.register(evaluator)?;
        evaluator.evaluate(&self.compiled.ahead, input)?;
        Ok(evaluator.evaluate(&self.compiled.counting, input)?)
    }

    /// What comes of an evaluation that may take so many steps.
    #[cfg(test)]
    pub(crate) fn value(
        &self,
        input: &JValue,
        moment: &Moment,
        most: u64,
    ) -> Result<JValue, String> {
        let meter = Meter::with_steps(&self.compiled.table, most);
        let result = self.count(&mut evaluator(Vec::new()), input, &meter, moment);
        result.map_err(|error| error.code().to_owned())
    }

    /// The steps an evaluation takes of so many, and what it failed with.
    #[cfg(test)]
    pub(crate) fn steps(
        &self,
        input: &JValue,
        moment: &Moment,
        most: u64,
    ) -> (u64, Option<String>) {
        let meter = Meter::with_steps(&self.compiled.table, most);
        let result = self.count(&mut evaluator(Vec::new()), input, &meter, moment);
        let failed = result.err().map(|error| error.code().to_owned());
        (most - meter.left(), failed)
    }
}

fn evaluator(variables: Vec<(String, JValue)>) -> Evaluator {
    let mut context = Context::new();
    for (name, value) in variables {
        context.bind(name, value);
    }
    Evaluator::with_options(context, options())
}

fn variables(scope: &ExpressionScope, carried: &mut InputNumbers) -> Vec<(String, JValue)> {
    let each = scope.variables.iter();
    each.map(|(name, value)| ((*name).to_owned(), carried.value(value)))
        .collect()
}

/// Never `timeout_ms`: it reads a clock, which panics on wasm32.
fn options() -> EvaluatorOptions {
    EvaluatorOptions {
        timeout_ms: None,
        cancel: None,
        max_stack_depth: Some(limits::STACK_DEPTH),
        max_sequence_length: Some(limits::SEQUENCE_LENGTH),
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Expression").field(&self.source).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

text_type!(
    Expression,
    read: |text| Self::parse(text),
    show: |own| own.source(),
    inline: false,
    schema: {
        "type": "string",
        "description": "A JSONata expression (https://docs.jsonata.org). What it can see is listed in docs/scopes.md."
    }
);

#[cfg(test)]
mod tests;
