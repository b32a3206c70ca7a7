//! The components of an account's object that are stored or remembered. The alarm, key rotation and deletion loop over them.

use std::rc::Rc;

use crate::flows::account::account_store::AccountStore;
use crate::flows::account::account_tokens::AccountTokenStore;
use crate::flows::account::base::Base;
use crate::flows::account::changes::Changes;
use crate::flows::account::mcp_tokens::McpTokenStore;
use crate::flows::account::oauth_token::TokenStore;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::record::{AccountRecord, OwnTokens};
use crate::flows::account::redactor::LastRedactor;
use crate::flows::account::rows::Rows;
use crate::flows::account::schedule::Schedule;
use crate::flows::account::stored::Components;
use crate::flows::account::unclear::UnclearRefusals;
use crate::flows::agents::confirmations::Confirmations;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::call::idempotency::store::IdempotencyStore;
use crate::flows::call::log_store::CallLog;
use crate::flows::events::account_events::AccountEvents;
use crate::flows::events::deliver::Dispatcher;
use crate::flows::events::retention::EventRetention;
use crate::flows::ingress::dead_letters::DeadLetters;
use crate::flows::ingress::receive::{InboxStores, WebhookInbox};
use crate::flows::lifecycle::logins::LoginStore;
use crate::flows::lifecycle::me::OwnChanges;
use crate::flows::sync::Syncs;
use crate::flows::sync::store::SyncStore;
use crate::flows::tokens::refused::Refusals;
use crate::flows::tokens::suspicion::SuspicionStore;
use crate::flows::tokens::{TokenStores, Tokens};
use crate::ports::{Outside, Storage};

/// Each component once; the structs of the other folders share them.
pub(super) struct Stores<O, S> {
    pub(super) record: Rc<AccountStore<O, S>>,
    pub(super) oauth_token: Rc<TokenStore<O, S>>,
    pub(super) unclear_refusals: Rc<UnclearRefusals<O, S>>,
    pub(super) suspicions: Rc<SuspicionStore<O, S>>,
    pub(super) logins: Rc<LoginStore<O, S>>,
    pub(super) account_tokens: Rc<AccountTokenStore<O, S>>,
    pub(super) mcp_tokens: Rc<McpTokenStore<O, S>>,
    pub(super) outbox: Rc<Outbox<O, S>>,
    pub(super) retention: Rc<EventRetention<O, S>>,
    pub(super) dead_letters: Rc<DeadLetters<O, S>>,
    pub(super) deliveries: Rc<Dispatcher<O, S>>,
    pub(super) idempotency: Rc<IdempotencyStore<O, S>>,
    pub(super) call_log: Rc<CallLog<O, S>>,
    pub(super) syncs: Rc<SyncStore<O, S>>,
    pub(super) refusals: Rc<Refusals>,
    pub(super) own_changes: Rc<OwnChanges>,
    pub(super) last_redactor: Rc<LastRedactor>,
    pub(super) confirmations: Rc<Confirmations>,
}

/// The structs of `account/` that the other folders build on.
pub(super) struct Core<O, S> {
    pub(super) schedule: Rc<Schedule<O, S>>,
    pub(super) record: Rc<AccountRecord<O, S>>,
    pub(super) changes: Rc<Changes<O, S>>,
}

impl<O: Outside, S: Storage> Stores<O, S> {
    pub(super) fn new(base: &Rc<Base<O, S>>) -> Self {
        let outbox = Rc::new(Outbox::new(base));
        Self {
            record: Rc::new(AccountStore::new(base)),
            oauth_token: Rc::new(TokenStore::new(base)),
            unclear_refusals: Rc::new(UnclearRefusals::new(base)),
            suspicions: Rc::new(SuspicionStore::new(base)),
            logins: Rc::new(LoginStore::new(base)),
            account_tokens: Rc::new(AccountTokenStore::new(base)),
            mcp_tokens: Rc::new(McpTokenStore::new(base)),
            retention: Rc::new(EventRetention::new(base, &outbox)),
            dead_letters: Rc::new(DeadLetters::new(base, &outbox)),
            deliveries: Rc::new(Dispatcher::new(base, &outbox)),
            idempotency: Rc::new(IdempotencyStore::new(base)),
            call_log: Rc::new(CallLog::new(base)),
            syncs: Rc::new(SyncStore::new(base)),
            refusals: Rc::default(),
            own_changes: Rc::default(),
            last_redactor: Rc::default(),
            confirmations: Rc::default(),
            outbox,
        }
    }

    /// All components. `Stored::is_over` is asked in this order: the events, whose answer deletes rows, come after the components
    /// of the account itself.
    pub(super) fn components(&self) -> Components {
        // The pattern names every field, without `..`, so a new component does not compile until it is listed below.
        let Self {
            record,
            oauth_token,
            unclear_refusals,
            suspicions,
            logins,
            account_tokens,
            mcp_tokens,
            outbox,
            retention,
            dead_letters,
            deliveries,
            idempotency,
            call_log,
            syncs,
            refusals,
            own_changes,
            last_redactor,
            confirmations,
        } = self;
        Components::new(
            vec![
                Rc::clone(record) as _,
                Rc::clone(oauth_token) as _,
                Rc::clone(unclear_refusals) as _,
                Rc::clone(suspicions) as _,
                Rc::clone(logins) as _,
                Rc::clone(account_tokens) as _,
                Rc::clone(mcp_tokens) as _,
                Rc::clone(outbox) as _,
                Rc::clone(retention) as _,
                Rc::clone(dead_letters) as _,
                Rc::clone(deliveries) as _,
                Rc::clone(idempotency) as _,
                Rc::clone(call_log) as _,
                Rc::clone(syncs) as _,
            ],
            vec![
                Rc::clone(refusals) as _,
                Rc::clone(own_changes) as _,
                Rc::clone(last_redactor) as _,
                Rc::clone(confirmations) as _,
            ],
        )
    }

    pub(super) fn core(&self, base: &Rc<Base<O, S>>, components: &Rc<Components>) -> Core<O, S> {
        let schedule = Rc::new(Schedule::new(base, &self.record, components));
        let rows = Rc::new(Rows::new(
            &self.record,
            &self.oauth_token,
            &self.unclear_refusals,
            &self.outbox,
            components,
        ));
        let record = AccountRecord::new(
            base,
            &self.record,
            &self.oauth_token,
            &OwnTokens {
                account: Rc::clone(&self.account_tokens),
                mcp: Rc::clone(&self.mcp_tokens),
            },
            &rows,
            &schedule,
            &self.last_redactor,
        );
        let record = Rc::new(record);
        let changes = Changes::new(
            &record,
            &self.record,
            &self.oauth_token,
            &self.outbox,
            &rows,
            &schedule,
            base,
        );
        Core {
            schedule,
            record,
            changes: Rc::new(changes),
        }
    }

    pub(super) fn tokens(
        &self,
        base: &Rc<Base<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        changes: &Rc<Changes<O, S>>,
    ) -> Tokens<O, S> {
        let own = TokenStores {
            oauth_token: &self.oauth_token,
            unclear_refusals: &self.unclear_refusals,
            suspicions: &self.suspicions,
            refusals: &self.refusals,
        };
        Tokens::new(base, record, changes, schedule, &own)
    }

    pub(super) fn events(
        &self,
        base: &Rc<Base<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
    ) -> AccountEvents<O, S> {
        AccountEvents::new(base, record, &self.outbox, schedule, &self.deliveries)
    }

    pub(super) fn sync_runner(
        &self,
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        calls: &Rc<AccountCalls<O, S>>,
        schedule: &Rc<Schedule<O, S>>,
    ) -> Syncs<O, S> {
        Syncs::new(base, record, calls, &self.outbox, schedule, &self.syncs)
    }

    pub(super) fn inbox(
        &self,
        base: &Rc<Base<O, S>>,
        record: &Rc<AccountRecord<O, S>>,
        changes: &Rc<Changes<O, S>>,
        events: &Rc<AccountEvents<O, S>>,
        syncs: &Rc<Syncs<O, S>>,
    ) -> WebhookInbox<O, S> {
        let own = InboxStores {
            outbox: &self.outbox,
            deliveries: &self.deliveries,
            dead_letters: &self.dead_letters,
        };
        WebhookInbox::new(base, record, changes, events, syncs, &own)
    }
}
