//! What a run over everything has met. Each record has a number of its sync, its slot, which it keeps. A page stores
//! the slots of its records as ranges, in one row, and no row of a record is written for having been met. At the end
//! the rows become a bitmap in memory, which holds only words that have a bit: slots are not given again, so a list
//! whose records come and go has few of many. A million records take 500 KB, or 48 MB if no two share a word. Marking
//! the records themselves would write each of them in each run; a set of ids would take 16 MB in memory for a
//! million.

use std::collections::BTreeMap;
use std::fmt::Write;

/// What a word takes in memory.
const WORD_BYTES: usize = 48;

/// The slots of a page as ranges: `3-102,110`.
pub(super) fn ranges(mut slots: Vec<u64>) -> String {
    slots.sort_unstable();
    slots.dedup();
    let mut text = String::new();
    let mut rest = slots.as_slice();
    while let Some(first) = rest.first() {
        let run = rest
            .iter()
            .zip(*first..)
            .take_while(|(slot, wanted)| **slot == *wanted);
        let count = run.count();
        let last = rest.get(count.saturating_sub(1)).unwrap_or(first);
        if !text.is_empty() {
            text.push(',');
        }
        // Writing to a text does not fail.
        let _ = if first == last {
            write!(text, "{first}")
        } else {
            write!(text, "{first}-{last}")
        };
        rest = rest.get(count..).unwrap_or_default();
    }
    text
}

/// The slots that were met: 64 of them are a word.
pub(super) struct Bitmap {
    words: BTreeMap<u64, u64>,
    slots: u64,
}

impl Bitmap {
    /// None of so many slots.
    pub(super) fn new(slots: u64) -> Self {
        Self {
            words: BTreeMap::new(),
            slots,
        }
    }

    /// Adds the ranges of a page.
    pub(super) fn add(&mut self, ranges: &str) {
        for range in ranges.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            if let (Ok(first), Ok(last)) = (first.parse(), last.parse::<u64>()) {
                self.add_range(first, last.min(self.slots.saturating_sub(1)));
            }
        }
    }

    fn add_range(&mut self, first: u64, last: u64) {
        if first > last || first >= self.slots {
            return;
        }
        let (first_word, last_word) = (first / 64, last / 64);
        for word in first_word..=last_word {
            let low = if word == first_word { first % 64 } else { 0 };
            let high = if word == last_word { last % 64 } else { 63 };
            *self.words.entry(word).or_default() |= (u64::MAX << low) & (u64::MAX >> (63 - high));
        }
    }

    pub(super) fn has(&self, slot: u64) -> bool {
        let word = self.words.get(&(slot / 64));
        word.is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// How many were met.
    pub(super) fn count(&self) -> u64 {
        let words = self.words.values();
        words.map(|word| u64::from(word.count_ones())).sum()
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.words.len().saturating_mul(WORD_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bitmap, ranges};

    #[test]
    fn slots_are_ranges_and_ranges_are_slots() {
        for (slots, text) in [
            (vec![], ""),
            (vec![7], "7"),
            (vec![0, 1, 2, 3], "0-3"),
            (vec![9, 3, 2, 3, 4, 200], "2-4,9,200"),
            ((60..=130).collect(), "60-130"),
        ] {
            let written = ranges(slots.clone());
            assert_eq!(written, text);
            let mut bitmap = Bitmap::new(201);
            bitmap.add(&written);
            bitmap.add(&written);
            let met: Vec<u64> = (0..=201).filter(|slot| bitmap.has(*slot)).collect();
            let mut slots = slots;
            slots.sort_unstable();
            slots.dedup();
            assert_eq!((met.len() as u64, met), (bitmap.count(), slots));
        }
    }

    #[test]
    fn a_slot_beyond_the_end_is_none() {
        let mut bitmap = Bitmap::new(64);
        bitmap.add("63,64-1000,9-8,x,-,18446744073709551615,64-18446744073709551615");
        assert!(bitmap.has(63) && !bitmap.has(64) && !bitmap.has(u64::MAX));
        assert_eq!(bitmap.count(), 1);
        let mut none = Bitmap::new(0);
        none.add("0,0-63");
        assert_eq!(none.count(), 0);
    }

    #[test]
    fn what_is_met_takes_memory_and_not_what_was_there_before() {
        let slots = 72_000_000_000;
        let mut bitmap = Bitmap::new(slots);
        bitmap.add(&format!("5,{}-{}", slots - 1_000_000, slots - 1));
        assert_eq!(bitmap.count(), 1_000_001);
        assert!(bitmap.has(5) && bitmap.has(slots - 1) && !bitmap.has(slots));
        assert!(bitmap.bytes() < 800_000, "{}", bitmap.bytes());
    }
}
