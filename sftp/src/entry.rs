//! A file or directory as callers see it, from the attributes of SFTP version 3.

use chrono::{DateTime, Utc};
use russh_sftp::protocol::FileAttributes;
use serde::Serialize;

use crate::path;

/// The bits of `st_mode` that say what a file is.
const TYPE_MASK: u32 = 0o170_000;

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    name: String,
    path: String,
    #[serde(rename = "type")]
    kind: &'static str,
    size: u64,
    modified_at: Option<String>,
    permissions: Option<String>,
}

impl Entry {
    /// `path` as the caller sees it.
    pub fn new(path: &str, attributes: &FileAttributes) -> Self {
        Self {
            name: path::parent(path).map_or_else(String::new, |(_, name)| name.to_owned()),
            path: path.to_owned(),
            kind: kind(attributes),
            size: attributes.size.unwrap_or(0),
            modified_at: attributes.mtime.and_then(date).map(rfc_3339),
            permissions: attributes.permissions.map(letters),
        }
    }
}

/// Without permissions, which a server may leave out, what a file is cannot be known.
pub fn kind(attributes: &FileAttributes) -> &'static str {
    match attributes.permissions.map(|mode| mode & TYPE_MASK) {
        Some(0o100_000) => "file",
        Some(0o040_000) => "directory",
        Some(0o120_000) => "symlink",
        _ => "other",
    }
}

/// The value of `last-modified` (RFC 9110 section 5.6.7).
pub fn http_date(attributes: &FileAttributes) -> Option<String> {
    let date = attributes.mtime.and_then(date)?;
    Some(date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn date(seconds: u32) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::from(seconds), 0)
}

fn rfc_3339(date: DateTime<Utc>) -> String {
    date.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn letters(mode: u32) -> String {
    let bits = [
        (0o400, 'r'),
        (0o200, 'w'),
        (0o100, 'x'),
        (0o040, 'r'),
        (0o020, 'w'),
        (0o010, 'x'),
        (0o004, 'r'),
        (0o002, 'w'),
        (0o001, 'x'),
    ];
    bits.iter()
        .map(|(bit, letter)| if mode & bit == 0 { '-' } else { *letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn attributes(permissions: Option<u32>) -> FileAttributes {
        FileAttributes {
            size: Some(5),
            permissions,
            mtime: Some(1_700_000_000),
            ..FileAttributes::empty()
        }
    }

    #[test]
    fn an_entry_has_what_the_server_says() {
        let entry = Entry::new("/in/a.csv", &attributes(Some(0o100_640)));
        assert_eq!(
            serde_json::to_value(entry).unwrap(),
            json!({
                "name": "a.csv", "path": "/in/a.csv", "type": "file", "size": 5,
                "modified_at": "2023-11-14T22:13:20Z", "permissions": "rw-r-----"
            })
        );
    }

    #[test]
    fn what_the_server_leaves_out_is_null() {
        let entry = Entry::new("/", &FileAttributes::empty());
        assert_eq!(
            serde_json::to_value(entry).unwrap(),
            json!({ "name": "", "path": "/", "type": "other", "size": 0, "modified_at": null, "permissions": null })
        );
    }

    #[test]
    fn types_are_those_of_the_mode() {
        let modes = [0o100_644, 0o040_755, 0o120_777, 0o010_644, 0o644];
        let kinds = modes.map(|mode| kind(&attributes(Some(mode))));
        assert_eq!(kinds, ["file", "directory", "symlink", "other", "other"]);
    }

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(
            http_date(&attributes(None)).unwrap(),
            "Tue, 14 Nov 2023 22:13:20 GMT"
        );
        assert_eq!(http_date(&FileAttributes::empty()), None);
        let last = FileAttributes {
            mtime: Some(u32::MAX),
            ..FileAttributes::empty()
        };
        assert_eq!(http_date(&last).unwrap(), "Sun, 07 Feb 2106 06:28:15 GMT");
    }
}
