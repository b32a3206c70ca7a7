//! What reading a pattern takes where case makes no difference: for each class
//! the parser looks every one of its characters up.

use regex_syntax::ast::{
    Ast, ClassBracketed, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem, ClassSetRange,
    ClassUnicode, Flag, Flags, parse::Parser,
};

/// Characters there are.
const ALL: u64 = 0x11_0000;
/// No alphabet, and no `\w`, has more.
const ALPHABET: u64 = 200_000;
/// Characters of `\d`, `\s` and `[:alpha:]`.
const FEW: u64 = 1_000;
/// Looking one letter up that is by itself.
const LETTER: u64 = 64;

/// Characters that are looked up, at most: where case makes no difference from
/// the beginning or from some place on. 0 for what is no pattern.
pub(super) fn characters(source: &str, ignores_case: bool) -> u64 {
    match Parser::new().parse(source) {
        Ok(ast) if ignores_case || comes_to_ignore_case(&ast) => within(&ast),
        _ => 0,
    }
}

fn comes_to_ignore_case(ast: &Ast) -> bool {
    let is_set = |flags: &Flags| flags.flag_state(Flag::CaseInsensitive) == Some(true);
    match ast {
        Ast::Flags(set) => is_set(&set.flags),
        Ast::Group(group) => group.flags().is_some_and(is_set) || comes_to_ignore_case(&group.ast),
        Ast::Repetition(repetition) => comes_to_ignore_case(&repetition.ast),
        Ast::Alternation(parts) => parts.asts.iter().any(comes_to_ignore_case),
        Ast::Concat(parts) => parts.asts.iter().any(comes_to_ignore_case),
        _ => false,
    }
}

/// The parser bounds how deep a pattern nests.
fn within(ast: &Ast) -> u64 {
    match ast {
        Ast::Empty(_) | Ast::Flags(_) | Ast::Dot(_) | Ast::Assertion(_) | Ast::ClassPerl(_) => 0,
        Ast::Literal(_) => LETTER,
        Ast::ClassUnicode(_) => ALPHABET,
        Ast::ClassBracketed(class) => bracketed(class).looked_up,
        Ast::Repetition(repetition) => within(&repetition.ast),
        Ast::Group(group) => within(&group.ast),
        Ast::Alternation(parts) => parts.asts.iter().map(within).sum(),
        Ast::Concat(parts) => parts.asts.iter().map(within).sum(),
    }
}

/// A class: its characters, and those that were looked up to make it.
#[derive(Debug, Clone, Copy, Default)]
struct Folded {
    size: u64,
    looked_up: u64,
}

impl Folded {
    fn of(size: u64) -> Self {
        Self { size, looked_up: 0 }
    }

    fn and(self, other: Self) -> Self {
        Self {
            size: (self.size + other.size).min(ALL),
            looked_up: self.looked_up.saturating_add(other.looked_up),
        }
    }

    fn folded(self) -> Self {
        Self {
            looked_up: self.looked_up.saturating_add(self.size),
            ..self
        }
    }
}

/// It is looked up before it is negated.
fn bracketed(class: &ClassBracketed) -> Folded {
    let inner = set(&class.kind).folded();
    Folded {
        size: if class.negated { ALL } else { inner.size },
        ..inner
    }
}

fn set(class: &ClassSet) -> Folded {
    match class {
        ClassSet::Item(of) => item(of),
        ClassSet::BinaryOp(both) => {
            let sides = [set(&both.lhs).folded(), set(&both.rhs).folded()];
            sides.into_iter().fold(Folded::default(), Folded::and)
        }
    }
}

fn item(item: &ClassSetItem) -> Folded {
    match item {
        ClassSetItem::Empty(_) => Folded::default(),
        ClassSetItem::Literal(_) => Folded::of(1),
        ClassSetItem::Range(range) => Folded::of(span(range)),
        ClassSetItem::Ascii(class) => Folded::of(FEW).folded().negated(class.negated),
        ClassSetItem::Unicode(class) => unicode(class),
        ClassSetItem::Perl(class) => perl(class),
        ClassSetItem::Bracketed(class) => bracketed(class),
        ClassSetItem::Union(parts) => {
            let parts = parts.items.iter().map(self::item);
            parts.fold(Folded::default(), Folded::and)
        }
    }
}

impl Folded {
    fn negated(self, negated: bool) -> Self {
        Self {
            size: if negated { ALL } else { self.size },
            ..self
        }
    }
}

fn span(range: &ClassSetRange) -> u64 {
    let (start, end) = (u64::from(range.start.c), u64::from(range.end.c));
    end.saturating_sub(start) + 1
}

fn unicode(class: &ClassUnicode) -> Folded {
    Folded::of(ALPHABET).folded().negated(class.is_negated())
}

fn perl(class: &ClassPerl) -> Folded {
    let size = match class.kind {
        ClassPerlKind::Word => ALPHABET,
        ClassPerlKind::Digit | ClassPerlKind::Space => FEW,
    };
    Folded::of(size).negated(class.negated)
}

#[cfg(test)]
mod tests {
    use super::{ALL, ALPHABET, FEW, characters};

    #[test]
    fn each_character_of_a_class_is_looked_up() {
        for (source, count) in [
            (r"[a-z]", 26),
            (r"[^a]", 1),
            (r"[\x{0}-\x{10ffff}]", ALL),
            (r"([\x{0}-\x{10ffff}]x)*|[ab]", ALL + 64 + 2),
            (r"[[^a]b]", 1 + ALL),
            (r"[[[a-z]]]", 3 * 26),
            (r"[\w.-]", ALPHABET + 2),
            (r"[\W]", ALL),
            (r"\w\W\d.", 0),
            (r"\p{L}\P{L}", 2 * ALPHABET),
            (r"[\P{L}]", ALPHABET + ALL),
            (r"[a-z&&[^b]]", 26 + 1 + ALL + ALL),
            (r"[\d]", FEW),
            ("(", 0),
        ] {
            assert_eq!(characters(source, true), count, "{source}");
            assert_eq!(characters(source, false), 0, "{source}");
            let from_within = format!("(?:(?i){source})");
            assert_eq!(characters(&from_within, false), count, "{source}");
        }
    }
}
