//! How many connections an isolate has at once. It has 128 MB; a transfer holds 4.6 MiB at most (the SSH window of 2 MiB, what is
//! read ahead, buffers of the socket), another operation less than 1 MiB.
//! One owner holds a third of them at most, so that no account keeps the others out.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Downloads and uploads of an isolate.
pub const TRANSFERS: usize = 15;
/// Other operations of an isolate.
pub const SHORT_OPERATIONS: usize = 30;
/// A connection that moved nothing for this much longer than its time-out is not there any more: the platform ended its request
/// in the middle, so that its end was never counted.
const LOST_AFTER_MS: f64 = 60_000.0;

#[derive(Debug)]
struct Taken {
    id: u64,
    owner: u64,
    timeout_ms: f64,
    moved_at: f64,
}

/// Whose slots these are: one user of one server. Nothing secret is in it.
pub fn owner(host: &str, port: u16, username: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (host.to_ascii_lowercase(), port, username).hash(&mut hasher);
    hasher.finish()
}

/// The slots of one kind of operation. Times are in milliseconds since 1970.
#[derive(Debug)]
pub struct Slots {
    limit: usize,
    taken: Vec<Taken>,
    next: u64,
}

impl Slots {
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: Vec::new(),
            next: 0,
        }
    }

    /// A slot, unless all are taken, or the owner has its third.
    pub fn take(&mut self, owner: u64, timeout_ms: u32, now: f64) -> Option<u64> {
        self.taken
            .retain(|slot| now - slot.moved_at <= slot.timeout_ms + LOST_AFTER_MS);
        let own = self.taken.iter().filter(|slot| slot.owner == owner);
        if self.taken.len() >= self.limit || own.count() >= self.limit.div_ceil(3) {
            return None;
        }
        self.next += 1;
        self.taken.push(Taken {
            id: self.next,
            owner,
            timeout_ms: f64::from(timeout_ms),
            moved_at: now,
        });
        Some(self.next)
    }

    /// Something moved in a slot.
    pub fn touch(&mut self, id: u64, now: f64) {
        if let Some(slot) = self.taken.iter_mut().find(|slot| slot.id == id) {
            slot.moved_at = now;
        }
    }

    pub fn release(&mut self, id: u64) {
        self.taken.retain(|slot| slot.id != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit_are_taken() {
        let mut slots = Slots::new(2);
        let first = slots.take(1, 1_000, 0.0).unwrap();
        let second = slots.take(2, 1_000, 0.0).unwrap();
        assert_ne!(first, second);
        assert_eq!(slots.take(3, 1_000, 0.0), None);
        slots.release(first);
        assert!(slots.take(3, 1_000, 0.0).is_some());
    }

    #[test]
    fn one_owner_has_a_third_of_them() {
        for (limit, third) in [(15, 5), (30, 10), (4, 2), (1, 1)] {
            let mut slots = Slots::new(limit);
            let taken: Vec<_> = (0..third).map(|_| slots.take(1, 1_000, 0.0)).collect();
            assert!(taken.iter().all(Option::is_some), "{limit}");
            assert_eq!(slots.take(1, 1_000, 0.0), None, "{limit}");
            assert_eq!(slots.take(2, 1_000, 0.0).is_some(), limit > 1);
            slots.release(taken[0].unwrap());
            assert!(slots.take(1, 1_000, 0.0).is_some(), "{limit}");
        }
    }

    #[test]
    fn an_owner_is_a_user_of_a_server() {
        let one = owner("sftp.example", 22, "u");
        assert_eq!(one, owner("SFTP.example", 22, "u"));
        for another in [
            owner("sftp.example", 23, "u"),
            owner("sftp.example", 22, "v"),
            owner("sftp.example.org", 22, "u"),
        ] {
            assert_ne!(one, another);
        }
    }

    #[test]
    fn a_lost_connection_gives_its_slot_back() {
        let mut slots = Slots::new(1);
        let id = slots.take(1, 1_000, 0.0).unwrap();
        assert_eq!(slots.take(1, 1_000, 61_000.0), None);
        slots.touch(id, 30_000.0);
        assert_eq!(slots.take(1, 1_000, 61_001.0), None);
        assert!(slots.take(1, 1_000, 91_001.0).is_some());
    }
}
