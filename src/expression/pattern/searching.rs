//! What searching with a pattern takes: how many of its places a search may be at, and how far it looks.
use regex_syntax::hir::{Class, Hir, HirKind};

/// Adds the places of a pattern at which a search may be at once.
pub(super) fn count(shape: &Hir, times: u64, positions: &mut u64) {
    match shape.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => add(positions, times, literal.0.len() as u64),
        HirKind::Class(class) => add(positions, times, width(class)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            count(
                &repetition.sub,
                times.saturating_mul(u64::from(most)),
                positions,
            );
        }
        HirKind::Capture(capture) => count(&capture.sub, times, positions),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            for part in parts {
                count(part, times, positions);
            }
        }
    }
}

fn add(positions: &mut u64, times: u64, more: u64) {
    *positions = positions.saturating_add(times.saturating_mul(more));
}

/// A character beyond ASCII is several bytes, with some ways to begin.
fn width(class: &Class) -> u64 {
    match class {
        Class::Unicode(class) if class.is_ascii() => 1,
        Class::Unicode(_) => 3,
        Class::Bytes(_) => 1,
    }
}

/// Whether a search may look far beyond a match before it knows it: where one
/// way to match goes on without end before it must come upon something, and
/// there is another way next to it.
pub(super) fn reaches_far(shape: &Hir) -> bool {
    has_choice(shape) && has_run(shape, false)
}

/// Whether parts of it may be left out or replaced by others.
fn has_choice(shape: &Hir) -> bool {
    match shape.kind() {
        HirKind::Alternation(_) => true,
        HirKind::Repetition(repetition) => {
            let is_single = matches!(
                repetition.sub.kind(),
                HirKind::Class(_) | HirKind::Literal(_)
            );
            (!is_single && repetition.min == 0) || has_choice(&repetition.sub)
        }
        HirKind::Capture(capture) => has_choice(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(has_choice),
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => false,
    }
}

/// Whether something is repeated without end before something that must follow.
fn has_run(shape: &Hir, must_follow: bool) -> bool {
    match shape.kind() {
        HirKind::Repetition(repetition) => {
            let is_endless = repetition.max.is_none() || repetition.max > Some(16);
            (is_endless && must_follow) || has_run(&repetition.sub, must_follow || is_endless)
        }
        HirKind::Capture(capture) => has_run(&capture.sub, must_follow),
        HirKind::Alternation(parts) => parts.iter().any(|part| has_run(part, must_follow)),
        HirKind::Concat(parts) => {
            let mut must_follow = must_follow;
            parts.iter().rev().any(|part| {
                let found = has_run(part, must_follow);
                must_follow |= part.properties().minimum_len() != Some(0)
                    || matches!(part.kind(), HirKind::Look(_));
                found
            })
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(_) => false,
    }
}
