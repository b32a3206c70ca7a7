//! What a run over everything has met. Each record has a number of its sync, its slot, which it keeps. A page stores the
//! slots of its records as ranges, in one row, and no row of a record is written for having been met. At the end the rows
//! become a bitmap in memory: 125 KB for a million records. Marking the records themselves would write each of them in
//! each run; a set of ids would take 16 MB in memory for a million.

use std::fmt::Write;

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

/// The slots that were met.
pub(super) struct Bitmap(Vec<u64>);

impl Bitmap {
    /// None of so many slots.
    pub(super) fn new(slots: u64) -> Self {
        let words = usize::try_from(slots / 64 + 1).unwrap_or_default();
        Self(vec![0; words])
    }

    /// Adds the ranges of a page.
    pub(super) fn add(&mut self, ranges: &str) {
        for range in ranges.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            if let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) {
                (first..=last).for_each(|slot| self.set(slot));
            }
        }
    }

    fn set(&mut self, slot: u64) {
        let word = usize::try_from(slot / 64)
            .ok()
            .and_then(|at| self.0.get_mut(at));
        if let Some(word) = word {
            *word |= 1 << (slot % 64);
        }
    }

    pub(super) fn has(&self, slot: u64) -> bool {
        let word = usize::try_from(slot / 64)
            .ok()
            .and_then(|at| self.0.get(at));
        word.is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// How many were met.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
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
        let mut bitmap = Bitmap::new(0);
        bitmap.add("63,64-1000,x,-,18446744073709551615");
        assert!(bitmap.has(63) && !bitmap.has(64) && !bitmap.has(u64::MAX));
    }
}
