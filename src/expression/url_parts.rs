//! Taking a URL template apart while it is compiled, so that it is known for
//! each placeholder where in the URL it is.

use super::placeholder::{Placeholder, PlaceholderError};
use super::room;
use super::template::{Template, TemplatePiece};
use super::url_value::is_dot_segment;

/// Why a text is not a URL template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlTemplateError {
    /// A placeholder in it cannot be filled.
    #[error(transparent)]
    Placeholder(#[from] PlaceholderError),
    /// Longer than `room::URL_BYTES`, which no rendered one may be either.
    #[error("a URL or path has at most {} bytes", room::URL_BYTES)]
    TooLong,
    /// Neither `http(s)://` nor a placeholder that is the whole origin.
    #[error("a URL starts with `https://`, or with a placeholder that holds all of `https://host`")]
    NoScheme,
    /// `https:///x`
    #[error("the URL has no host")]
    NoHost,
    /// Text that a host or port cannot have.
    #[error("`{0}` cannot be in a host or port")]
    Authority(char),
    /// A fragment, a backslash, a line break …
    #[error("{0:?} cannot be in a URL")]
    Character(char),
    /// A `.` or `..` segment, or an empty one in front.
    #[error("a path has no empty first segment, no `.` and no `..`")]
    Segment,
}

/// Literal text and placeholders between two separators of a URL.
pub(super) type UrlPart = Vec<TemplatePiece>;

/// The front of a URL.
#[derive(Debug, Clone)]
pub(super) enum OriginParts {
    /// One placeholder holds scheme, host, port and perhaps a path.
    Whole(Placeholder),
    Parts {
        scheme: UrlPart,
        host: UrlPart,
        port: Option<UrlPart>,
    },
}

/// The rest of a URL: segments without their slashes, and the query.
#[derive(Debug, Clone, Default)]
pub(super) struct UrlTarget {
    pub segments: Vec<UrlPart>,
    pub query: Option<UrlPart>,
}

/// A character of the literal text, or a placeholder.
enum Atom {
    Char(char),
    Placeholder(Placeholder),
}

impl Atom {
    fn is(&self, wanted: char) -> bool {
        matches!(self, Self::Char(c) if *c == wanted)
    }
}

fn atoms(template: &Template) -> Result<Vec<Atom>, UrlTemplateError> {
    let mut atoms = Vec::new();
    for piece in template.pieces() {
        match piece {
            TemplatePiece::Placeholder(placeholder) => {
                atoms.push(Atom::Placeholder(placeholder.clone()));
            }
            TemplatePiece::Literal(text) => atoms.extend(text.chars().map(Atom::Char)),
        }
    }
    let refused = |c: &char| c.is_control() || "#\\<>\"^`{}|".contains(*c);
    match atoms.iter().find_map(|atom| match atom {
        Atom::Char(c) if refused(c) => Some(*c),
        _ => None,
    }) {
        Some(c) => Err(UrlTemplateError::Character(c)),
        None => Ok(atoms),
    }
}

/// Takes a whole URL apart.
pub(super) fn url(template: &Template) -> Result<(OriginParts, UrlTarget), UrlTemplateError> {
    let mut atoms = atoms(template)?;
    let rest_at = |atoms: &[Atom]| atoms.iter().position(|atom| atom.is('/') || atom.is('?'));
    if let (Some(Atom::Placeholder(whole)), Some(0) | None) =
        (atoms.first(), rest_at(atoms.get(1..).unwrap_or_default()))
    {
        let whole = whole.clone();
        if atoms
            .get(1)
            .is_some_and(|atom| !atom.is('/') && !atom.is('?'))
        {
            return Err(UrlTemplateError::NoScheme);
        }
        return Ok((OriginParts::Whole(whole), target(atoms.split_off(1))?));
    }
    let colon = atoms
        .iter()
        .position(|atom| atom.is(':'))
        .ok_or(UrlTemplateError::NoScheme)?;
    let mut rest = atoms.split_off(colon);
    if !rest
        .iter()
        .take(3)
        .map(|atom| atom.is('/'))
        .eq([false, true, true])
    {
        return Err(UrlTemplateError::NoScheme);
    }
    let mut authority = rest.split_off(3);
    let target_at = rest_at(&authority).unwrap_or(authority.len());
    let behind = authority.split_off(target_at);
    Ok((origin(part(atoms), authority)?, target(behind)?))
}

fn origin(scheme: UrlPart, mut authority: Vec<Atom>) -> Result<OriginParts, UrlTemplateError> {
    match scheme.as_slice() {
        [TemplatePiece::Placeholder(_)] => {}
        [TemplatePiece::Literal(text)] if matches!(text.as_str(), "http" | "https") => {}
        _ => return Err(UrlTemplateError::NoScheme),
    }
    let bracket = authority.iter().rposition(|atom| atom.is(']')).unwrap_or(0);
    let behind_bracket = authority.get(bracket..).unwrap_or_default();
    let colon = behind_bracket
        .iter()
        .position(|atom| atom.is(':'))
        .map(|at| at + bracket);
    let port: Option<Vec<Atom>> =
        colon.map(|colon| authority.split_off(colon).into_iter().skip(1).collect());
    check_text(&authority, |c| {
        c.is_ascii_alphanumeric() || "-._[]:".contains(c)
    })?;
    check_text(port.as_deref().unwrap_or_default(), |c| c.is_ascii_digit())?;
    if authority.is_empty() || port.as_ref().is_some_and(Vec::is_empty) {
        return Err(UrlTemplateError::NoHost);
    }
    Ok(OriginParts::Parts {
        scheme,
        host: part(authority),
        port: port.map(part),
    })
}

fn check_text(atoms: &[Atom], fits: impl Fn(char) -> bool) -> Result<(), UrlTemplateError> {
    let misfit = atoms.iter().find_map(|atom| match atom {
        Atom::Char(c) if !fits(*c) => Some(*c),
        _ => None,
    });
    misfit.map_or(Ok(()), |c| Err(UrlTemplateError::Authority(c)))
}

/// Takes a path with an optional query apart; a leading slash may be missing.
pub(super) fn path(template: &Template) -> Result<UrlTarget, UrlTemplateError> {
    target(atoms(template)?)
}

fn target(mut atoms: Vec<Atom>) -> Result<UrlTarget, UrlTemplateError> {
    let query_at = atoms.iter().position(|atom| atom.is('?'));
    let query = query_at.map(|at| part(atoms.split_off(at).into_iter().skip(1).collect()));
    if atoms.first().is_some_and(|atom| atom.is('/')) {
        atoms.remove(0);
    }
    if atoms.is_empty() {
        return Ok(UrlTarget {
            segments: Vec::new(),
            query,
        });
    }
    let mut segments = vec![Vec::new()];
    for atom in atoms {
        if atom.is('/') {
            segments.push(Vec::new());
        } else if let Some(last) = segments.last_mut() {
            last.push(atom);
        }
    }
    let segments: Vec<UrlPart> = segments.into_iter().map(part).collect();
    let literal = |segment: &UrlPart| match segment.as_slice() {
        [TemplatePiece::Literal(text)] => Some(text.clone()),
        _ => None,
    };
    if segments.first().is_some_and(Vec::is_empty)
        || segments
            .iter()
            .filter_map(literal)
            .any(|text| is_dot_segment(&text))
    {
        return Err(UrlTemplateError::Segment);
    }
    Ok(UrlTarget { segments, query })
}

/// Gathers single characters into literals again.
fn part(atoms: Vec<Atom>) -> UrlPart {
    let mut part: UrlPart = Vec::new();
    for atom in atoms {
        match (atom, part.last_mut()) {
            (Atom::Char(c), Some(TemplatePiece::Literal(text))) => text.push(c),
            (Atom::Char(c), _) => part.push(TemplatePiece::Literal(c.to_string())),
            (Atom::Placeholder(placeholder), _) => {
                part.push(TemplatePiece::Placeholder(placeholder));
            }
        }
    }
    part
}
