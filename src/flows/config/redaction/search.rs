//! Finds every form of every secret in a text, in one pass for each layer of escapes.

use std::ops::Range;

use aho_corasick::Anchored;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::nfa::contiguous::NFA;

use crate::flows::config::redaction::escapes::{Escapes, Unescaped, Unit, may_be_escaped, units};
use crate::flows::config::redaction::forms::{Needle, NeedleEnd, fold};
use crate::settings::REDACTED_LAYERS_BYTES;

/// The needles, compiled to an automaton.
pub(in crate::flows) struct Search {
    needles: Vec<Needle>,
    automaton: NFA,
    start: StateID,
    longest: usize,
}

impl Search {
    /// `None` without needles.
    pub(in crate::flows) fn new(needles: Vec<Needle>) -> Option<Self> {
        let longest = needles.iter().map(|needle| needle.bytes.len()).max()?;
        // It fails only beyond 2^31 states: a context is bounded far below.
        let automaton = NFA::new(needles.iter().map(|needle| &needle.bytes)).ok()?;
        let start = automaton.start_state(Anchored::No).ok()?;
        Some(Self {
            needles,
            automaton,
            start,
            longest,
        })
    }

    /// The ranges of secrets in a text, in order and without overlap.
    pub(in crate::flows) fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        self.run(text, units(text), &mut spans);
        let is_escaped = may_be_escaped(text);
        let once = || Unescaped::new(units(text), Escapes::Usual);
        if is_escaped {
            self.run(text, once(), &mut spans);
        }
        // Each layer costs more than the one before.
        if text.len() > REDACTED_LAYERS_BYTES {
            return merged(spans);
        }
        if may_be_broken(text) {
            self.run(text, units(text).filter(is_data), &mut spans);
            // Without escapes both are the same.
            if is_escaped {
                self.run(text, once().filter(is_data), &mut spans);
            }
        }
        if text.contains('=') {
            let mail = Unescaped::new(once(), Escapes::Mail);
            self.run(text, mail.filter(is_data), &mut spans);
        }
        if is_escaped {
            let twice = || Unescaped::new(once(), Escapes::Usual);
            self.run(text, twice(), &mut spans);
            self.run(text, twice().filter(is_data), &mut spans);
            self.run(text, Unescaped::new(twice(), Escapes::Usual), &mut spans);
        }
        merged(spans)
    }

    fn run(&self, text: &str, units: impl Iterator<Item = Unit>, spans: &mut Vec<Range<usize>>) {
        let mut state = self.start;
        // Where the last bytes began, as many as the longest needle has.
        let mut begins = vec![0; self.longest];
        for (index, unit) in units.enumerate() {
            if let Some(begin) = begins.get_mut(index % self.longest) {
                *begin = unit.at.start;
            }
            state = self
                .automaton
                .next_state(Anchored::No, state, fold(unit.byte));
            if !self.automaton.is_special(state) || !self.automaton.is_match(state) {
                continue;
            }
            // The first pattern of a state is its longest.
            let Some(needle) = self
                .needles
                .get(self.automaton.match_pattern(state, 0).as_usize())
            else {
                continue;
            };
            let first = (index + 1).saturating_sub(needle.bytes.len());
            let begin = begins
                .get(first % self.longest)
                .copied()
                .unwrap_or_default();
            spans.push(widened(text, begin..unit.at.end, needle.edge));
        }
    }
}

/// Whether base64 or hex may be written in several pieces.
fn may_be_broken(text: &str) -> bool {
    text.bytes().any(is_separator) || text.contains('\\')
}

/// Characters between the pieces: line ends, and separators between pairs of hex digits.
fn is_separator(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n' | b'\t' | b' ' | b':')
}

fn is_data(unit: &Unit) -> bool {
    !is_separator(unit.byte)
}

/// The range with the neighbouring characters that hold bits of the secret.
fn widened(text: &str, span: Range<usize>, edge: NeedleEnd) -> Range<usize> {
    if edge == NeedleEnd::Exact {
        return span;
    }
    let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let bytes = text.as_bytes();
    let before = bytes.get(..span.start).unwrap_or_default();
    let behind = bytes.get(span.end..).unwrap_or_default();
    let left = before.iter().rev().take(3).take_while(is_base64).count();
    let right = behind.iter().take(3).take_while(is_base64).count();
    let padding = behind
        .iter()
        .skip(right)
        .take(2)
        .take_while(|byte| **byte == b'=')
        .count();
    span.start - left..span.end + right + padding
}

fn merged(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.sort_unstable_by_key(|span| (span.start, span.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}
