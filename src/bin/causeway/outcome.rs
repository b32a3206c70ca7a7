//! What came of publishing one file, in words.

use std::io::{self, Write};
use std::path::Path;

use causeway::config::{Finding, Level};
use serde_json::Value;

use crate::change::FileDiff;
use crate::file;
use crate::gateway::GatewayAnswer;

/// Where an answer has what it was warned of, and what it was refused for.
const WARNINGS: &str = "/findings";
const FAILURES: &str = "/details/failures";

/// What came of publishing one file.
pub enum PublishOutcome {
    /// There was none of its name.
    Created(GatewayAnswer),
    /// There was another.
    Replaced {
        /// The version that was there.
        from: u64,
        /// What the gateway says of the new one.
        answer: GatewayAnswer,
        /// What the gateway shows differently now.
        change: FileDiff,
    },
    /// The gateway has this already, in this version.
    Unchanged(u64),
    /// The gateway does not take it.
    Refused(GatewayAnswer),
}

impl PublishOutcome {
    /// Says it, with the findings that came along.
    pub fn tell(&self, name: &str, path: &Path, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Created(answer) => {
                writeln!(out, "✓ {name}: created, version {}", answer.version())?;
                tell_findings(answer, WARNINGS, Level::Warning, out)
            }
            Self::Replaced {
                from,
                answer,
                change,
            } => {
                let to = answer.version();
                writeln!(out, "✓ {name}: version {from} → {to}: {}", what(change))?;
                tell_findings(answer, WARNINGS, Level::Warning, out)
            }
            Self::Unchanged(version) => writeln!(out, "✓ {name}: unchanged, version {version}"),
            Self::Refused(answer) => {
                writeln!(out, "✗ {name} ({}): {}", path.display(), refused(answer))?;
                tell_findings(answer, FAILURES, Level::Error, out)
            }
        }
    }
}

/// Findings speak for themselves; without any, the gateway's own words are needed.
fn refused(answer: &GatewayAnswer) -> String {
    if answer.body.pointer(FAILURES).is_some() {
        return "refused".to_owned();
    }
    let (code, message) = (answer.text("code"), answer.text("message"));
    format!("refused, {} {code}: {message}", answer.status)
}

/// Secrets are write-only: where nothing else differs, it is they that may.
fn what(change: &FileDiff) -> String {
    if change.is_empty() {
        "secrets sent".to_owned()
    } else {
        change.to_string()
    }
}

fn tell_findings(
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
