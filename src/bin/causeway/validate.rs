//! `causeway validate`: reports all errors and warnings of integration files.

use std::io::Write;
use std::path::{Path, PathBuf};

use causeway::config::{self, Finding, Level};
use causeway::tools::lacking::lacking;
use serde::Serialize;

use crate::file;
use crate::problem::{Problem, RunResult};

/// Report everything that is wrong with integration files
///
/// Each finding has its place (such as config.resources.users.list.path), and mostly a hint. An error stops a file from
/// being published; a warning does not. The exit code is 1 when any file has an error.
#[derive(clap::Args)]
pub struct ValidateArgs {
    /// Answer in JSON: [{file, valid, findings: [{level, path, message, hint?}]}]
    #[arg(long)]
    json: bool,
    /// Warn of methods that lack what tools of agents need: descriptions, and schemas of what they take
    #[arg(long)]
    tools: bool,
    /// The files, such as integrations/*.json
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
}

/// The findings of one file.
#[derive(Serialize)]
struct Report {
    file: String,
    valid: bool,
    findings: Vec<Finding>,
}

/// Checks every file, also after one with errors.
pub fn run(args: &ValidateArgs, out: &mut impl Write) -> Result<RunResult, Problem> {
    let reports: Vec<Report> = args
        .files
        .iter()
        .map(|path| report(path, args.tools))
        .collect();
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &reports).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        write_text(&reports, out)?;
    }
    if reports.iter().all(|report| report.valid) {
        Ok(RunResult::Good)
    } else {
        Ok(RunResult::Bad)
    }
}

fn report(path: &Path, with_tools: bool) -> Report {
    let findings = match file::load(path) {
        Ok(file) => {
            let read = config::read(&file.json);
            let config = read.integration.map(|own| own.config);
            let config = config.filter(|_| with_tools);
            let lacking = config.iter().flat_map(lacking);
            read.findings.into_iter().chain(lacking).collect()
        }
        Err(finding) => vec![finding],
    };
    Report {
        file: path.display().to_string(),
        valid: count(&findings, Level::Error) == 0,
        findings,
    }
}

fn write_text(reports: &[Report], out: &mut impl Write) -> Result<(), Problem> {
    for report in reports {
        writeln!(out, "{}: {}", report.file, summary(report))?;
        for finding in &report.findings {
            writeln!(out, "{}", file::line(finding))?;
        }
    }
    Ok(())
}

fn summary(report: &Report) -> String {
    let errors = counted(count(&report.findings, Level::Error), "error");
    let warnings = counted(count(&report.findings, Level::Warning), "warning");
    match (errors, warnings) {
        (None, None) => "valid".to_owned(),
        (None, Some(warnings)) => format!("valid, {warnings}"),
        (Some(errors), None) => errors,
        (Some(errors), Some(warnings)) => format!("{errors}, {warnings}"),
    }
}

fn count(findings: &[Finding], level: Level) -> usize {
    let of_level = findings.iter().filter(|finding| finding.level == level);
    of_level.count()
}

fn counted(count: usize, noun: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {noun}")),
        many => Some(format!("{many} {noun}s")),
    }
}
