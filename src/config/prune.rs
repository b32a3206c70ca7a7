//! Reading one unit of the file (a method, a credential …) so that every
//! mistake in it is found: each one is recorded and cut out, and the rest is
//! read again.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Finding;
use crate::expression::effort;
use crate::json::typed::{self, PathStep};

/// Mistakes listed for one unit: each has the unit read again.
const MAX_MISTAKES: usize = 20;
/// Bytes of a name that is looked for among the known ones: comparing takes the
/// product of their lengths.
const LONGEST_SLIP: usize = 64;
/// Steps of reading a unit once, an object or another value in it, each level
/// above a value, and each byte of text.
const A_UNIT: u64 = 2_000;
const AN_OBJECT: u64 = 300;
const A_VALUE: u64 = 60;
const A_LEVEL: u64 = 8;
const A_BYTE: u64 = 2;
/// Steps that an entry of `headers` or `query`, a template, takes beyond; of the
/// first few the unit pays for most.
const A_TEMPLATE: u64 = 250;
const FEW_TEMPLATES: u64 = 8;
const ANOTHER_TEMPLATE: u64 = 700;

/// Reads `value`, which is at `at` in the file. `None` when not even its
/// remains can be read.
pub(super) fn read<T: DeserializeOwned>(
    mut value: Value,
    at: &str,
    findings: &mut Vec<Finding>,
) -> Option<T> {
    let mut cuts = Cuts::default();
    let steps = A_UNIT + reading(&value, 0);
    for _ in 0..MAX_MISTAKES {
        // The reader says that the file is too complex.
        effort::take(steps + at.len() as u64).ok()?;
        let mistake = match typed::read::<T>(&value) {
            Ok(read) => return Some(read),
            Err(mistake) => mistake,
        };
        let (mut place, message) = (mistake.place, mistake.error.to_string());
        add_unknown_key(&mut place, &message);
        let original = cuts.original(&place);
        let path = format!("{at}{original}");
        findings.extend(cuts.finding(&value, &place, &original, &path, &message));
        cuts.cut(&mut value, &place, original)?;
    }
    findings.push(Finding::error(
        at,
        format!("more than {MAX_MISTAKES} mistakes; only the first are listed"),
    ));
    None
}

/// Steps of reading a value that is so deep.
fn reading(value: &Value, depth: u64) -> u64 {
    let text = |text: &str| A_BYTE * text.len() as u64;
    let levels = A_LEVEL * depth;
    levels
        + match value {
            Value::String(own) => A_VALUE + text(own),
            Value::Array(items) => {
                let each = items.iter().map(|item| reading(item, depth + 1));
                A_VALUE + each.sum::<u64>()
            }
            Value::Object(entries) => {
                let each = entries
                    .iter()
                    .map(|(key, item)| text(key) + templates(key, item) + reading(item, depth + 1));
                AN_OBJECT + each.sum::<u64>()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => A_VALUE,
        }
}

fn templates(key: &str, value: &Value) -> u64 {
    match value {
        Value::Object(entries) if matches!(key, "headers" | "query") => {
            let count = entries.len() as u64;
            A_TEMPLATE * count.min(FEW_TEMPLATES)
                + ANOTHER_TEMPLATE * count.saturating_sub(FEW_TEMPLATES)
        }
        _ => 0,
    }
}

/// Types read by hand name an unknown key without being at it.
fn add_unknown_key(place: &mut Vec<PathStep>, message: &str) {
    let Some(key) = quoted(message, "unknown field `") else {
        return;
    };
    if !matches!(place.last(), Some(PathStep::Key(last)) if last == key) {
        place.push(PathStep::Key(key.to_owned()));
    }
}

/// What serde quotes after `start`.
fn quoted<'m>(message: &'m str, start: &str) -> Option<&'m str> {
    message.strip_prefix(start)?.split('`').next()
}

/// What has been cut out so far, in the coordinates of the file.
#[derive(Default)]
struct Cuts {
    paths: BTreeSet<String>,
    elements: BTreeMap<String, Vec<usize>>,
}

impl Cuts {
    /// The place as it is in the file: indices count the elements cut before.
    fn original(&self, place: &[PathStep]) -> String {
        let mut path = String::new();
        for step in place {
            match step {
                PathStep::Key(key) => path = format!("{path}.{key}"),
                PathStep::Index(index) => {
                    let cut = self
                        .elements
                        .get(&path)
                        .map(Vec::as_slice)
                        .unwrap_or_default();
                    let index = cut
                        .iter()
                        .fold(*index, |index, cut| index + usize::from(*cut <= index));
                    path = format!("{path}[{index}]");
                }
            }
        }
        path
    }

    fn finding(
        &self,
        value: &Value,
        place: &[PathStep],
        original: &str,
        path: &str,
        message: &str,
    ) -> Option<Finding> {
        if let Some(key) = quoted(message, "unknown field `") {
            let finding = Finding::error(path, format!("`{key}` is not a key here"));
            return (!key.starts_with("x-"))
                .then(|| finding.hint(nearest(key, &known_in(message))));
        }
        let is_null = at(value, place).is_some_and(Value::is_null);
        if is_null && matches!(place.last(), Some(PathStep::Key(_))) {
            return None; // null is absent
        }
        if let Some(key) = quoted(message, "missing field `") {
            let is_consequence = self.paths.contains(&format!("{original}.{key}"));
            return (!is_consequence).then(|| Finding::error(path, format!("`{key}` is missing")));
        }
        if let Some(key) = quoted(message, "duplicate field `") {
            let text = format!("`{key}` is given twice here, perhaps in two spellings");
            return Some(Finding::error(path, text));
        }
        if let Some(variant) = quoted(message, "unknown variant `") {
            let finding = Finding::error(path, format!("`{variant}` is not known here"));
            return Some(finding.hint(nearest(variant, &known_in(message))));
        }
        Some(Finding::error(path, without_value(message)))
    }

    /// Removes what is at `place`. `None` when that is everything.
    fn cut(&mut self, value: &mut Value, place: &[PathStep], original: String) -> Option<()> {
        let (last, parents) = place.split_last()?;
        let array = self.original(parents);
        let was_null = at(value, place).is_some_and(Value::is_null);
        let parent = parents.iter().try_fold(value, |value, step| match step {
            PathStep::Key(key) => value.get_mut(key),
            PathStep::Index(index) => value.get_mut(*index),
        })?;
        match (last, parent) {
            (PathStep::Key(key), Value::Object(map)) => {
                map.shift_remove(key)?;
            }
            (PathStep::Index(index), Value::Array(items)) if *index < items.len() => {
                items.remove(*index);
                let position = original
                    .rsplit_once('[')
                    .and_then(|(_, rest)| rest.strip_suffix(']'));
                let elements = self.elements.entry(array).or_default();
                elements.extend(position.and_then(|text| text.parse::<usize>().ok()));
                elements.sort_unstable();
            }
            _ => return None,
        }
        if !was_null {
            self.paths.insert(original);
        }
        Some(())
    }
}

fn at<'v>(value: &'v Value, place: &[PathStep]) -> Option<&'v Value> {
    place.iter().try_fold(value, |value, step| match step {
        PathStep::Key(key) => value.get(key),
        PathStep::Index(index) => value.get(*index),
    })
}

/// The names serde lists as expected, in its own message.
fn known_in(message: &str) -> Vec<&str> {
    let listed = message
        .split_once("expected")
        .map_or("", |(_, listed)| listed);
    listed.split('`').skip(1).step_by(2).collect()
}

/// The hint for an unknown name.
pub(super) fn nearest(name: &str, known: &[&str]) -> String {
    let is_slip = name.len() <= LONGEST_SLIP;
    let closest = known
        .iter()
        .filter(|_| is_slip)
        .min_by_key(|key| strsim::damerau_levenshtein(name, key));
    match closest {
        Some(key) if strsim::damerau_levenshtein(name, key) <= 1 + name.len() / 3 => {
            format!("did you mean `{key}`?")
        }
        _ if known.is_empty() => "nothing is known here".to_owned(),
        _ => format!("known here: {}", known.join(", ")),
    }
}

/// Serde quotes texts it did not expect; they may be secrets.
fn without_value(message: &str) -> String {
    let quoted = message
        .find(": string \"")
        .map(|start| start + ": string".len());
    match (quoted, message.rfind("\", expected ")) {
        (Some(start), Some(end)) if start < end => {
            let (before, after) = (message.get(..start), message.get(end + 1..));
            format!(
                "{}{}",
                before.unwrap_or_default(),
                after.unwrap_or_default()
            )
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests;
