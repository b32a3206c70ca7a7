//! The resource that every integration with an `sftp` credential has. No file declares it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Config, Credential, Method};
use crate::json::typed;

/// The name of the resource.
pub const FILES: &str = "files";
/// The entries of a page, and the most that a caller may ask for.
pub const DEFAULT_ENTRIES: u64 = 100;
/// The most entries of a page.
pub const MOST_ENTRIES: u64 = 1_000;

/// What a method of `files` does on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileOperation {
    /// Lists a folder.
    List,
    /// Reads a file.
    Read,
    /// Describes a file or a folder.
    Stat,
    /// Writes a file.
    Write,
    /// Deletes a file.
    Delete,
    /// Moves a file or a folder.
    Rename,
    /// Makes a folder.
    Mkdir,
    /// Deletes an empty folder.
    Rmdir,
}

impl FileOperation {
    /// Its name, as the SFTP Worker and the log know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::Stat => "stat",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::Rename => "rename",
            Self::Mkdir => "mkdir",
            Self::Rmdir => "rmdir",
        }
    }

    /// Whether its paths are in the caller's body, as JSON.
    pub fn takes_json(self) -> bool {
        matches!(self, Self::Stat | Self::Rename | Self::Mkdir | Self::Rmdir)
    }
}

/// Adds the resource where the file has the credential.
pub(super) fn add(config: &mut Config) {
    let mut credentials = config.credentials.values();
    if credentials.any(|own| matches!(own, Credential::Sftp(_))) {
        config.resources.insert(FILES.to_owned(), methods());
    }
}

fn methods() -> BTreeMap<String, Method> {
    use FileOperation as F;
    let text = json!({ "type": "string" });
    let one = json!({ "type": "object", "properties": { "path": text }, "required": ["path"] });
    let two = json!({ "type": "object", "properties": { "from": text, "to": text }, "required": ["from", "to"] });
    let all = [
        ("list", F::List, "get", "Lists a folder.", None),
        (
            "get",
            F::Read,
            "get",
            "Reads a file, or a range of it.",
            None,
        ),
        (
            "update",
            F::Write,
            "put",
            "Writes a file; one of that name is replaced.",
            None,
        ),
        ("delete", F::Delete, "delete", "Deletes a file.", None),
        (
            "stat",
            F::Stat,
            "get",
            "Describes a file or a folder.",
            Some(one.clone()),
        ),
        (
            "mkdir",
            F::Mkdir,
            "post",
            "Makes a folder.",
            Some(one.clone()),
        ),
        (
            "rmdir",
            F::Rmdir,
            "post",
            "Deletes an empty folder.",
            Some(one),
        ),
        (
            "rename",
            F::Rename,
            "post",
            "Moves a file or a folder.",
            Some(two),
        ),
    ];
    let read = all
        .into_iter()
        .filter_map(|(name, operation, http_method, what, body)| {
            let method = method(operation, http_method, what, body.as_ref())?;
            Some((name.to_owned(), method))
        });
    read.collect()
}

fn method(
    operation: FileOperation,
    http_method: &str,
    description: &str,
    body_schema: Option<&Value>,
) -> Option<Method> {
    let mut method = json!({
        "method": http_method,
        "path": format!("/{}", operation.name()),
        "description": description,
        "body_schema": body_schema,
        "pagination": null,
    });
    let own = match operation {
        FileOperation::List => json!({
            "response_path": "entries",
            "query_schema": { "type": "object", "properties": { "path": { "type": "string" } } },
            "pagination": { "format": "cursor", "config": {
                "cursor_path": "next_cursor", "cursor_key": "cursor", "limit_key": "limit",
                "max_limit": MOST_ENTRIES, "allow_empty_page_cursor": true,
            } },
        }),
        FileOperation::Write => json!({ "response_path": "entry" }),
        _ => json!({}),
    };
    crate::json::merge(&mut method, &own);
    let mut method: Method = typed::read(&method).ok()?;
    method.operation = Some(operation);
    Some(method)
}

#[cfg(test)]
mod tests {
    use super::methods;

    #[test]
    fn every_method_can_be_read() {
        let methods = methods();
        let names: Vec<&str> = methods.keys().map(String::as_str).collect();
        let expected = [
            "delete", "get", "list", "mkdir", "rename", "rmdir", "stat", "update",
        ];
        assert_eq!(names, expected);
        assert!(methods.values().all(|method| method.operation.is_some()));
    }
}
