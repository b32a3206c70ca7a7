//! Fields of credentials and forms.

use std::collections::BTreeSet;

use crate::config::action::StepKind;
use crate::config::field::{Field, Kind};
use crate::config::{Config, Finding};
use crate::expression::scope::TEMPLATE_ROOTS;

pub(super) fn check(config: &Config, findings: &mut Vec<Finding>) {
    for (format, credential) in &config.credentials {
        let at = format!("config.credentials.{format}.config.fields");
        check_fields(credential.fields(), &at, findings);
    }
    for (name, action) in &config.actions {
        for (place, step) in action.placed() {
            if let StepKind::Form(form) = &step.kind {
                let at = format!("config.actions.{name}{place}.config.fields");
                check_fields(&form.fields, &at, findings);
            }
        }
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
        if field.kind == Kind::SingleSelect && field.options.is_empty() {
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
