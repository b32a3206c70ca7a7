//! Syncs: an account's records, kept up to date in slices by the object's alarm, and offered as a feed of changes.
//!
//! A slice reads page after page with the calls of auto-pagination (`call/list`). What a page brings is one transaction:
//! records, revisions, the place in the list, counts and events. There is no `.await` between them, so after a kill at any
//! point the next slice goes on from a place that fits the records. It uses `actions`, `call` and `account`.

mod answer;
mod change;
mod content;
mod feed;
mod finish;
mod former;
mod page;
mod parse;
mod record_key;
mod records;
mod runs;
mod seen;
mod since;
mod slice;
mod start;
mod state;
pub(in crate::flows) mod store;
mod stored;

use std::rc::Rc;

use crate::flows::account::base::Base;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::schedule::Schedule;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::sync::store::SyncStore;

/// Runs the syncs of an account.
pub(in crate::flows) struct Syncs<O, S> {
    base: Rc<Base<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    calls: Rc<AccountCalls<O, S>>,
    outbox: Rc<Outbox<O, S>>,
    schedule: Rc<Schedule<O, S>>,
    store: Rc<SyncStore<O, S>>,
}

impl<O, S> Syncs<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        calls: &Rc<AccountCalls<O, S>>,
        outbox: &Rc<Outbox<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
        store: &Rc<SyncStore<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            calls: Rc::clone(calls),
            outbox: Rc::clone(outbox),
            schedule: Rc::clone(schedule),
            store: Rc::clone(store),
        }
    }
}
