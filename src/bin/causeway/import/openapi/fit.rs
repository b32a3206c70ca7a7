//! The file that a gateway accepts: with the deepest schemas that fit, and without methods that have errors.

use std::collections::BTreeMap;

use causeway::config::{self, Level};
use causeway::expression::effort;
use causeway::settings::ADMIN_BODY_BYTES;
use serde_json::{Value, json};

use super::naming::NamedOperation;
use super::resolve::References;
use super::schema::SchemaDepth;
use super::{head, method};

/// What was made of a document.
pub struct Import {
    pub file: Value,
    pub methods: usize,
    pub depth: SchemaDepth,
    /// Operations that were left out, by their reason.
    pub skipped: BTreeMap<String, usize>,
}

/// The file with the deepest schemas that a gateway accepts.
pub fn fitted(
    base: &Value,
    named: &[NamedOperation],
    references: &References,
) -> Result<Import, String> {
    let mut problem = String::new();
    for depth in SchemaDepth::ALL {
        let import = built(base, named, references, depth);
        let size = import.file.to_string().len();
        if size > ADMIN_BODY_BYTES {
            problem = format!("the file would have more than {ADMIN_BODY_BYTES} bytes");
            continue;
        }
        match checked(import) {
            Ok(import) => return Ok(import),
            Err(text) => problem = text,
        }
    }
    let is_size = ["more than", effort::SPENT]
        .iter()
        .any(|text| problem.contains(text));
    let hint = if is_size {
        "; name fewer resources by --only"
    } else {
        ""
    };
    Err(format!("{problem}{hint}"))
}

fn built(
    base: &Value,
    named: &[NamedOperation],
    references: &References,
    depth: SchemaDepth,
) -> Import {
    let mut import = Import {
        file: base.clone(),
        methods: 0,
        depth,
        skipped: BTreeMap::new(),
    };
    let base_path = head::path_of(base.pointer("/config/base_url").and_then(Value::as_str));
    let server_path = head::server_path(references.document());
    for one in named {
        if one.operation.is_deprecated() {
            skip(&mut import, "deprecated");
            continue;
        }
        let path = head::below(&base_path, &server_path, one.operation.path);
        let method = method::of(one, &path, references, depth);
        let resources = import.file.get_mut("config").and_then(Value::as_object_mut);
        let Some(config) = resources else { continue };
        let resources = config.entry("resources").or_insert_with(|| json!({}));
        let Some(resources) = resources.as_object_mut() else {
            continue;
        };
        let methods = resources
            .entry(one.resource.clone())
            .or_insert_with(|| json!({}));
        let Some(methods) = methods.as_object_mut() else {
            continue;
        };
        if methods.contains_key(&one.method) {
            skip(&mut import, "already in the file");
        } else {
            methods.insert(one.method.clone(), method);
            import.methods += 1;
        }
    }
    import
}

fn skip(import: &mut Import, reason: &str) {
    *import.skipped.entry(reason.to_owned()).or_insert(0) += 1;
}

/// Rounds in which methods with errors are left out.
const ROUNDS: usize = 3;

/// The file without the methods that have errors.
fn checked(mut import: Import) -> Result<Import, String> {
    for _ in 0..ROUNDS {
        let findings = config::read(&import.file).findings.into_iter();
        let errors: Vec<_> = findings
            .filter(|finding| finding.level == Level::Error)
            .collect();
        let Some(first) = errors.first() else {
            return Ok(import);
        };
        let problem = format!("{}: {}", first.path, first.message);
        let mut is_less = false;
        for error in &errors {
            is_less |= remove(&mut import, &error.path, &error.message);
        }
        if !is_less {
            return Err(problem);
        }
    }
    Err("methods with errors are left".to_owned())
}

/// Removes the method that a finding is about.
fn remove(import: &mut Import, path: &str, message: &str) -> bool {
    let Some(rest) = path.strip_prefix("config.resources.") else {
        return false;
    };
    let mut names = rest.split('.');
    let (Some(resource), Some(method)) = (names.next(), names.next()) else {
        return false;
    };
    let methods = import
        .file
        .pointer_mut("/config/resources")
        .and_then(Value::as_object_mut);
    let methods = methods
        .and_then(|all| all.get_mut(resource))
        .and_then(Value::as_object_mut);
    let is_removed = methods.is_some_and(|methods| methods.remove(method).is_some());
    if is_removed {
        import.methods = import.methods.saturating_sub(1);
        skip(import, &format!("error: {message}"));
    }
    is_removed
}
