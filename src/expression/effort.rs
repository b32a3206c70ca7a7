//! What reading one file, or a batch with its expressions, may take. Types read themselves through serde, which
//! hands nothing along, so the account is the thread's while a file is read:
//! a Worker has one thread, and reading awaits nothing.

use std::cell::Cell;

/// What a reader says when there is nothing left.
pub const SPENT: &str = "the file is too complex to be checked: shorten its expressions, patterns and mistakes, or split it";

thread_local! {
    /// Steps that are left; `None` where nothing is read that is bounded.
    static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Nothing is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", SPENT)]
pub struct Spent;

/// Reads within so many steps (of some 5 ns of native release code); gives what
/// was read, and whether the steps were enough.
pub fn within<T>(steps: u64, read: impl FnOnce() -> T) -> (T, bool) {
    let count = Cell::new(steps);
    let read = counted(&count, read);
    #[cfg(test)]
    LAST.set(steps - count.get());
    (read, count.get() != 0)
}

/// Works within the steps of a count, and leaves there what is left.
pub fn counted<T>(count: &Cell<u64>, work: impl FnOnce() -> T) -> T {
    /// Restores the outer count, also when the work panics.
    struct Outer(Option<u64>);
    impl Drop for Outer {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    let outer = Outer(LEFT.replace(Some(count.get())));
    let done = work();
    count.set(LEFT.get().unwrap_or(0));
    drop(outer);
    done
}

/// Steps that are left; `None` where nothing is counted.
pub fn left() -> Option<u64> {
    LEFT.get()
}

/// Takes steps. Once they do not suffice, nothing is left for anything.
pub fn take(steps: u64) -> Result<(), Spent> {
    let Some(left) = LEFT.get() else {
        return Ok(());
    };
    let rest = left.checked_sub(steps).filter(|rest| *rest > 0);
    LEFT.set(Some(rest.unwrap_or(0)));
    rest.map(drop).ok_or(Spent)
}

/// What reading took.
#[cfg(test)]
pub fn left_after<T>(read: impl FnOnce() -> T) -> (T, u64) {
    let read = read();
    (read, LAST.get())
}

#[cfg(test)]
thread_local! {
    static LAST: Cell<u64> = const { Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Spent, counted, left, take, within};

    #[test]
    fn steps_are_taken_until_there_are_none() {
        assert_eq!(take(u64::MAX), Ok(()));
        let (taken, sufficed) = within(10, || (take(4), take(5)));
        assert_eq!((taken, sufficed), ((Ok(()), Ok(())), true));
        let (taken, sufficed) = within(10, || (take(4), take(6), take(1)));
        assert_eq!((taken, sufficed), ((Ok(()), Err(Spent), Err(Spent)), false));
        assert_eq!(take(u64::MAX), Ok(()));
    }

    #[test]
    fn a_count_goes_on_behind_the_work() {
        let count = Cell::new(10);
        assert_eq!(counted(&count, || (take(4), left())), (Ok(()), Some(6)));
        assert_eq!(counted(&count, || take(6)), Err(Spent));
        assert_eq!((count.get(), left()), (0, None));
    }

    #[test]
    fn an_inner_account_does_not_end_the_outer_one() {
        let (_, sufficed) = within(10, || within(1, || take(5)));
        assert!(sufficed);
    }
}
