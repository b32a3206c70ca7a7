//! Whether a text is what its field asks for. Words only name the field.

use std::collections::BTreeSet;

use url::Url;
use uuid::Uuid;

use crate::config::field::{Field, FieldKind, Format, Transform};
use crate::expression::OriginPlace;
use crate::expression::pattern::WholePattern;

use super::{OriginFields, PASSWORD_CHARACTERS, TEXT_CHARACTERS, apply, named};

/// The longest address that mail can be sent to (RFC 5321, section 4.5.3.1.3).
const EMAIL_BYTES: usize = 254;

pub(super) fn text(field: &Field, typed: &str, origins: &OriginFields) -> Result<(), String> {
    let most = most_characters(field);
    if typed.chars().nth(most).is_some() {
        let most = if most == TEXT_CHARACTERS {
            "4,000"
        } else {
            "8,000"
        };
        return Err(format!(
            "{} is too long: at most {most} characters.",
            named(field)
        ));
    }
    let is_refused = |c: char| c.is_control() && !(c == '\n' && field.is_multiline());
    if typed.chars().any(is_refused) && field.is_multiline() {
        return Err(format!(
            "{} must be plain text, without tabs or other control characters.",
            named(field)
        ));
    }
    if typed.chars().any(is_refused) {
        return Err(format!(
            "{} must be one line, without tabs or other control characters.",
            named(field)
        ));
    }
    if let Some(places) = origins.places.get(&field.name) {
        origin(field, typed, places, origins)?;
    }
    if let Some(format) = field.format {
        self::format(field, typed, format)?;
    }
    pattern(field, typed)
}

/// How many characters the field takes.
pub(in crate::connect) fn most_characters(field: &Field) -> usize {
    match field.kind {
        FieldKind::Password => PASSWORD_CHARACTERS,
        FieldKind::Text | FieldKind::SingleSelect => TEXT_CHARACTERS,
    }
}

fn origin(
    field: &Field,
    typed: &str,
    places: &BTreeSet<OriginPlace>,
    origins: &OriginFields,
) -> Result<(), String> {
    let refused = places
        .iter()
        .find(|place| !place.accepts(&field.name, typed, &origins.pins));
    let Some(place) = refused else { return Ok(()) };
    let name = named(field);
    let such = such_as(field);
    Err(match place {
        OriginPlace::Host if origins.pins.dotted_keys.contains(&field.name) => {
            format!(
                "{name} must be only a name of letters, digits, hyphens and dots{such}. Leave out “https://” and anything after a slash."
            )
        }
        OriginPlace::Host => {
            format!(
                "{name} must be only your own part of the address{such}: letters, digits and hyphens. Leave out “https://”, dots and slashes."
            )
        }
        OriginPlace::Whole => {
            format!(
                "{name} must be the whole address of your account, starting with “https://”{such}. Other servers are not accepted."
            )
        }
        OriginPlace::Port => format!("{name} must be a port number between 1 and 65535."),
        OriginPlace::Scheme => format!("{name} must be “https”."),
    })
}

fn format(field: &Field, typed: &str, format: Format) -> Result<(), String> {
    let (fits, wanted) = match format {
        Format::Email => (
            is_email(typed),
            "an e-mail address, such as name@example.com",
        ),
        Format::Number => (is_number(typed), "a number, written in digits"),
        Format::Uuid => (
            is_uuid(typed),
            "an id of this form: 123e4567-e89b-12d3-a456-426614174000",
        ),
        Format::Url => (
            is_url(typed),
            "a whole web address that starts with “https://”",
        ),
        Format::Hostname => (
            is_hostname(typed),
            "the name of a server, such as app.example.com, without “https://” and anything after a slash",
        ),
    };
    if fits {
        Ok(())
    } else {
        Err(format!("{} must be {wanted}.", named(field)))
    }
}

fn is_email(typed: &str) -> bool {
    let parts = typed.split_once('@');
    typed.len() <= EMAIL_BYTES
        && !typed.contains(char::is_whitespace)
        && parts
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
}

/// Digits, perhaps with a sign and a fraction.
fn is_number(typed: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = typed.strip_prefix('-').unwrap_or(typed);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

/// The form with hyphens only (RFC 9562, section 4).
fn is_uuid(typed: &str) -> bool {
    typed.len() == 36 && Uuid::try_parse(typed).is_ok()
}

/// As it is written, not as a parser would repair it; and without a user,
/// whose password would be stored in the open.
fn is_url(typed: &str) -> bool {
    let lower = typed.to_ascii_lowercase();
    let rest = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"));
    let is_written_out = rest.is_some_and(|rest| !rest.starts_with(['/', '\\']));
    let parsed = Url::parse(typed).ok();
    is_written_out
        && !typed.contains(char::is_whitespace)
        && parsed.is_some_and(|url| {
            url.host_str().is_some_and(|host| !host.is_empty())
                && url.username().is_empty()
                && url.password().is_none()
        })
}

/// Two labels or more (RFC 1123, section 2.1).
fn is_hostname(typed: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    typed.len() <= 253 && typed.contains('.') && typed.split('.').all(is_label)
}

/// The whole value must match, as it was typed or in the case it is stored in.
fn pattern(field: &Field, typed: &str) -> Result<(), String> {
    let stored = match field.transform {
        Some(case @ (Transform::Lowercase | Transform::Uppercase)) => Some(apply(case, typed)),
        _ => None,
    };
    let matches = |pattern: &WholePattern| {
        pattern.matches(typed)
            || stored
                .as_ref()
                .is_some_and(|stored| pattern.matches(stored))
    };
    let is_refused = field.not_pattern.as_ref().is_some_and(matches);
    if !is_refused && field.pattern.as_ref().is_none_or(matches) {
        return Ok(());
    }
    Err(format!(
        "{} does not have the form that is expected{}. Please check it.",
        named(field),
        such_as(field)
    ))
}

/// The field's own example, where it has one.
fn such_as(field: &Field) -> String {
    let example = field.placeholder.as_deref().map(str::trim);
    let example = example.filter(|example| !example.is_empty());
    example.map_or_else(String::new, |example| format!(", such as “{example}”"))
}
