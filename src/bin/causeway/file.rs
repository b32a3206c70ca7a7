//! An integration file on disk, and its findings as lines of text.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use causeway::config::{Finding, Level};
use causeway::settings::ADMIN_BODY_BYTES;
use serde_json::Value;

/// A file with valid JSON.
pub struct FileOnDisk {
    /// The bytes on disk.
    pub bytes: Vec<u8>,
    /// The parsed bytes.
    pub json: Value,
}

/// Reads a file. A file that cannot be read is a finding without a path.
pub fn load(path: &Path) -> Result<FileOnDisk, Finding> {
    if path.is_dir() {
        let finding = Finding::error("", "this is a folder");
        return Err(finding.hint(format!("name its files: {}/*.json", path.display())));
    }
    let bytes = fs::read(path)
        .map_err(|error| Finding::error("", format!("the file cannot be read: {error}")))?;
    if bytes.len() > ADMIN_BODY_BYTES {
        let text =
            format!("the file is larger than {ADMIN_BODY_BYTES} bytes; no gateway accepts it");
        return Err(Finding::error("", text));
    }
    let json = serde_json::from_slice(&bytes)
        .map_err(|error| Finding::error("", format!("the file is not JSON: {error}")))?;
    Ok(FileOnDisk { bytes, json })
}

/// A finding as one line, its hint on a second.
pub fn line(finding: &Finding) -> String {
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let mut line = format!("  {level:<7}  ");
    if !finding.path.is_empty() {
        line += &finding.path;
        line += ": ";
    }
    line += &finding.message;
    if let Some(hint) = &finding.hint {
        // Writing to a `String` cannot fail.
        let _ = write!(line, "\n           {hint}");
    }
    line
}
