//! `causeway render`: fills the placeholders of one text as the gateway does.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use causeway::expression::scope::TEMPLATE_ROOTS;
use causeway::expression::{
    AllowedHosts, PathTemplate, Pins, PlainHttp, Rendered, Template, TemplateScope, TemplateTree,
    UrlTemplate,
};
use causeway::json::Exact;
use clap::ValueEnum;
use serde_json::Value;

use crate::input::InputValues;
use crate::problem::{Problem, RunResult};

/// Fill the placeholders of a text as the gateway would
///
/// Prints the result as JSON, or `undefined` when the whole is left out. The input is an object that may have
/// context, id, query, body, pagination, integration and `environment_variables`; each key of `context` can also
/// be named bare. A value that is missing is an error, as it is in the gateway.
#[derive(clap::Args)]
pub struct RenderArgs {
    /// Where the text is in the file, which decides how values are checked and encoded
    #[arg(long = "as", value_name = "PLACE", default_value = "value")]
    place: TemplatePlace,
    /// The file with the input; standard input when absent
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// The text; as a value it may also be JSON, such as the `body` of a method
    #[arg(allow_hyphen_values = true)]
    template: String,
}

/// The place of a text.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum TemplatePlace {
    /// An entry of a body or a query: any JSON
    Value,
    /// The value of a header: no control characters
    Header,
    /// The `path` of a method: percent-encoded
    Path,
    /// A whole URL, such as `base_url`: values in the host are checked
    Url,
}

/// Fills the text and prints the result.
pub fn run(args: &RenderArgs, out: &mut impl Write) -> Result<RunResult, Problem> {
    let input = InputValues::read(args.input.as_deref(), TEMPLATE_ROOTS)?;
    let scope = scope(&input);
    let rendered = match args.place {
        TemplatePlace::Value => value(&args.template, &scope)?,
        TemplatePlace::Header => {
            let header = template(&args.template)?.header(&scope).map_err(failed)?;
            header.map(Value::String)
        }
        TemplatePlace::Path => Some(path(&args.template, &scope)?),
        TemplatePlace::Url => Some(url(&args.template, &scope)?),
    };
    match rendered {
        Some(value) => writeln!(out, "{value:#}")?,
        None => writeln!(out, "undefined")?,
    }
    Ok(RunResult::Good)
}

/// Sets one root of the scope.
type SetRoot<'a> = fn(TemplateScope<'a>, &'a Value) -> TemplateScope<'a>;

fn scope(input: &InputValues) -> TemplateScope<'_> {
    let context = input
        .find("context")
        .unwrap_or_else(|| input.object("credentials"));
    let roots: [(&str, SetRoot); 6] = [
        ("id", TemplateScope::with_id),
        ("query", TemplateScope::with_query),
        ("body", TemplateScope::with_body),
        ("pagination", TemplateScope::with_pagination),
        ("integration", TemplateScope::with_integration),
        (
            "environment_variables",
            TemplateScope::with_environment_variables,
        ),
    ];
    let scope = TemplateScope::new(context);
    roots
        .into_iter()
        .fold(scope, |scope, (name, with)| match input.find(name) {
            Some(value) => with(scope, value),
            None => scope,
        })
}

/// Renders a text, or the objects and arrays of a body.
fn value(source: &str, scope: &TemplateScope) -> Result<Option<Value>, Problem> {
    let is_tree =
        serde_json::from_str::<Value>(source).is_ok_and(|json| json.is_object() || json.is_array());
    if is_tree {
        let tree: TemplateTree = serde_json::from_str(source).map_err(failed)?;
        let rendered = tree.render(scope).map_err(failed)?;
        return Ok(rendered.map(Exact::into_kept));
    }
    match template(source)?.render(scope).map_err(failed)? {
        Rendered::Value(value) => Ok(Some(value)),
        Rendered::Dropped => Ok(None),
    }
}

fn template(source: &str) -> Result<Template, Problem> {
    Template::parse(source).map_err(failed)
}

/// A path is rendered below a base URL; any base gives the same path.
fn path(source: &str, scope: &TemplateScope) -> Result<Value, Problem> {
    let base = UrlTemplate::parse("https://example.com").map_err(failed)?;
    let path = PathTemplate::parse(source).map_err(failed)?;
    let url = with_pins(|pins| base.join(&path, scope, pins).map_err(failed))?;
    let query = url.query().map(|query| format!("?{query}"));
    Ok(Value::String(format!(
        "{}{}",
        url.path(),
        query.unwrap_or_default()
    )))
}

fn url(source: &str, scope: &TemplateScope) -> Result<Value, Problem> {
    let template = UrlTemplate::parse(source).map_err(failed)?;
    let url = with_pins(|pins| template.render(scope, pins).map_err(failed))?;
    Ok(Value::String(url.into()))
}

/// Allows every host: `validate` checks the hosts, because it sees the whole file.
fn with_pins<T>(work: impl FnOnce(&Pins) -> Result<T, Problem>) -> Result<T, Problem> {
    let (any, dotted_keys) = (AllowedHosts::parse(["*"]).map_err(failed)?, BTreeSet::new());
    work(&Pins {
        allowed_hosts: Some(&any),
        dotted_keys: &dotted_keys,
        plain_http: PlainHttp::Allowed,
    })
}

fn failed(error: impl std::fmt::Display) -> Problem {
    Problem::Failed(error.to_string())
}
