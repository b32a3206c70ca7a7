//! Random bytes of the platform, fetched many at once: each fetch crosses the JavaScript boundary.

use std::cell::RefCell;

use worker::console_error;

const POOL_BYTES: usize = 1024;

struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const {
        RefCell::new(Pool { bytes: [0; POOL_BYTES], used: POOL_BYTES })
    };
}

/// Fills with bytes that are used once.
pub fn fill(wanted: &mut [u8]) {
    POOL.with_borrow_mut(|pool| {
        if wanted.len() > POOL_BYTES - pool.used {
            if wanted.len() > POOL_BYTES {
                return fetch(wanted);
            }
            fetch(&mut pool.bytes);
            pool.used = 0;
        }
        let end = pool.used + wanted.len();
        if let Some(unused) = pool.bytes.get_mut(pool.used..end) {
            wanted.copy_from_slice(unused);
            unused.fill(0);
        }
        pool.used = end;
    });
}

fn fetch(bytes: &mut [u8]) {
    // The platform's generator does not fail. Without random numbers no key or token would be safe.
    if getrandom::fill(bytes).is_err() {
        console_error!("no random numbers");
        std::process::abort();
    }
}
