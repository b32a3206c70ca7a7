//! `causeway eval`: evaluates one JSONata expression with the scope that it has in an integration file.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::path::PathBuf;
use std::time::SystemTime;

use causeway::crypto::sha256;
use causeway::expression::scope::SCOPES;
use causeway::expression::{Expression, ExpressionError, ExpressionScope, Moment};
use clap::ValueEnum;
use serde_json::Value;

use crate::input::InputValues;
use crate::problem::{Problem, RunResult};

/// Evaluate a JSONata expression as an integration file would
///
/// Prints the result as JSON, or `undefined`. The input is an object with the names that the scope has, all
/// optional; docs/scopes.md lists them. Names of headers are written in lower case, as the gateway does.
#[derive(clap::Args)]
pub struct EvalArgs {
    /// Where in the file the expression is, which decides what it sees
    #[arg(long, value_name = "NAME")]
    scope: Scope,
    /// The file with the input; standard input when absent
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// The expression; put it in single quotes, so that the shell leaves `$` alone
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    expression: String,
}

/// The scopes of `causeway::expression::scope::SCOPES`, by their names there.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scope {
    /// `error_expression`, `rate_limit`: body, headers, status
    Response,
    /// `authorization`: url, requestOptions, context
    Authorization,
    /// `dynamic` pagination before the first page: query, url, requestOptions
    FirstPage,
    /// `dynamic` pagination after a page: also body, headers, paginationValues
    NextPage,
    /// `webhook`: body, headers, query, method, context
    Webhook,
    /// `loop_on`, `run_if` of a batch: resources, args
    Batch,
    /// A step of an action, `run_if`: previous, context
    Step,
}

/// Evaluates the expression and prints the result.
pub fn run(args: &EvalArgs, out: &mut impl Write) -> Result<RunResult, Problem> {
    let source = &args.expression;
    let expression = match args.scope {
        // Here a text that is only `{{path}}` is that path.
        Scope::Response => Expression::parse_path_or_source(source),
        _ => Expression::parse(source),
    };
    let expression = expression.map_err(|error| Problem::Failed(error.to_string()))?;
    let mut input = InputValues::read(args.input.as_deref(), &known(args.scope))?;
    input.lower_header_names();
    let result = expression.evaluate(&scope(args.scope, &input)?, &moment());
    match result.map_err(|error| no_result(&error))? {
        Some(value) => writeln!(out, "{value:#}")?,
        None => writeln!(out, "undefined")?,
    }
    Ok(RunResult::Good)
}

fn no_result(error: &ExpressionError) -> Problem {
    Problem::Failed(format!("the expression has no result: {error}"))
}

/// The names of a scope; variables without their `$`.
fn known(scope: Scope) -> Vec<&'static str> {
    let value = scope.to_possible_value();
    let name = value.as_ref().map(clap::builder::PossibleValue::get_name);
    let roots = SCOPES
        .iter()
        .filter(|row| row.name == name)
        .flat_map(|row| row.roots);
    roots.map(|root| root.trim_start_matches('$')).collect()
}

/// The scope that the gateway would build. What the input leaves out is empty.
fn scope(scope: Scope, input: &InputValues) -> Result<ExpressionScope<'_>, Problem> {
    let (body, headers, query) = (body(input), input.object("headers"), input.object("query"));
    let (request, context) = (input.object("requestOptions"), input.object("context"));
    let url = input.text_or("url", "")?;
    Ok(match scope {
        Scope::Response => ExpressionScope::response(body, headers, status(input)?),
        Scope::Authorization => ExpressionScope::authorization(url, request, context),
        Scope::FirstPage => ExpressionScope::first_page(query, url, request),
        Scope::NextPage => {
            let values = input.object("paginationValues");
            ExpressionScope::next_page(query, url, request, (body, headers), values)
        }
        Scope::Batch => ExpressionScope::batch(input.object("resources"), input.object("args")),
        Scope::Webhook => {
            let method = input.text_or("method", "POST")?;
            let context = input.find("context");
            let scope = ExpressionScope::webhook(body, headers, query, method, context);
            let scope = match input.find("body_sha256") {
                Some(hash) => scope.with_body_sha256(hash),
                None => scope,
            };
            match input.find("challenge_hmac") {
                Some(code) => scope.with_challenge_hmac(code),
                None => scope,
            }
        }
        Scope::Step => {
            ExpressionScope::step(input.value("previous"), context).with_answer_headers(headers)
        }
    })
}

/// The parsed body has three names.
fn body(input: &InputValues) -> &Value {
    let names = ["body", "response", "data"];
    let value = names.into_iter().find_map(|name| input.find(name));
    value.unwrap_or_else(|| input.value("body"))
}

fn status(input: &InputValues) -> Result<u16, Problem> {
    let Some(status) = input.find("status").or_else(|| input.find("status_code")) else {
        return Ok(200);
    };
    let number = status
        .as_u64()
        .and_then(|number| u16::try_from(number).ok());
    number.ok_or_else(|| {
        Problem::Failed("`status` of the input is not an HTTP status, such as 200".to_owned())
    })
}

/// The current time, and random bytes that are good enough to try an expression.
#[expect(
    clippy::disallowed_methods,
    reason = "the command runs where there is a clock"
)]
fn moment() -> Moment {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now_ms = since_1970.map_or(0, |passed| passed.as_millis());
    let chance = RandomState::new().build_hasher().finish();
    Moment {
        now_ms: i64::try_from(now_ms).unwrap_or(i64::MAX),
        random: sha256(&chance.to_be_bytes()),
    }
}
