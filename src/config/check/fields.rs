//! Fields of credentials and forms, and the other names under which a file puts values into a context.

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

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
        if let Some(keys) = credential.context_from_claims() {
            check_keys(keys.keys(), &at, "contextFromClaims", findings);
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
        check_words(field, &at, findings);
        check_choices(field, fields, &at, findings);
        check_visibility(
            field,
            fields.get(..index).unwrap_or_default(),
            &at,
            findings,
        );
        if field.kind == FieldKind::SingleSelect && field.options.is_empty() {
            findings.push(Finding::error(
                format!("{at}.options"),
                "a `single_select` needs options",
            ));
        }
    }
}

/// The address is one that people open, and the texts are around a line.
fn check_words(field: &Field, at: &str, findings: &mut Vec<Finding>) {
    let docs = field.docs_url.as_deref();
    if docs.is_some_and(|docs| Url::parse(docs).map_or(true, |url| url.scheme() != "https")) {
        let text = "it is no `https://` address, and is not shown";
        findings.push(Finding::error(format!("{at}.docs_url"), text));
    }
    let around = [("prefix", &field.prefix), ("suffix", &field.suffix)];
    let is_select = field.kind == FieldKind::SingleSelect;
    for (key, _) in around
        .into_iter()
        .filter(|(_, text)| text.is_some() && is_select)
    {
        let text = "a `single_select` has no text around it";
        findings.push(Finding::error(format!("{at}.{key}"), text));
    }
}

/// What options fill in addition are keys of the context that no field of the form has.
fn check_choices(field: &Field, fields: &[Field], at: &str, findings: &mut Vec<Finding>) {
    for (index, choice) in field.options.iter().enumerate() {
        for (key, value) in &choice.set {
            let at = format!("{at}.options[{index}].set.{key}");
            check_key(key, &at, findings);
            if fields.iter().any(|other| other.name == *key) {
                let text = format!("`{key}` is a field of the form");
                findings.push(Finding::error(at, text));
            } else if value.is_object() || value.is_array() || value.is_null() {
                let text = "a choice fills in texts, numbers and booleans";
                findings.push(Finding::error(at, text));
            }
        }
    }
}

/// A field is shown by a choice above it, which is always there.
fn check_visibility(field: &Field, above: &[Field], at: &str, findings: &mut Vec<Finding>) {
    let Some(condition) = &field.visible_when else {
        return;
    };
    let at = format!("{at}.visible_when");
    let is_it = |other: &&Field| other.name == condition.field;
    let found = above
        .iter()
        .find(is_it)
        .filter(|other| other.kind == FieldKind::SingleSelect && other.visible_when.is_none());
    let Some(other) = found else {
        let text = format!(
            "`{}` is no `single_select` above this field that is always shown",
            condition.field
        );
        findings.push(Finding::error(format!("{at}.field"), text));
        return;
    };
    let is_offered = |value: &Value| other.options.iter().any(|choice| choice.value == *value);
    if condition.values.is_empty() || !condition.values.iter().all(is_offered) {
        let text = format!("these are not all options of `{}`", condition.field);
        findings.push(Finding::error(format!("{at}.is"), text));
    }
}

/// A field is a key of the context: what is read under that name must be it.
fn check_name(name: &str, at: &str, findings: &mut Vec<Finding>) {
    check_key(name, &format!("{at}.name"), findings);
}

fn check_key(name: &str, at: &str, findings: &mut Vec<Finding>) {
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
