//! The components of an account's object that are stored or remembered. The alarm, key rotation and deletion loop over them.

use std::rc::Rc;

use crate::flows::account::account_store::AccountStore;
use crate::flows::account::account_tokens::AccountTokenStore;
use crate::flows::account::base::Base;
use crate::flows::account::oauth_token::TokenStore;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::redactor::LastRedactor;
use crate::flows::account::stored::Components;
use crate::flows::account::unclear::UnclearRefusals;
use crate::flows::call::idempotency::store::IdempotencyStore;
use crate::flows::call::log_store::CallLog;
use crate::flows::events::deliver::Dispatcher;
use crate::flows::ingress::dead_letters::DeadLetters;
use crate::flows::lifecycle::logins::LoginStore;
use crate::flows::lifecycle::me::OwnChanges;
use crate::flows::tokens::refused::Refusals;
use crate::flows::tokens::suspicion::SuspicionStore;
use crate::ports::{Outside, Storage};

/// Each of them once; the folders' structs share them.
pub(in crate::flows) struct Stores<O, S> {
    pub(in crate::flows) record: Rc<AccountStore<O, S>>,
    pub(in crate::flows) oauth_token: Rc<TokenStore<O, S>>,
    pub(in crate::flows) unclear_refusals: Rc<UnclearRefusals<O, S>>,
    pub(in crate::flows) suspicions: Rc<SuspicionStore<O, S>>,
    pub(in crate::flows) logins: Rc<LoginStore<O, S>>,
    pub(in crate::flows) account_tokens: Rc<AccountTokenStore<O, S>>,
    pub(in crate::flows) outbox: Rc<Outbox<O, S>>,
    pub(in crate::flows) dead_letters: Rc<DeadLetters<O, S>>,
    pub(in crate::flows) deliveries: Rc<Dispatcher<O, S>>,
    pub(in crate::flows) idempotency: Rc<IdempotencyStore<O, S>>,
    pub(in crate::flows) call_log: Rc<CallLog<O, S>>,
    pub(in crate::flows) refusals: Rc<Refusals>,
    pub(in crate::flows) own_changes: Rc<OwnChanges>,
    pub(in crate::flows) last_redactor: Rc<LastRedactor>,
}

impl<O: Outside, S: Storage> Stores<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        let outbox = Rc::new(Outbox::new(base));
        Self {
            record: Rc::new(AccountStore::new(base)),
            oauth_token: Rc::new(TokenStore::new(base)),
            unclear_refusals: Rc::new(UnclearRefusals::new(base)),
            suspicions: Rc::new(SuspicionStore::new(base)),
            logins: Rc::new(LoginStore::new(base)),
            account_tokens: Rc::new(AccountTokenStore::new(base)),
            dead_letters: Rc::new(DeadLetters::new(base, &outbox)),
            deliveries: Rc::new(Dispatcher::new(base, &outbox)),
            idempotency: Rc::new(IdempotencyStore::new(base)),
            call_log: Rc::new(CallLog::new(base)),
            refusals: Rc::default(),
            own_changes: Rc::default(),
            last_redactor: Rc::default(),
            outbox,
        }
    }

    /// All of them, the outbox behind those that keep an account (`Stored::is_over`).
    pub(in crate::flows) fn components(&self) -> Components {
        // Every field is named, and none is left out by `..`: a component that is added does not compile before it is
        // listed below.
        let Self {
            record,
            oauth_token,
            unclear_refusals,
            suspicions,
            logins,
            account_tokens,
            outbox,
            dead_letters,
            deliveries,
            idempotency,
            call_log,
            refusals,
            own_changes,
            last_redactor,
        } = self;
        Components::new(
            vec![
                Rc::clone(record) as _,
                Rc::clone(oauth_token) as _,
                Rc::clone(unclear_refusals) as _,
                Rc::clone(suspicions) as _,
                Rc::clone(logins) as _,
                Rc::clone(account_tokens) as _,
                Rc::clone(outbox) as _,
                Rc::clone(dead_letters) as _,
                Rc::clone(deliveries) as _,
                Rc::clone(idempotency) as _,
                Rc::clone(call_log) as _,
            ],
            vec![
                Rc::clone(refusals) as _,
                Rc::clone(own_changes) as _,
                Rc::clone(last_redactor) as _,
            ],
        )
    }
}
