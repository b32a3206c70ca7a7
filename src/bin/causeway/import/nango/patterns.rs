//! Patterns of the catalogue's fields: what they say of a host, and how this product writes them.

use causeway::config::Field;
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, Look};
use serde_json::json;

/// Hosts that a pattern allows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PatternEnds {
    /// Whole values.
    pub exact: Vec<String>,
    /// What other values end with: `.example.com`.
    pub suffixes: Vec<String>,
}

/// Ends of values that are looked for.
const MOST_ENDS: usize = 64;

/// What every value of a pattern ends with; `None` where that cannot be said.
pub fn ends_of(pattern: &str) -> Option<PatternEnds> {
    let hir: Hir = regex_syntax::parse(pattern).ok()?;
    let looks = hir.properties().look_set_suffix();
    if !looks.contains(Look::End) {
        return None;
    }
    let is_whole = hir.properties().look_set_prefix().contains(Look::Start);
    let mut extractor = Extractor::new();
    extractor
        .kind(ExtractKind::Suffix)
        .limit_class(16)
        .limit_total(MOST_ENDS);
    let ends = extractor.extract(&hir);
    let mut found = PatternEnds::default();
    for literal in ends.literals()? {
        let text = std::str::from_utf8(literal.as_bytes()).ok()?;
        if literal.is_exact() && is_whole {
            found.exact.push(text.to_owned());
        } else {
            found.suffixes.push(text.to_owned());
        }
    }
    (!found.exact.is_empty() || !found.suffixes.is_empty()).then_some(found)
}

/// Whether a field may have this pattern.
pub fn is_pattern(pattern: &str) -> bool {
    let field = json!({ "name": "value", "pattern": pattern });
    serde_json::from_value::<Field>(field).is_ok()
}

/// A pattern without the negative look-ahead at its beginning, and what that excludes.
pub fn without_exclusion(pattern: &str) -> Option<(String, String)> {
    let rest = pattern.strip_prefix("^(?!")?;
    let (mut open, mut escaped, mut in_class) = (1_usize, false, false);
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => open += 1,
            ')' if !in_class => open -= 1,
            _ => {}
        }
        if open == 0 {
            let excluded = rest.get(..at)?;
            let kept = rest.get(at + 1..)?;
            return Some((format!("^{kept}"), excluded.to_owned()));
        }
    }
    None
}

/// Whether values of a pattern may have a port or a path behind the host.
pub fn goes_behind_host(pattern: &str) -> bool {
    let mut text = pattern.replace("\\/", "/").replace("(?:", "(");
    for scheme in [
        "^(https?://)?",
        "^(https?)://",
        "^https?://",
        "^https://",
        "^http://",
    ] {
        if let Some(rest) = text.strip_prefix(scheme) {
            text = rest.to_owned();
            break;
        }
    }
    text.contains('/') || text.contains(':')
}

/// Whether values of a pattern begin with a scheme, always or sometimes.
pub fn has_scheme(pattern: &str) -> bool {
    let text = pattern.replace("\\/", "/");
    text.contains("://")
        && text
            .trim_start_matches(['^', '(', '?', ':'])
            .starts_with("http")
}

/// The pattern with `https://` in front of its values.
pub fn with_scheme(pattern: &str) -> String {
    let inner = pattern.strip_prefix('^').unwrap_or(pattern);
    let inner = inner
        .strip_suffix('$')
        .filter(|text| !text.ends_with('\\'))
        .unwrap_or(inner);
    format!("^https://(?:{inner})$")
}
