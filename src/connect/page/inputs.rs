//! One field of the form: label, help, problem and input.

use maud::{Markup, html};
use serde_json::Value;

use super::logo::https;
use crate::config::field::{Field, FieldKind, Format};
use crate::connect::form::{
    check::most_characters, is_hidden, kept_value, label, option_text, posted_as,
};

/// A field with what is known of it.
pub(super) struct FormInput<'a> {
    /// Its number on the page.
    pub at: usize,
    /// What the file says of it.
    pub field: &'a Field,
    /// What was posted, when the form is shown again.
    pub posted: Option<&'a [(String, String)]>,
    /// The context of the account, when it is kept.
    pub kept: Option<&'a Value>,
    /// What is wrong with it.
    pub problem: Option<&'a str>,
}

/// The id of an input: by number, since a name may clash with other ids.
pub(super) fn id(at: usize) -> String {
    format!("field-{at}")
}

pub(super) fn input(input: &FormInput) -> Markup {
    let (id, field) = (id(input.at), input.field);
    let note = note(input);
    let row = field.visible_when.as_ref().map(|_| format!("{id}-row"));
    html! {
        div.field.wrong[input.problem.is_some()] id=[row] {
            div.name {
                label for=(id) dir="auto" { (label(field)) }
                span.mark { (mark(input)) }
            }
            @if let Some(help) = help(field) { p.help id={ (id) "-help" } dir="auto" { (help) } }
            @if let Some(docs) = field.docs_url.as_deref().and_then(https) {
                p.help { a href=(docs) target="_blank" rel="noopener noreferrer" { "How to find it" span.unseen { " (" (label(field)) ", opens in a new tab)" } } }
            }
            @if let Some(note) = note { p.help id={ (id) "-note" } { (note) } }
            @if let Some(problem) = input.problem {
                p.problem id={ (id) "-problem" } dir="auto" {
                    span.unseen { "Error: " } (problem)
                }
            }
            @match field.kind {
                FieldKind::SingleSelect => (select(input, &id)),
                _ if field.is_multiline() => (area(input, &id)),
                FieldKind::Text | FieldKind::Password => (affixed(input, &id)),
            }
        }
    }
}

/// The input between the texts that are no part of its value.
fn affixed(input: &FormInput, id: &str) -> Markup {
    let (prefix, suffix) = (input.field.prefix.as_deref(), input.field.suffix.as_deref());
    if prefix.is_none() && suffix.is_none() {
        return line(input, id);
    }
    html! {
        div.affixed dir="ltr" {
            @if let Some(prefix) = prefix { span id={ (id) "-prefix" } { (prefix) } }
            (line(input, id))
            @if let Some(suffix) = suffix { span id={ (id) "-suffix" } { (suffix) } }
        }
    }
}

/// Without `maxlength`: browsers cut what is pasted without a word, and half a
/// key is worse than a problem.
fn line(input: &FormInput, id: &str) -> Markup {
    let field = input.field;
    let (kind, mode) = match (field.kind, field.format) {
        (FieldKind::Password, _) => ("password", None),
        (_, Some(Format::Email)) => ("email", Some("email")),
        (_, Some(Format::Url)) => ("url", Some("url")),
        (_, Some(Format::Hostname)) => ("text", Some("url")),
        (_, Some(Format::Number)) => ("text", Some("decimal")),
        _ => ("text", None),
    };
    let completion = match kind {
        "email" => "email",
        _ => "off",
    };
    html! {
        input id=(id) name=(field.name) type=(kind) value=(shown(input)) inputmode=[mode]
            placeholder=[field.placeholder.as_deref()]
            autocomplete=(completion) autocapitalize="none" autocorrect="off" spellcheck="false" dir="auto"
            required[is_needed(input)] aria-invalid=[input.problem.map(|_| "true")]
            aria-describedby=[described_by(input, id)];
    }
}

/// An input of several lines. A browser drops the first line break behind the tag, so a value that begins with one keeps
/// it.
fn area(input: &FormInput, id: &str) -> Markup {
    let field = input.field;
    html! {
        textarea id=(id) name=(field.name) rows="6" placeholder=[field.placeholder.as_deref()]
            autocomplete="off" autocapitalize="none" autocorrect="off" spellcheck="false" dir="ltr"
            required[is_needed(input)] aria-invalid=[input.problem.map(|_| "true")]
            aria-describedby=[described_by(input, id)] { "\n" (shown(input)) }
    }
}

fn select(input: &FormInput, id: &str) -> Markup {
    let field = input.field;
    let chosen = shown(input);
    let texts: Vec<String> = field.options.iter().map(option_text).collect();
    // Without a choice the browser would take the first option for one.
    let is_chosen = field.required && texts.contains(&chosen);
    let needs_blank = !is_chosen && !texts.iter().any(String::is_empty);
    html! {
        select id=(id) name=(field.name) required[is_needed(input)] aria-invalid=[input.problem.map(|_| "true")]
            aria-describedby=[described_by(input, id)] {
            @if needs_blank { option value="" { "Choose…" } }
            @for (choice, text) in field.options.iter().zip(&texts) {
                option value=(text) selected[*text == chosen] dir="auto" { (choice.label) }
            }
        }
    }
}

/// The style that shows a field where its choice is made. Browsers that do not know `:has` show it always; the form is read
/// in the same way.
pub(super) fn visibility(fields: &[Field]) -> String {
    let mut style = String::new();
    for (at, field) in fields.iter().enumerate() {
        let condition = field.visible_when.as_ref();
        let place = condition.and_then(|condition| {
            let found = fields
                .iter()
                .position(|other| other.name == condition.field)?;
            Some((found, fields.get(found)?, &condition.values))
        });
        let Some((place, other, values)) = place else {
            continue;
        };
        // Counted from the end, as a blank option may be in front.
        let choices = (1..).zip(other.options.iter().rev());
        let shows = choices.filter(|(_, choice)| values.contains(&choice.value));
        let shows: Vec<String> = shows
            .map(|(choice, _)| format!("#field-{place} > :nth-last-child({choice}):checked"))
            .collect();
        let row = format!("#field-{at}-row");
        style.extend([
            "@supports selector(:has(*)) { form:not(:has(",
            &shows.join(", "),
            ")) ",
            &row,
            " { display: none } }\n",
        ]);
    }
    style
}

/// The content of the input: never a secret, also after a failed post.
fn shown(input: &FormInput) -> String {
    let field = input.field;
    if is_hidden(field) {
        return String::new();
    }
    let posted = input
        .posted
        .and_then(|posted| posted_as(posted, &field.name));
    if let Some(posted) = posted {
        return posted.chars().take(most_characters(field)).collect();
    }
    let known = kept_value(input.kept, field).or(field.default.as_ref());
    match known {
        Some(Value::String(text)) => text.clone(),
        // Only what a customer typed is shown of a line, no other part of the context.
        Some(Value::Object(_) | Value::Array(_)) if field.kind == FieldKind::Text => String::new(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// Whether a value must be typed now: a kept secret need not be.
fn is_needed(input: &FormInput) -> bool {
    input.field.required && !is_kept_secret(input)
}

fn is_kept_secret(input: &FormInput) -> bool {
    is_hidden(input.field) && kept_value(input.kept, input.field).is_some()
}

fn mark(input: &FormInput) -> &'static str {
    match (is_needed(input), is_kept_secret(input)) {
        (true, _) => "Required",
        (_, true) => "Already stored",
        _ => "Optional",
    }
}

fn help(field: &Field) -> Option<&str> {
    let help = field.help_text.as_deref().map(str::trim);
    help.filter(|help| !help.is_empty())
}

/// Why a secret's input is empty.
fn note(input: &FormInput) -> Option<&'static str> {
    let was_typed = input
        .posted
        .and_then(|posted| posted_as(posted, &input.field.name))
        .is_some_and(|text| !text.is_empty());
    if is_hidden(input.field) && was_typed {
        Some("For your safety it is not shown again. Please type it again.")
    } else if is_kept_secret(input) {
        Some("Leave it empty to keep the one that is stored.")
    } else {
        None
    }
}

fn described_by(input: &FormInput, id: &str) -> Option<String> {
    let parts = [
        ("prefix", input.field.prefix.is_some()),
        ("suffix", input.field.suffix.is_some()),
        ("help", help(input.field).is_some()),
        ("note", note(input).is_some()),
        ("problem", input.problem.is_some()),
    ];
    let there = parts.iter().filter(|(_, is_there)| *is_there);
    let ids: Vec<String> = there.map(|(part, _)| format!("{id}-{part}")).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}
