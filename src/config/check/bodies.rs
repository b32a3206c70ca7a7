//! Bodies that their format cannot write. Warnings: what a placeholder represents is seen only when it is filled, and
//! one method's mistake must not keep the others from being used.

use crate::config::resource::{ApiResponseFormat, BodyFormat};
use crate::config::source::Sources;
use crate::config::{BodyEntries, Config, Finding, Method};
use crate::expression::TemplateTree;

/// What the file says of every body is not the caller's to fill: their values are entries themselves.
pub(super) fn check_file(config: &Config, findings: &mut Vec<Finding>) {
    for (name, tree) in config.body.iter().flat_map(BodyEntries::entries) {
        if Sources::of_placeholders(tree.placeholders().into_iter()).call {
            let text = "the file's `body` reads the account and the install, and no single call";
            let finding = Finding::error(format!("config.body.{name}"), text);
            findings.push(finding.hint("read the call's values in the `body` of a method"));
        }
    }
}

pub(super) fn check(method: &Method, at: &str, findings: &mut Vec<Finding>) {
    let format = method.body_format.unwrap_or_default();
    let wrong = method.body.as_ref().and_then(|body| misfit(body, format));
    if let Some(text) = wrong {
        findings.push(Finding::warning(format!("{at}.body"), text));
    }
    let mixed = method.body.as_ref().filter(|_| format == BodyFormat::Raw);
    if mixed.is_some_and(mixes_words) {
        let text = "nothing encodes the caller's values in a raw body: they can replace what the body says of the account or the install";
        let finding = Finding::warning(format!("{at}.body"), text);
        findings.push(finding.hint("use `body_format` `json`, `form` or `xml`"));
    }
    let is_cut = method.response_path.is_some();
    let uncut = match method.api_response_format {
        Some(ApiResponseFormat::Text) => "text",
        Some(ApiResponseFormat::Binary) => "binary",
        _ => return,
    };
    if is_cut {
        let text =
            format!("`response_path` is never used: an answer of format `{uncut}` is not cut");
        findings.push(Finding::warning(format!("{at}.response_path"), text));
    }
}

/// Whether a text holds values of the account or the install, and a caller's.
fn mixes_words(body: &TemplateTree) -> bool {
    let sources = Sources::of_placeholders(body.placeholders().into_iter());
    sources.is_reserved() && sources.call
}

/// Why a body is not of its format, as far as it shows before it is filled.
fn misfit(body: &TemplateTree, format: BodyFormat) -> Option<&'static str> {
    let is_object = match body {
        TemplateTree::Object(_) => true,
        TemplateTree::Text(text) if text.whole().is_some() => return None,
        _ => false,
    };
    match format {
        BodyFormat::Form | BodyFormat::Multipart if !is_object => {
            Some("a form is made of an object, and this is none")
        }
        BodyFormat::Raw if !matches!(body, TemplateTree::Text(_)) => {
            Some("a raw body is a text, and this is none")
        }
        BodyFormat::Xml if !has_root(body) => {
            Some("an XML body is an object with one key, the name of its root element")
        }
        _ => None,
    }
}

fn has_root(body: &TemplateTree) -> bool {
    let TemplateTree::Object(entries) = body else {
        return false;
    };
    match entries.as_slice() {
        [(name, value)] => !name.starts_with(['@', '#']) && !matches!(value, TemplateTree::List(_)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn found(method: &Value) -> Vec<String> {
        let method: Method = serde_json::from_value(method.clone()).unwrap();
        let mut findings = Vec::new();
        check(&method, "m", &mut findings);
        findings.into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn a_body_that_its_format_cannot_write_is_told() {
        for (body, format, is_wrong) in [
            (json!({ "a": 1 }), "form", false),
            (json!({ "a": 1 }), "multipart", false),
            (json!({ "a": 1 }), "raw", true),
            (json!({ "a": 1 }), "xml", false),
            (json!({ "a": 1, "b": 2 }), "xml", true),
            (json!({}), "xml", true),
            (json!({ "@a": 1 }), "xml", true),
            (json!({ "a": [1] }), "xml", true),
            (json!("{{body:any}}"), "xml", false),
            (json!("{{body.a:any}}"), "form", false),
            (json!("a={{body.a}}"), "form", true),
            (json!("<a>{{body.a}}</a>"), "xml", true),
            (json!("{{body.a}}!"), "raw", false),
            (json!([1]), "multipart", true),
            (json!([1]), "json", false),
        ] {
            let method = json!({ "path": "/", "body": body, "body_format": format });
            let expected: Vec<&str> = if is_wrong { vec!["m.body"] } else { vec![] };
            assert_eq!(found(&method), expected, "{method}");
        }
    }

    #[test]
    fn a_path_into_what_is_not_cut_is_told() {
        for (format, is_wrong) in [
            ("json", false),
            ("xml", false),
            ("text", true),
            ("binary", true),
        ] {
            let method =
                json!({ "path": "/", "response_path": "a", "api_response_format": format });
            assert_eq!(!found(&method).is_empty(), is_wrong, "{format}");
        }
    }
}
