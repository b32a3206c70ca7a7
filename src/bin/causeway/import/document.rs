//! A JSON or YAML document on disk, as JSON.

use std::fs;
use std::path::Path;

use serde_json::Value;
use serde_saphyr::Options;

use crate::problem::Problem;

/// The largest document that is read: 32 MiB. The largest public API descriptions have a third of it.
pub const DOCUMENT_BYTES: usize = 32 * 1024 * 1024;
/// Levels of a YAML document; `serde_json` has the same bound for JSON.
const DEPTH: usize = 120;
/// Values of a YAML document.
const NODES: usize = 3_000_000;
/// Events that the anchors of a YAML document repeat.
const REPEATED: usize = 200_000;

/// Reads a document. JSON is read as JSON, anything else as YAML 1.2.
pub fn load(path: &Path) -> Result<Value, Problem> {
    let failed = |text: String| Problem::Failed(format!("{}: {text}", path.display()));
    if path.is_dir() {
        return Err(failed("this is a folder".to_owned()));
    }
    let bytes =
        fs::read(path).map_err(|error| failed(format!("the file cannot be read: {error}")))?;
    if bytes.len() > DOCUMENT_BYTES {
        return Err(failed(format!(
            "the file is larger than {DOCUMENT_BYTES} bytes"
        )));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| failed(format!("the file is not UTF-8: {error}")))?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text)
            .map_err(|error| failed(format!("the file is not JSON: {error}")));
    }
    serde_saphyr::from_str_with_options(text, options())
        .map_err(|error| failed(format!("the file is not YAML: {}", first_line(&error))))
}

/// A snippet of the document follows the first line of an error: it may contain secrets.
fn first_line(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

/// Bounds, so that anchors that repeat anchors do not fill the memory.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH,
            max_nodes: NODES,
            max_events: NODES * 2,
            max_total_scalar_bytes: DOCUMENT_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: REPEATED,
        },
        strict_booleans: true,
        with_snippet: false,
    }
}
