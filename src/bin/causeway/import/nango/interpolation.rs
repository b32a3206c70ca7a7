//! The catalogue's texts with values in them: `${path}`, `${function(…)}` and `A || B`.

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    /// `${connectionConfig.region}`, `${apiKey}`, `${now:YYYY}`
    Value(String),
    /// `${base64(…)}`
    Call {
        function: String,
        argument: Vec<Piece>,
    },
}

/// A text whose first alternative with all its values counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpolation {
    pub alternatives: Vec<Vec<Piece>>,
}

impl Interpolation {
    /// `||` separates alternatives only where the text has a value in it.
    pub fn parse(text: &str) -> Self {
        let alternatives = if text.contains("${") {
            split(text, "||")
                .into_iter()
                .map(|part| pieces(part.trim()))
                .collect()
        } else {
            vec![pieces(text)]
        };
        Self { alternatives }
    }

    /// The alternative that counts where all values are there.
    pub fn first(&self) -> &[Piece] {
        self.alternatives.first().map_or(&[], Vec::as_slice)
    }

    /// The paths of all values, those of arguments included.
    pub fn paths(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        for alternative in &self.alternatives {
            add_paths(alternative, &mut paths);
        }
        paths
    }

    pub fn has_call(&self) -> bool {
        let mut pieces = self.alternatives.iter().flatten();
        pieces.any(|piece| matches!(piece, Piece::Call { .. }))
    }
}

/// The paths of the values of some pieces.
pub fn paths_of(pieces: &[Piece]) -> Vec<&str> {
    let mut paths = Vec::new();
    add_paths(pieces, &mut paths);
    paths
}

/// The recursion is as deep as the calls of one text, which [`DEPTH`] bounds.
fn add_paths<'p>(pieces: &'p [Piece], paths: &mut Vec<&'p str>) {
    for piece in pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::Value(path) => paths.push(path),
            Piece::Call { argument, .. } => add_paths(argument, paths),
        }
    }
}

/// Calls in calls.
const DEPTH: usize = 8;

fn pieces(text: &str) -> Vec<Piece> {
    pieces_within(text, DEPTH)
}

fn pieces_within(text: &str, depth: usize) -> Vec<Piece> {
    let (mut found, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        literal.push_str(before);
        let Some(length) = length_of(after) else {
            literal.push_str("${");
            rest = after;
            continue;
        };
        let (inner, behind) = after.split_at(length);
        match value(inner, depth) {
            Some(piece) => {
                push_text(&mut found, std::mem::take(&mut literal));
                found.push(piece);
            }
            None => literal.extend(["${", inner, "}"]),
        }
        rest = behind.strip_prefix('}').unwrap_or(behind);
    }
    literal.push_str(rest);
    push_text(&mut found, literal);
    found
}

fn push_text(found: &mut Vec<Piece>, text: String) {
    if !text.is_empty() {
        found.push(Piece::Text(text));
    }
}

/// The bytes in front of the brace that ends a value.
fn length_of(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 1 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn value(inner: &str, depth: usize) -> Option<Piece> {
    let inner = inner.trim();
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let call = inner
        .strip_suffix(')')
        .and_then(|text| text.split_once('('));
    if let Some((function, argument)) = call.filter(|(name, _)| is_name(name)) {
        let argument = pieces_within(argument, depth.checked_sub(1)?);
        let function = function.to_owned();
        return Some(Piece::Call { function, argument });
    }
    let is_path = !inner.is_empty() && !inner.contains(['{', '}', '(', ')']);
    is_path.then(|| Piece::Value(inner.to_owned()))
}

/// Splits a text at a separator that is in no value.
pub fn split<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let (mut parts, mut start, mut open) = (Vec::new(), 0, 0_usize);
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if open == 0 && rest.starts_with(separator) {
            parts.extend(text.get(start..at));
            at += separator.len();
            start = at;
            continue;
        }
        if rest.starts_with("${") {
            open += 1;
        } else if rest.starts_with('}') {
            open = open.saturating_sub(1);
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    parts.extend(text.get(start..));
    parts
}
