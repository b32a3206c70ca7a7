//! Changes of an account by the API, without the connect page.

use std::rc::Rc;

use crate::flows::account::base::Base;
use crate::flows::account::changes::Changes;
use crate::flows::account::record::AccountRecord;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::lifecycle::me::OwnChanges;
use crate::ports::{Outside, Storage};

pub(in crate::flows) struct AccountEdits<O, S> {
    pub(super) base: Rc<Base<O, S>>,
    pub(super) record: Rc<AccountRecord<O, S>>,
    pub(super) changes: Rc<Changes<O, S>>,
    pub(super) own_changes: Rc<OwnChanges>,
    pub(super) calls: Rc<AccountCalls<O, S>>,
}

impl<O: Outside, S: Storage> AccountEdits<O, S> {
    pub(in crate::flows) fn new(
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        changes: &Rc<Changes<O, S>>,
        own_changes: &Rc<OwnChanges>,
        calls: &Rc<AccountCalls<O, S>>,
    ) -> Self {
        Self {
            base: Rc::clone(base),
            record: Rc::clone(record),
            changes: Rc::clone(changes),
            own_changes: Rc::clone(own_changes),
            calls: Rc::clone(calls),
        }
    }
}
