//! The result of publishing one file, and its report.

use std::io::{self, Write};
use std::path::Path;

use causeway::config::{Finding, Level};
use serde_json::Value;

use crate::change::FileDiff;
use crate::file;
use crate::gateway::GatewayAnswer;

/// The places of warnings and of errors in a response.
const WARNINGS: &str = "/findings";
const FAILURES: &str = "/details/failures";

/// The result of publishing one file.
pub enum PublishOutcome {
    /// The name was new.
    Created(GatewayAnswer),
    /// The file replaced another version.
    Replaced {
        /// The version before.
        from: u64,
        /// The response of the gateway.
        answer: GatewayAnswer,
        /// What changed.
        change: FileDiff,
    },
    /// The gateway has this file already, in this version.
    Unchanged(u64),
    /// The gateway refused it.
    Refused(GatewayAnswer),
}

impl PublishOutcome {
    /// Writes the result and its findings.
    pub fn write(&self, name: &str, path: &Path, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Created(answer) => {
                writeln!(out, "✓ {name}: created, version {}", answer.version())?;
                write_findings(answer, WARNINGS, Level::Warning, out)
            }
            Self::Replaced {
                from,
                answer,
                change,
            } => {
                let to = answer.version();
                writeln!(out, "✓ {name}: version {from} → {to}: {}", changes(change))?;
                write_findings(answer, WARNINGS, Level::Warning, out)
            }
            Self::Unchanged(version) => writeln!(out, "✓ {name}: unchanged, version {version}"),
            Self::Refused(answer) => {
                writeln!(out, "✗ {name} ({}): {}", path.display(), refused(answer))?;
                write_findings(answer, FAILURES, Level::Error, out)
            }
        }
    }
}

/// The findings give the reason. Without findings, the gateway's message does.
fn refused(answer: &GatewayAnswer) -> String {
    if answer.body.pointer(FAILURES).is_some() {
        return "refused".to_owned();
    }
    let (code, message) = (answer.text("code"), answer.text("message"));
    format!("refused, {} {code}: {message}", answer.status)
}

/// Secrets are write-only: where nothing else differs, only they can have changed.
fn changes(change: &FileDiff) -> String {
    if change.is_empty() {
        "secrets sent".to_owned()
    } else {
        change.to_string()
    }
}

fn write_findings(
    answer: &GatewayAnswer,
    place: &str,
    level: Level,
    out: &mut impl Write,
) -> io::Result<()> {
    let findings = answer.body.pointer(place).and_then(Value::as_array);
    for finding in findings.into_iter().flatten() {
        let text = |key: &str| Some(finding.get(key)?.as_str()?.to_owned());
        let finding = Finding {
            level,
            path: text("path").unwrap_or_default(),
            message: text("message").unwrap_or_default(),
            hint: text("hint"),
        };
        writeln!(out, "{}", file::line(&finding))?;
    }
    Ok(())
}
