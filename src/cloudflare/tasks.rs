//! Runs the futures of requests and of background work. A task that the result of an operation wakes goes on at once, in the
//! same call into the wasm; others run in a microtask.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use wasm_bindgen::prelude::Closure;

use super::driver;

type Work = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    static TASKS: Tasks = Tasks::default();
}

#[derive(Default)]
struct Tasks {
    /// Those that are not being polled.
    waiting: RefCell<HashMap<u32, (Work, Waker)>>,
    ready: RefCell<VecDeque<u32>>,
    last: Cell<u32>,
    is_running: Cell<bool>,
    is_scheduled: Cell<bool>,
    /// Of the microtask.
    callback: OnceCell<Closure<dyn FnMut()>>,
}

struct TaskWaker(u32);

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        TASKS.with(|tasks| tasks.make_ready(self.0));
    }
}

impl Tasks {
    fn add(&self, work: Work) -> u32 {
        let id = self.last.get().wrapping_add(1);
        self.last.set(id);
        let waker = Waker::from(Arc::new(TaskWaker(id)));
        self.waiting.borrow_mut().insert(id, (work, waker));
        id
    }

    fn make_ready(&self, id: u32) {
        let mut ready = self.ready.borrow_mut();
        if !ready.contains(&id) {
            ready.push_back(id);
        }
        if !self.is_running.get() && !self.is_scheduled.replace(true) {
            let callback = self.callback.get_or_init(|| Closure::new(run_scheduled));
            driver::run_soon(callback.as_ref());
        }
    }

    /// Polls what is ready, and what becomes ready by that.
    fn run(&self) {
        if self.is_running.replace(true) {
            return;
        }
        loop {
            let next = self.ready.borrow_mut().pop_front();
            let Some(id) = next else { break };
            let task = self.waiting.borrow_mut().remove(&id);
            let Some((mut work, waker)) = task else {
                continue;
            };
            let is_pending = work
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending();
            if is_pending {
                self.waiting.borrow_mut().insert(id, (work, waker));
            }
        }
        self.is_running.set(false);
    }

    /// Runs what `wake` makes ready, and leaves to its microtask what was ready before: that may belong to another request,
    /// whose I/O the platform does not allow here.
    fn run_only(&self, wake: impl FnOnce()) {
        if self.is_running.get() {
            return wake();
        }
        let before = self.ready.take();
        let was_scheduled = self.is_scheduled.replace(true);
        wake();
        self.is_scheduled.set(was_scheduled);
        self.run();
        self.ready.borrow_mut().extend(before);
    }
}

fn run_scheduled() {
    TASKS.with(|tasks| {
        tasks.is_scheduled.set(false);
        tasks.run();
    });
}

/// Runs the work of an event, as far as it goes, before this returns.
pub fn start(work: impl Future<Output = ()> + 'static) {
    TASKS.with(|tasks| {
        let id = tasks.add(Box::pin(work));
        tasks.run_only(|| tasks.make_ready(id));
    });
}

/// Runs work in the background, after this returns.
pub fn spawn(work: Work) {
    TASKS.with(|tasks| {
        let id = tasks.add(work);
        tasks.make_ready(id);
    });
}

/// Runs the tasks that `wake` wakes before this returns.
pub fn run_woken_by(wake: impl FnOnce()) {
    TASKS.with(|tasks| tasks.run_only(wake));
}
