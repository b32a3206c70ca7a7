//! Whole numbers of an expression's own text that a double cannot be trusted with: they become texts of their
//! digits, as those of its input do ([`super::convert`]), so that `body.id = 1300794057949944903` compares all of them.
//!
//! The engine's tree has doubles. So each such literal is put into the source as a number that tells which it is.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use jsonata_core::ast::{AstNode, BinaryOp, UnaryOp};
use jsonata_core::parser::{self, Lexer, ParserError, Token};

use super::convert::MOST_EXACT;
use super::syntax::children_mut;

/// Digits of the smallest whole number beyond [`MOST_EXACT`].
const FEWEST_DIGITS: usize = 16;

/// Parses a source. Of its long whole numbers, those that an operator computes with or orders by stay numbers.
pub(super) fn parse(source: &str) -> Result<AstNode, ParserError> {
    if let Some(literals) = Literals::of(source)
        && let Ok(mut tree) = parser::parse(&literals.marked())
    {
        literals.put_back(&mut tree);
        return Ok(tree);
    }
    parser::parse(source)
}

/// The long whole numbers of a source.
struct Literals<'s> {
    source: &'s str,
    places: Vec<Range<usize>>,
    /// An exponent that the source does not have.
    exponent: u32,
}

impl<'s> Literals<'s> {
    /// `None` where it has none.
    fn of(source: &'s str) -> Option<Self> {
        let places = runs(source);
        if places.is_empty() {
            return None;
        }
        let is_free = |exponent: &u32| !source.contains(&format!("e{exponent}"));
        let exponent = (150..290).find(is_free)?;
        let mut all = Self {
            source,
            places,
            exponent,
        };
        let numbers = numbers(all.marked());
        let is_literal = |at: usize| numbers.contains(&bits(&all.mark(at)));
        let places = all.places.iter().enumerate();
        let places = places.filter(|(at, _)| is_literal(*at));
        all.places = places.map(|(_, place)| place.clone()).collect();
        (!all.places.is_empty()).then_some(all)
    }

    /// The number in the place of the literal at `at`, as it is written.
    fn mark(&self, at: usize) -> String {
        format!("{}e{}", 100_000 + at, self.exponent)
    }

    fn marked(&self) -> String {
        let (mut out, mut kept) = (String::new(), 0);
        for (at, place) in self.places.iter().enumerate() {
            out.push_str(self.source.get(kept..place.start).unwrap_or_default());
            out.push_str(&self.mark(at));
            kept = place.end;
        }
        out.push_str(self.source.get(kept..).unwrap_or_default());
        out
    }

    fn put_back(&self, tree: &mut AstNode) {
        let digits = |place: &Range<usize>| self.source.get(place.clone()).unwrap_or_default();
        let marks = self.places.iter().enumerate();
        let marks = marks.map(|(at, place)| (bits(&self.mark(at)), digits(place)));
        Marks(marks.collect()).node(tree);
    }
}

/// Where the source has digits that may be such a number.
fn runs(source: &str) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(start) = source.get(at..).and_then(|rest| rest.find(is_digit)) {
        let from = source.get(at + start..).unwrap_or_default();
        let length = from.find(|c| !is_digit(c)).unwrap_or(from.len());
        let (digits, after) = from.split_at(length);
        let goes_on =
            after.starts_with(['e', 'E']) || (after.starts_with('.') && !after.starts_with(".."));
        let is_long = length >= FEWEST_DIGITS && !digits.starts_with('0');
        if is_long && !goes_on && digits.parse().is_ok_and(|value: f64| value > MOST_EXACT) {
            found.push(at + start..at + start + length);
        }
        at += start + length;
    }
    found
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn bits(number: &str) -> u64 {
    number.parse().map_or(0, f64::to_bits)
}

/// The numbers of a source, by their bits, up to its end or its first mistake.
fn numbers(source: String) -> HashSet<u64> {
    let mut lexer = Lexer::new(source);
    let mut found = HashSet::new();
    loop {
        match lexer.next_token() {
            Ok(Token::Number(number)) => found.insert(number.to_bits()),
            Ok(Token::Eof) | Err(_) => return found,
            Ok(_) => continue,
        };
    }
}

/// The digits for which a number of the tree is put, by its bits.
struct Marks<'s>(HashMap<u64, &'s str>);

impl Marks<'_> {
    fn node(&self, node: &mut AstNode) {
        if let Some(text) = self.text(node) {
            *node = AstNode::String(text);
            return;
        }
        let computes = matches!(node, AstNode::Binary { op, .. } if computes(*op));
        for child in children_mut(node) {
            match number(child).filter(|_| computes) {
                Some(_) => self.number(child),
                None => self.node(child),
            }
        }
    }

    /// A number with its sign, as a text of its digits.
    fn text(&self, node: &AstNode) -> Option<String> {
        let value = number(node)?;
        let digits = self.0.get(&value.abs().to_bits())?;
        let sign = if value < 0.0 { "-" } else { "" };
        Some(format!("{sign}{digits}"))
    }

    /// The double that was written.
    fn number(&self, node: &mut AstNode) {
        match node {
            AstNode::Number(value) => {
                let digits = self.0.get(&value.to_bits());
                *value = digits
                    .and_then(|digits| digits.parse().ok())
                    .unwrap_or(*value);
            }
            AstNode::Unary { operand, .. } => self.number(operand),
            _ => {}
        }
    }
}

/// The number that a node is, its sign included.
fn number(node: &AstNode) -> Option<f64> {
    match node {
        AstNode::Number(value) => Some(*value),
        AstNode::Unary {
            op: UnaryOp::Negate,
            operand,
        } => number(operand).map(|value| -value),
        _ => None,
    }
}

fn computes(op: BinaryOp) -> bool {
    use BinaryOp as Op;
    matches!(
        op,
        Op::Add
            | Op::Subtract
            | Op::Multiply
            | Op::Divide
            | Op::Modulo
            | Op::Range
            | Op::LessThan
            | Op::LessThanOrEqual
            | Op::GreaterThan
            | Op::GreaterThanOrEqual
    )
}
