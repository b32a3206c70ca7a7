//! Placeholders that nothing fills, and text that only looks like one. The
//! check traverses the JSON itself, so that it sees every template of every section.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::config::action::{ContextChange, StepKind};
use crate::config::prose;
use crate::config::{Config, Finding};
use crate::expression::scope::context_key;
use crate::expression::{Placeholder, Template, TemplateTree, effort, has_stray_braces};

use super::Broken;

/// Keys below which no template is, next to those of `prose`: JSONata, patterns and forms.
const NO_TEMPLATES: [&str; 14] = [
    "run_if",
    "ok_when",
    "handle_verification",
    "payload_transform",
    "verification_content",
    "compare_with",
    "public_key_url_pattern",
    "confirm_url_pattern",
    "event_id",
    "is_rate_limited",
    "retry_on",
    "context_lookup_field_value",
    "fields",
    "contextFromCallback",
];
/// Links are looked at: braces in one are a mistake.
const LINKS: [&str; 2] = ["logo", "icon"];

fn has_templates(key: &str) -> bool {
    let is_prose = prose::is_text(key) || prose::is_sample(key);
    let is_skipped = is_prose && !LINKS.contains(&key);
    !is_skipped && !key.starts_with("x-") && !NO_TEMPLATES.contains(&key)
}

pub(super) fn check(config: &Config, file: &Value, broken: &Broken, findings: &mut Vec<Finding>) {
    let mut check = PlaceholderCheck {
        known: known_keys(config, broken),
        findings,
    };
    check.value(file, "config");
}

/// The context keys that something fills; `None` when that cannot be known.
fn known_keys(config: &Config, broken: &Broken) -> Option<BTreeSet<String>> {
    if broken.touches("config.credentials") || broken.touches("config.actions") {
        return None;
    }
    let mut known: BTreeSet<String> = config
        .fields()
        .flat_map(|field| field.filled_keys().cloned())
        .collect();
    for credential in config.credentials.values() {
        if !credential.has_token() {
            continue;
        }
        known.extend(credential.jwt().map(|_| "jwt".to_owned()));
        known.extend(["oauth".to_owned(), "access_token".to_owned()]);
        known.extend(credential.granted_keys().cloned());
        let Some(oauth) = credential.oauth() else {
            continue;
        };
        known.extend(oauth.context_from_callback.keys().cloned());
        let read = oauth.params.values().flat_map(Template::placeholders);
        let mut read = read.flat_map(Placeholder::paths);
        if read.any(|path| context_key(path) == Some("random")) {
            known.insert("random".to_owned());
        }
    }
    let handshake = config
        .webhook
        .as_ref()
        .and_then(|webhook| webhook.handle_verification.as_ref());
    if handshake.is_some_and(|expression| expression.source().contains("update_context")) {
        return None;
    }
    for step in config
        .placed_actions()
        .flat_map(|placed| &placed.action.steps)
    {
        match &step.kind {
            StepKind::SetContext(ContextChange::Values(TemplateTree::Object(entries)))
            | StepKind::UpdateContext(ContextChange::Values(TemplateTree::Object(entries))) => {
                known.extend(entries.iter().map(|(key, _)| key.clone()));
            }
            StepKind::SetContext(_) | StepKind::UpdateContext(_) => return None,
            _ => {}
        }
    }
    Some(known)
}

struct PlaceholderCheck<'f> {
    known: Option<BTreeSet<String>>,
    findings: &'f mut Vec<Finding>,
}

impl PlaceholderCheck<'_> {
    /// The recursion is as deep as the file, which is bounded.
    fn value(&mut self, value: &Value, at: &str) {
        // Its path is written for each value; the reader says when that is too much.
        if effort::take(20 + at.len() as u64 / 8).is_err() {
            return;
        }
        match value {
            Value::String(text) => self.text(text, at),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{at}[{index}]"));
                }
            }
            Value::Object(entries) => {
                let is_transform = entries.get("type").is_some_and(|kind| kind == "transform");
                for (key, item) in entries {
                    let is_computed =
                        key.ends_with("expression") || (is_transform && key == "config");
                    if !is_computed && has_templates(key) {
                        self.value(item, &format!("{at}.{key}"));
                    }
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, at: &str) {
        if has_stray_braces(text) {
            let finding =
                Finding::warning(at, "`{{` without a placeholder after it is sent unchanged");
            self.findings.push(
                finding.hint("a placeholder is `{{` + letters, digits, `_-./|:?`, spaces + `}}`"),
            );
        }
        let Some(known) = &self.known else { return };
        let Ok(template) = Template::parse(text) else {
            return;
        };
        for placeholder in template
            .placeholders()
            .filter(|placeholder| is_never_filled(placeholder, known))
        {
            let names: Vec<String> = placeholder.paths().map(ToString::to_string).collect();
            let text = format!("nothing fills `{}`: no field declares it", names.join("|"));
            let finding = Finding::warning(at, text);
            self.findings
                .push(finding.hint("declare a field, or give a default with `?:`"));
        }
    }
}

fn is_never_filled(placeholder: &Placeholder, known: &BTreeSet<String>) -> bool {
    let is_unknown = |key: &str| !known.contains(key);
    !placeholder.has_fallback()
        && placeholder.paths().all(|path| match path.first() {
            Some("context" | "credentials") if path.parts().len() == 1 => false,
            _ => context_key(path).is_some_and(is_unknown),
        })
}
