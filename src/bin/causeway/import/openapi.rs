//! `causeway import openapi`: writes the resources that an OpenAPI 3 document describes.

mod fit;
mod head;
mod method;
mod naming;
mod operation;
mod resolve;
mod schema;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use causeway::settings::ADMIN_BODY_BYTES;
use serde_json::{Map, Value, json};
use url::Url;

use super::document;
use crate::problem::{Problem, RunResult};
use fit::Import;
use head::Head;
use naming::NamedOperation;
use resolve::References;

/// Write the resources of an OpenAPI 3.0 or 3.1 document
///
/// Makes list, get, create, update, delete and custom methods with their schemas, descriptions and scopes. The result is
/// a new integration file, or with `--into` the resources of one that is there; methods that it has stay as they are. The
/// file is checked as `causeway validate` does.
#[derive(clap::Args)]
pub struct OpenapiArgs {
    /// The document, in YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only the resources of these names, or the operations with these tags
    #[arg(long, value_name = "NAME", num_args = 1..)]
    only: Vec<String>,
    /// The integration file that the resources are added to, in place
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "base_url"])]
    into: Option<PathBuf>,
    /// The name of a new integration file; from the document's title when absent
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What a new file has as `base_url`, where the document names no server
    #[arg(long, value_name = "URL")]
    base_url: Option<Url>,
    /// The file that is written; with `--into`, in place of changing that file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Operations of one document.
const MOST_OPERATIONS: usize = 5_000;

/// Converts the document and reports it.
pub fn run(args: &OpenapiArgs, out: &mut impl Write) -> Result<RunResult, Problem> {
    let document = document::load(&args.file)?;
    let failed = |text: String| Problem::Failed(format!("{}: {text}", args.file.display()));
    check_version(&document).map_err(failed)?;
    let base = base_file(args, &document)?;
    let references = References::new(&document);
    let operations = operation::all(&references);
    if operations.len() > MOST_OPERATIONS {
        return Err(failed(format!(
            "it has more than {MOST_OPERATIONS} operations"
        )));
    }
    let named = wanted(naming::named(operations, &references), &args.only);
    if named.is_empty() {
        return Err(failed("it has no operation that was asked for".to_owned()));
    }
    let import = fit::fitted(&base, &named, &references).map_err(failed)?;
    report(&import, out)?;
    let target = args.out.as_deref().or(args.into.as_deref());
    if let Some(target) = target {
        write_file(target, &import.file)?;
        writeln!(out, "written: {}", target.display())?;
    }
    Ok(RunResult::Good)
}

fn check_version(document: &Value) -> Result<(), String> {
    if document.get("swagger").is_some() {
        return Err("this is OpenAPI 2.0; convert it to 3.0 first".to_owned());
    }
    let version = document.get("openapi").and_then(Value::as_str);
    let is_known =
        version.is_some_and(|version| version.starts_with("3.0") || version.starts_with("3.1"));
    match version {
        Some(_) if is_known => Ok(()),
        Some(other) => Err(format!("`openapi` is `{other:.20}`; 3.0 and 3.1 are read")),
        None => Err("this is no OpenAPI document: it has no `openapi`".to_owned()),
    }
}

/// The file that the resources go into.
fn base_file(args: &OpenapiArgs, document: &Value) -> Result<Value, Problem> {
    if let Some(path) = &args.into {
        let file = crate::file::load(path).map_err(|finding| {
            Problem::Failed(format!("{}: {}", path.display(), finding.message))
        })?;
        if !file.json.get("config").is_some_and(Value::is_object) {
            let text = format!("{}: it has no `config`", path.display());
            return Err(Problem::Failed(text));
        }
        return Ok(file.json);
    }
    let base_url = args.base_url.as_ref().map(Url::as_str);
    let head = Head::of(document, base_url)
        .map_err(|text| Problem::Failed(format!("{}: {text}", args.file.display())))?;
    let name = args
        .name
        .clone()
        .unwrap_or_else(|| naming::slug(head.title));
    Ok(json!({ "name": name, "config": head.config() }))
}

/// The operations of the resources or tags that were named.
fn wanted<'d>(named: Vec<NamedOperation<'d>>, only: &[String]) -> Vec<NamedOperation<'d>> {
    let is_wanted = |one: &NamedOperation| {
        let tags = one.operation.tags();
        only.is_empty()
            || only
                .iter()
                .any(|name| *name == one.resource || tags.contains(&name.as_str()))
    };
    named.into_iter().filter(is_wanted).collect()
}

fn report(import: &Import, out: &mut impl Write) -> std::io::Result<()> {
    let empty = Map::new();
    let resources = import
        .file
        .pointer("/config/resources")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let width = resources
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default();
    for (name, methods) in resources {
        let methods = methods.as_object().into_iter().flatten();
        let methods: Vec<&str> = methods.map(|(name, _)| name.as_str()).collect();
        writeln!(out, "{name:<width$}  {}", methods.join(", "))?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "{} methods in {} resources, {}",
        import.methods,
        resources.len(),
        import.depth.text()
    )?;
    for (reason, count) in &import.skipped {
        writeln!(out, "  left out  {count:>4}  {reason}")?;
    }
    Ok(())
}

fn write_file(path: &Path, file: &Value) -> Result<(), Problem> {
    let pretty = format!("{file:#}\n");
    // A gateway counts the bytes of the file as it is.
    let text = if pretty.len() > ADMIN_BODY_BYTES {
        format!("{file}\n")
    } else {
        pretty
    };
    fs::write(path, text)
        .map_err(|error| Problem::Failed(format!("{} cannot be written: {error}", path.display())))
}
