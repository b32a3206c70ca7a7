//! Fields of credentials and forms, and the other names under which a file puts values into a context.

use std::collections::BTreeSet;

use crate::config::action::{ContextChange, StepKind};
use crate::config::field::{Field, FieldKind};
use crate::config::{Config, Finding};
use crate::expression::TemplateTree;
use crate::expression::scope::TEMPLATE_ROOTS;

pub(super) fn check(config: &Config, findings: &mut Vec<Finding>) {
    for (format, credential) in &config.credentials {
        let at = format!("config.credentials.{format}.config.fields");
        check_fields(credential.fields(), &at, findings);
        let at = format!("config.credentials.{format}.config");
        if let Some(keys) = credential.context_from_token() {
            check_keys(keys.keys(), &at, "contextFromToken", findings);
        }
        if let Some(oauth) = credential.oauth() {
            check_keys(
                oauth.context_from_callback.keys(),
                &at,
                "contextFromCallback",
                findings,
            );
        }
    }
    for placed in config.placed_actions() {
        for (place, step) in placed.action.placed() {
            let at = format!("{}{place}", placed.place());
            match &step.kind {
                StepKind::Form(form) => {
                    check_fields(&form.fields, &format!("{at}.config.fields"), findings);
                }
                StepKind::UpdateContext(ContextChange::Values(TemplateTree::Object(values)))
                | StepKind::SetContext(ContextChange::Values(TemplateTree::Object(values))) => {
                    let keys = values.iter().map(|(key, _)| key);
                    check_keys(keys, &at, "config", findings);
                }
                _ => {}
            }
        }
    }
}

/// A path takes the dot of a key for two keys.
fn check_keys<'k>(
    keys: impl Iterator<Item = &'k String>,
    at: &str,
    name: &str,
    findings: &mut Vec<Finding>,
) {
    for key in keys.filter(|key| key.contains('.')) {
        let text = format!("a key of the context has no dot in it: `{key}`");
        let finding = Finding::error(format!("{at}.{name}"), text);
        findings.push(finding.hint("write it as an object in another, or without the dot"));
    }
}

/// Fields of one form: what was posted is looked through for each.
const MOST_FIELDS: usize = 200;

fn check_fields(fields: &[Field], at: &str, findings: &mut Vec<Finding>) {
    if fields.len() > MOST_FIELDS {
        let text = format!("a form has at most {MOST_FIELDS} fields");
        findings.push(Finding::error(at, text));
        return;
    }
    let mut seen = BTreeSet::new();
    for (index, field) in fields.iter().enumerate() {
        let at = format!("{at}[{index}]");
        check_name(&field.name, &at, findings);
        if !seen.insert(&field.name) {
            let text = format!("there is another field `{}`", field.name);
            findings.push(Finding::error(format!("{at}.name"), text));
        }
        if field.kind == FieldKind::SingleSelect && field.options.is_empty() {
            findings.push(Finding::error(
                format!("{at}.options"),
                "a `single_select` needs options",
            ));
        }
    }
}

/// A field is a key of the context: what is read under that name must be it.
fn check_name(name: &str, at: &str, findings: &mut Vec<Finding>) {
    let at = format!("{at}.name");
    if TEMPLATE_ROOTS.contains(&name) || name == "oauth" {
        let text = format!(
            "a field cannot be called `{name}`: that name means something else in placeholders"
        );
        findings.push(Finding::error(at, text));
    } else if name.is_empty()
        || !name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    {
        let text = format!("`{name}` cannot be named in a placeholder");
        findings.push(Finding::error(at, text).hint("use letters, digits, `_` and `-`"));
    }
}
