//! The timers of one object, by one timer of the platform. An object may have 10,000 of those, and each costs two crossings
//! of the JavaScript boundary.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;

use super::{driver, edge, tasks};

/// Milliseconds since 1970, and a number that makes the key unique.
type SleepKey = (i64, u32);

/// The sleeping tasks of an object, by the time they wake at.
#[derive(Default)]
pub struct Timers {
    sleeping: RefCell<BTreeMap<SleepKey, Waker>>,
    last: Cell<u32>,
    platform: RefCell<Option<PlatformTimer>>,
    callback: OnceCell<Closure<dyn FnMut()>>,
}

struct PlatformTimer {
    at: i64,
    handle: JsValue,
}

impl Timers {
    /// Returns after `wait`.
    pub fn sleep(self: &Rc<Self>, wait: Duration) -> Sleep {
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        // Rounded up: a task that waits for a time must not wake before it.
        let millis =
            millis.saturating_add(i64::from(!wait.subsec_nanos().is_multiple_of(1_000_000)));
        self.last.set(self.last.get().wrapping_add(1));
        Sleep {
            timers: Rc::clone(self),
            key: (edge::now().saturating_add(millis), self.last.get()),
        }
    }

    /// Sets the platform's timer for the first task, unless it fires by then. Without tasks there is no timer: the platform
    /// does not evict an object that has one, and bills its time.
    fn arm(self: &Rc<Self>) {
        let sleeping = self.sleeping.borrow();
        let first = sleeping.first_key_value().map(|((at, _), _)| *at);
        let mut platform = self.platform.borrow_mut();
        let is_set = |first: i64| platform.as_ref().is_some_and(|timer| timer.at <= first);
        if first.is_some_and(is_set) {
            return;
        }
        if let Some(timer) = platform.take() {
            driver::clear_timer(&timer.handle);
        }
        *platform = first.map(|at| {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let wait = at.saturating_sub(edge::now()).max(0) as f64;
            let handle = driver::set_timer(self.callback().as_ref(), wait);
            PlatformTimer { at, handle }
        });
    }

    fn callback(self: &Rc<Self>) -> &Closure<dyn FnMut()> {
        let timers = Rc::downgrade(self);
        self.callback
            .get_or_init(|| Closure::new(move || fire(&timers)))
    }
}

fn fire(timers: &Weak<Timers>) {
    let Some(timers) = timers.upgrade() else {
        return;
    };
    timers.platform.take();
    let later = (edge::now() + 1, 0);
    let sleeping = timers.sleeping.borrow_mut().split_off(&later);
    let due = timers.sleeping.replace(sleeping);
    tasks::run_woken_by(|| due.into_values().for_each(Waker::wake));
    timers.arm();
}

/// See [`Timers::sleep`].
pub struct Sleep {
    timers: Rc<Timers>,
    key: SleepKey,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.key.0 <= edge::now() {
            return Poll::Ready(());
        }
        let waker = context.waker().clone();
        self.timers.sleeping.borrow_mut().insert(self.key, waker);
        self.timers.arm();
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let was = self.timers.sleeping.borrow_mut().remove(&self.key);
        if was.is_some() && self.timers.sleeping.borrow().is_empty() {
            self.timers.arm();
        }
    }
}
