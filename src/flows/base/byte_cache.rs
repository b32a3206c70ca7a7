//! A cache that is bounded by bytes: an entry weighs as much as the source of its value is long. The least recently
//! used entries are removed first. The newest entry always stays: without it every request would build it again.

use std::borrow::Borrow;
use std::hash::Hash;

use lru::LruCache;

/// What an entry weighs in addition to its source: its key and its place in the list.
const ENTRY_BYTES: usize = 256;

pub struct ByteCache<K, V> {
    entries: LruCache<K, (usize, V)>,
    weight: usize,
    most: usize,
}

impl<K: Hash + Eq, V> ByteCache<K, V> {
    pub fn new(most: usize) -> Self {
        Self {
            entries: LruCache::unbounded(),
            weight: 0,
            most,
        }
    }

    /// The value under a key, which becomes the most recently used.
    pub fn get<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// Inserts a value whose source has `bytes` bytes.
    pub fn put(&mut self, key: K, bytes: usize, value: V) {
        let weight = bytes.saturating_add(ENTRY_BYTES);
        self.weight = self.weight.saturating_add(weight);
        if let Some((before, _)) = self.entries.put(key, (weight, value)) {
            self.weight = self.weight.saturating_sub(before);
        }
        while self.weight > self.most && self.entries.len() > 1 {
            let Some((_, (least_used, _))) = self.entries.pop_lru() else {
                break;
            };
            self.weight = self.weight.saturating_sub(least_used);
        }
    }

    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (weight, value) = self.entries.pop(key)?;
        self.weight = self.weight.saturating_sub(weight);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(cache: &mut ByteCache<&str, i32>) -> Vec<i32> {
        let keys = ["a", "b", "c"];
        keys.iter()
            .filter_map(|key| cache.get(key).copied())
            .collect()
    }

    #[test]
    fn the_least_used_entry_is_evicted_over_the_byte_limit() {
        let mut cache = ByteCache::new(2 * (1_000 + ENTRY_BYTES));
        cache.put("a", 1_000, 1);
        cache.put("b", 1_000, 2);
        assert_eq!(present(&mut cache), [1, 2]);
        cache.get("a");
        cache.put("c", 1, 3);
        assert_eq!(present(&mut cache), [1, 3]);
        assert_eq!(cache.remove("a"), Some(1));
        cache.put("b", 1_000, 2);
        assert_eq!(present(&mut cache), [2, 3]);
    }

    #[test]
    fn an_entry_put_twice_counts_once_and_a_large_one_stays_alone() {
        let mut cache = ByteCache::new(2_000);
        for value in 0..10 {
            cache.put("a", 500, value);
        }
        cache.put("b", 500, 10);
        assert_eq!(present(&mut cache), [9, 10]);
        cache.put("c", 5_000, 11);
        assert_eq!(present(&mut cache), [11]);
    }
}
