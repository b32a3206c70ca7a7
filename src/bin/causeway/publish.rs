//! `causeway publish`: sends integration files to a running gateway, which creates or replaces each by its name.

use std::collections::BTreeMap;
use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};

use causeway::config::{self, Finding, secrets};
use causeway::secret::Secret;
use serde_json::{Map, Value, json};
use url::Url;

use crate::change::FileDiff;
use crate::file::{self, FileOnDisk};
use crate::gateway::Gateway;
use crate::outcome::PublishOutcome;
use crate::problem::{Problem, RunResult};

const TOKEN: &str = "CAUSEWAY_TOKEN";

/// Create or replace integrations in a running gateway
///
/// The admin token is taken from the environment variable `CAUSEWAY_TOKEN`. Reports for each file what changed; one
/// that is there already is left alone. The exit code is 1 when any file is refused; the others are published.
#[derive(clap::Args)]
pub struct PublishArgs {
    /// The gateway's address, such as `https://gateway.example.com`
    #[arg(long = "to", value_name = "URL")]
    to: Url,
    /// Send the token over http to another machine, too
    #[arg(long)]
    plain_http: bool,
    /// The files, such as integrations/*.json
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
}

/// A file with a name.
struct PublishableFile<'a> {
    path: &'a Path,
    name: String,
    file: FileOnDisk,
}

/// Sends every file, also after one was refused.
pub fn run(args: &PublishArgs, out: &mut impl Write) -> Result<RunResult, Problem> {
    let gateway = Gateway::new(&args.to, &token()?, args.plain_http)?;
    let (files, mut verdict) = load_all(&args.files, out)?;
    refuse_duplicates(&files)?;
    for named in &files {
        let outcome = publish(&gateway, named)?;
        outcome.write(&named.name, named.path, out)?;
        if matches!(outcome, PublishOutcome::Refused(_)) {
            verdict = RunResult::Bad;
        }
    }
    Ok(verdict)
}

fn token() -> Result<Secret, Problem> {
    let token = env::var(TOKEN).unwrap_or_default().trim().to_owned();
    let fits = |byte: u8| byte.is_ascii_graphic();
    if token.is_empty() || !token.bytes().all(fits) {
        let text = format!("put the admin token into the environment variable {TOKEN}");
        return Err(Problem::Usage(text));
    }
    Ok(Secret::new(token))
}

/// The files that can be sent. The errors of the others are written.
fn load_all<'a>(
    paths: &'a [PathBuf],
    out: &mut impl Write,
) -> Result<(Vec<PublishableFile<'a>>, RunResult), Problem> {
    let (mut files, mut verdict) = (Vec::new(), RunResult::Good);
    for path in paths {
        match load(path) {
            Ok(named) => files.push(named),
            Err(finding) => {
                writeln!(out, "✗ {}", path.display())?;
                writeln!(out, "{}", file::line(&finding))?;
                verdict = RunResult::Bad;
            }
        }
    }
    Ok((files, verdict))
}

fn load(path: &Path) -> Result<PublishableFile<'_>, Finding> {
    let file = file::load(path)?;
    let name = file.json.get("name").and_then(Value::as_str);
    let name = name
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Finding::error("name", "an integration needs a name"))?;
    Ok(PublishableFile {
        path,
        name: name.to_owned(),
        file,
    })
}

/// Refuses two files with one name: only the last would stay.
fn refuse_duplicates(files: &[PublishableFile]) -> Result<(), Problem> {
    let mut seen = BTreeMap::new();
    for named in files {
        if let Some(other) = seen.insert(&named.name, named.path) {
            return Err(Problem::Failed(format!(
                "{} and {} have the same name, `{}`; nothing is published",
                other.display(),
                named.path.display(),
                named.name
            )));
        }
    }
    Ok(())
}

fn publish(gateway: &Gateway, named: &PublishableFile) -> Result<PublishOutcome, Problem> {
    let found = gateway.find(&named.name)?;
    let old = match found.status {
        200 => Some(found),
        404 if found.text("code").starts_with("caller.") => None,
        _ => return Ok(PublishOutcome::Refused(found)),
    };
    if let Some(old) = old
        .as_ref()
        .filter(|old| is_published(&old.body, &named.file.json))
    {
        return Ok(PublishOutcome::Unchanged(old.version()));
    }
    let answer = gateway.replace(&named.name, &named.file.bytes)?;
    Ok(match (answer.status, old) {
        (200 | 201, Some(old)) => PublishOutcome::Replaced {
            from: old.version(),
            change: FileDiff::between(&compared(&old.body), &compared(&answer.body)),
            answer,
        },
        (200 | 201, None) => PublishOutcome::Created(answer),
        _ => PublishOutcome::Refused(answer),
    })
}

/// Whether the gateway has this file already. Secrets are write-only, so a file with secrets is always sent.
fn is_published(published: &Value, file: &Value) -> bool {
    let mut config = file.get("config").cloned().unwrap_or_default();
    config::normalise(&mut config);
    let (public, secrets) = secrets::split_config(&config);
    let has_secrets = secrets
        .as_object()
        .is_some_and(|secrets| !secrets.is_empty());
    let own = json!({ "category": file.get("category"), "is_beta": file.get("is_beta"), "config": public });
    !has_secrets && FileDiff::between(&compared(published), &compared(&own)).is_empty()
}

/// The keys that a file sets, as the gateway shows them.
fn compared(integration: &Value) -> Map<String, Value> {
    let of = |key: &str| integration.get(key).cloned().unwrap_or_default();
    let is_beta = of("is_beta").as_bool().unwrap_or_default();
    Map::from_iter([
        ("category".to_owned(), of("category")),
        ("is_beta".to_owned(), Value::Bool(is_beta)),
        ("config".to_owned(), of("config")),
    ])
}
