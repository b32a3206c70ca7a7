//! `causeway import nango`: writes one integration file for each provider definition of a catalogue.

mod clock;
mod convert;
mod custom_token;
mod definition;
mod deviations;
mod domain;
mod draft;
mod exchange;
mod fields;
mod hosts;
mod interpolation;
mod jwt;
mod known;
mod later;
mod mode;
mod names;
mod oauth2;
mod paging;
mod params;
mod patterns;
mod requests;
mod rewrite;
mod secrecy;
mod signing;
mod template;
mod undeclared;
mod url;
mod url_pieces;
mod verification;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use causeway::config::{self, Finding, Level};
use serde_json::{Map, Value};

use super::document;
use super::report::{self, ImportOutcome, ImportRow};
use super::words::Words;
use crate::problem::{Problem, RunResult};
use convert::Converted;
use definition::Definition;

/// Write one integration file for each definition of a providers.yaml
///
/// Prints for each definition whether the file says all of it, all but some words, or why there is no file, and then the
/// counts. Files are written with `--out` only; each is checked as `causeway validate` does, and one with an error is
/// not written. The exit code is 0 also where definitions are impossible.
#[derive(clap::Args)]
pub struct NangoArgs {
    /// The catalogue, in YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only the definitions of these names
    #[arg(long, value_name = "NAME", num_args = 1..)]
    only: Vec<String>,
    /// The folder that the files are written to; made where it is absent
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Converts the definitions and reports them.
pub fn run(args: &NangoArgs, out: &mut impl Write) -> Result<RunResult, Problem> {
    let document = document::load(&args.file)?;
    let Value::Object(catalogue) = document else {
        let text = format!(
            "{}: it is not an object of definitions",
            args.file.display()
        );
        return Err(Problem::Failed(text));
    };
    let names = names(&catalogue, &args.only)?;
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    }
    let words = Words::of_this_build();
    let mut rows = Vec::new();
    for name in names {
        let (row, file) = convert(&catalogue, name, &words);
        if let (Some(folder), Some(file)) = (&args.out, file) {
            write_file(folder, name, &file)?;
        }
        rows.push(row);
    }
    report::write(&rows, out)?;
    Ok(RunResult::Good)
}

/// The definitions that were asked for, in the order of the catalogue.
fn names<'c>(catalogue: &'c Map<String, Value>, only: &[String]) -> Result<Vec<&'c str>, Problem> {
    if let Some(missing) = only.iter().find(|name| !catalogue.contains_key(*name)) {
        let text = format!("the catalogue has no definition `{missing}`");
        return Err(Problem::Failed(text));
    }
    let wanted: BTreeSet<&str> = only.iter().map(String::as_str).collect();
    let names = catalogue.keys().map(String::as_str);
    Ok(names
        .filter(|name| wanted.is_empty() || wanted.contains(name))
        .collect())
}

/// One definition: its row, and its file where it has one.
fn convert(
    catalogue: &Map<String, Value>,
    name: &str,
    words: &Words,
) -> (ImportRow, Option<Value>) {
    let mut row = ImportRow {
        name: name.to_owned(),
        outcome: ImportOutcome::Full,
        notes: BTreeSet::new(),
    };
    let definition = match Definition::resolve(catalogue, name) {
        Ok(definition) => definition,
        Err(reason) => {
            row.outcome = ImportOutcome::Impossible(reason);
            return (row, None);
        }
    };
    match checked(&definition, words) {
        Ok(converted) => {
            row.notes = converted.notes;
            if !converted.losses.is_empty() {
                row.outcome = ImportOutcome::Loss(converted.losses);
            }
            (row, Some(converted.file))
        }
        Err(reason) => {
            row.outcome = ImportOutcome::Impossible(reason);
            (row, None)
        }
    }
}

/// The conversion, if its file has no error. With words that are new, the file is tried without them, too.
fn checked(definition: &Definition, words: &Words) -> Result<Converted, String> {
    let converted = convert::convert(definition, words)?;
    let error = match without_errors(converted) {
        Ok(converted) => return Ok(converted),
        Err(error) => error,
    };
    if !words.is_empty()
        && let Ok(converted) = convert::convert(definition, &Words::none())
        && let Ok(converted) = without_errors(converted)
    {
        return Ok(converted);
    }
    Err(format!("validation: {}: {}", error.path, error.message))
}

/// Sections that accounts can be connected and called without.
const OPTIONAL: [&str; 3] = ["actions", "pagination", "rate_limit"];

/// The conversion without the optional sections that have an error.
fn without_errors(mut converted: Converted) -> Result<Converted, Finding> {
    for _ in 0..=OPTIONAL.len() {
        let Some(error) = first_error(&converted.file) else {
            return Ok(converted);
        };
        let section = OPTIONAL.iter().find(|section| {
            let rest = error.path.strip_prefix("config.");
            rest.and_then(|rest| rest.strip_prefix(**section)).is_some()
        });
        let Some(section) = section else {
            return Err(error);
        };
        let config = converted.file.get_mut("config");
        if let Some(config) = config.and_then(Value::as_object_mut) {
            config.remove(*section);
        }
        let text = format!("{section}: {}", error.message);
        converted.losses.insert(text);
    }
    first_error(&converted.file).map_or(Ok(converted), Err)
}

fn first_error(file: &Value) -> Option<Finding> {
    let mut findings = config::read(file).findings.into_iter();
    findings.find(|finding| finding.level == Level::Error)
}

fn write_file(folder: &Path, name: &str, file: &Value) -> Result<(), Problem> {
    let path = folder.join(format!("{name}.json"));
    fs::write(&path, format!("{file:#}\n")).map_err(|error| unwritable(&path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::Failed(format!("{} cannot be written: {error}", path.display()))
}
