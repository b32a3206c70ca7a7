//! The `Account` object: a connected account, its secrets and its calls, in its region.
//!
//! It loads its state once. Its schema is made only when an account is stored, so that a made-up id
//! answers 404 and writes nothing. A proxied call writes nothing before its answer.

pub(in crate::flows) mod account_store;
pub(in crate::flows) mod account_tokens;
pub(in crate::flows) mod actions;
pub(in crate::flows) mod alarm;
pub(in crate::flows) mod attempt;
pub(in crate::flows) mod base;
pub(in crate::flows) mod before_sending;
pub(in crate::flows) mod call_account;
pub mod call_action;
pub(in crate::flows) mod capabilities;
pub(in crate::flows) mod changes;
pub(in crate::flows) mod connect;
pub(in crate::flows) mod contents;
pub(in crate::flows) mod credential;
pub(in crate::flows) mod dead_letters;
pub(in crate::flows) mod deliver;
pub mod dispatch;
pub(in crate::flows) mod event_views;
pub(in crate::flows) mod events;
pub(in crate::flows) mod grant;
pub(in crate::flows) mod idempotency_store;
pub(in crate::flows) mod import;
pub(in crate::flows) mod log;
pub(in crate::flows) mod log_views;
pub(in crate::flows) mod logins;
pub(in crate::flows) mod lookup;
pub(in crate::flows) mod me;
pub(in crate::flows) mod oauth_token;
pub(in crate::flows) mod outbox;
pub(in crate::flows) mod own_override;
pub(in crate::flows) mod receive;
pub(in crate::flows) mod redactor;
pub(in crate::flows) mod refresh;
pub(in crate::flows) mod refresh_action;
pub(in crate::flows) mod refresh_schedule;
pub mod refused;
pub(in crate::flows) mod replay;
pub(in crate::flows) mod report;
pub(in crate::flows) mod reseal;
pub(in crate::flows) mod row;
pub(in crate::flows) mod scope_errors;
pub(in crate::flows) mod set_up;
pub(in crate::flows) mod stored;
pub(in crate::flows) mod subscriptions;
pub(in crate::flows) mod suspicion;
pub(in crate::flows) mod unclear;

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::account::Account;
use crate::error::{Code, Failure};
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::state::State;
use crate::flows::base::alarm::Alarm;
use crate::flows::base::callers::{CallerGuard, Callers};
use crate::flows::base::memory::{AccountBodies, Room};
use crate::flows::call::limiter::Limiter;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::resolved_config;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::account::{AccountMessage, AccountView};
use crate::flows::messages::{answer_text, answered, message_bytes};
use crate::flows::object::account_store::AccountStore;
use crate::flows::object::account_tokens::{AccountTokenStore, unknown_token};
use crate::flows::object::base::Base;
use crate::flows::object::dead_letters::DeadLetters;
use crate::flows::object::deliver::Dispatcher;
use crate::flows::object::idempotency_store::IdempotencyStore;
use crate::flows::object::log::CallLog;
use crate::flows::object::logins::LoginStore;
use crate::flows::object::me::OwnChanges;
use crate::flows::object::oauth_token::TokenStore;
use crate::flows::object::outbox::Outbox;
use crate::flows::object::redactor::LastRedactor;
use crate::flows::object::refused::Refusals;
use crate::flows::object::row::AccountRow;
use crate::flows::object::set_up::SetUpRuns;
use crate::flows::object::suspicion::SuspicionStore;
use crate::flows::object::unclear::UnclearRefusals;
use crate::ids::AccountId;
use crate::ports::{Outside, Storage, Visibility};

/// The object, living as long as the platform keeps it. What needs one component is a method of that; else of the object.
pub struct AccountObject<O, S> {
    base: Rc<Base<O, S>>,
    alarm: Alarm,
    record: AccountStore<O, S>,
    tokens: TokenStore<O, S>,
    unclear_refusals: UnclearRefusals<O, S>,
    suspicions: SuspicionStore<O, S>,
    logins: LoginStore<O, S>,
    account_tokens: AccountTokenStore<O, S>,
    outbox: Rc<Outbox<O, S>>,
    dead_letters: DeadLetters<O, S>,
    deliveries: Dispatcher<O, S>,
    idempotency: IdempotencyStore<O, S>,
    call_log: CallLog<O, S>,
    limiter: Limiter,
    set_up: SetUpRuns,
    refusals: Refusals,
    own_changes: OwnChanges,
    last_redactor: LastRedactor,
    /// Calls and webhooks that are inside, and messages.
    callers: Callers,
    messages: Callers,
    bodies: AccountBodies,
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// The object over its storage; nothing is read or written yet.
    pub fn new(outside: O, isolate: Rc<Isolate>, storage: S, id: AccountId) -> Self {
        let base = Rc::new(Base {
            outside,
            isolate,
            storage,
            id,
        });
        let outbox = Rc::new(Outbox::new(&base));
        Self {
            alarm: Alarm::default(),
            record: AccountStore::new(&base),
            tokens: TokenStore::new(&base),
            unclear_refusals: UnclearRefusals::new(&base),
            suspicions: SuspicionStore::new(&base),
            logins: LoginStore::new(&base),
            account_tokens: AccountTokenStore::new(&base),
            dead_letters: DeadLetters::new(&base, &outbox),
            deliveries: Dispatcher::new(&base, &outbox),
            idempotency: IdempotencyStore::new(&base),
            call_log: CallLog::new(&base),
            limiter: Limiter::new(),
            set_up: SetUpRuns::default(),
            refusals: Refusals::default(),
            own_changes: OwnChanges::default(),
            last_redactor: LastRedactor::default(),
            callers: Callers::default(),
            messages: Callers::default(),
            bodies: AccountBodies::default(),
            outbox,
            base,
        }
    }

    /// Answers one message of `flows::ask`.
    pub async fn answer(self: &Rc<Self>, message: &str) -> String {
        let answer = async {
            let _inside = self
                .messages
                .enter(self.base.outside.settings().calls_waiting)?;
            let room = self.base.isolate.room();
            room.take(message_bytes(message))?;
            self.try_answer(message).await
        };
        answer_text(&answer.await)
    }

    /// One more caller is inside, until this is dropped; 503 where there are too many.
    pub(crate) fn enter(&self) -> Result<CallerGuard, Failure> {
        self.callers
            .enter(self.base.outside.settings().calls_waiting)
    }

    /// The account as the row has it now, held in memory. Between the write before and this is no `.await`.
    fn reload(&self) -> Result<Rc<LoadedAccount>, Failure> {
        let row = self.read_row()?;
        let gone = || Failure::not_found("integrated account");
        let loaded = row.and_then(AccountRow::into_loaded).ok_or_else(gone)?;
        self.record.set_state(State::Here(Rc::clone(&loaded)));
        Ok(loaded)
    }

    /// The account's id.
    pub fn id(&self) -> AccountId {
        self.base.id
    }

    /// What the account's flows know of the outside.
    pub(crate) fn outside(&self) -> &O {
        &self.base.outside
    }

    /// What the objects of one isolate share.
    pub(crate) fn isolate(&self) -> &Rc<Isolate> {
        &self.base.isolate
    }

    /// How many requests the account may send.
    pub(in crate::flows) fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// Room for a caller's body, of the account's share.
    pub(crate) fn body_room(&self) -> Room {
        self.base.isolate.memory.body_room(&self.bodies)
    }

    /// Whether the account is still there: it may go while a call waits for its turn.
    pub fn is_here(&self) -> bool {
        self.record.state().is_here()
    }

    /// The account, if there is one that may be seen.
    pub async fn visible(&self, visibility: &Visibility) -> Result<Rc<LoadedAccount>, Failure> {
        let hidden = || Failure::not_found("integrated account");
        let loaded = self.settled().await?;
        let is_visible = match (visibility, &loaded) {
            (Visibility::Environment(own), Some(loaded)) => *own == loaded.account.environment_id,
            (Visibility::AccountToken(hash), _) if !self.account_tokens.has(hash)? => {
                return Err(unknown_token());
            }
            (Visibility::All | Visibility::AccountToken(_), Some(_)) => true,
            (_, None) => false,
        };
        loaded.filter(|_| is_visible).ok_or_else(hidden)
    }

    /// What the account's integration comes to, with the install's and its own changes.
    pub async fn resolved_config(&self, account: &Account) -> Result<ResolvedConfig, Failure> {
        resolved_config::load(&self.base.outside, &self.base.isolate, account).await
    }

    /// The same to look at and to change, also where an override does not let it be used.
    pub(in crate::flows) async fn resolved_config_to_change(
        &self,
        account: &Account,
    ) -> Result<ResolvedConfig, Failure> {
        resolved_config::load_to_change(&self.base.outside, &self.base.isolate, account).await
    }

    async fn try_answer(self: &Rc<Self>, message: &str) -> Result<Value, Failure> {
        let ask: AccountMessage = serde_json::from_str(message)
            .map_err(|_| Failure::new(Code::Internal, "An account could not read its message."))?;
        match ask {
            AccountMessage::Import(account) => answered(self.import(*account).await?),
            AccountMessage::Get(visibility) => {
                let loaded = self.visible(&visibility).await?;
                answered(self.view(&loaded).await?)
            }
            AccountMessage::SecretNames(visibility) => {
                answered(self.secret_names(&visibility).await?)
            }
            AccountMessage::Change(visibility, change) => {
                answered(self.change(&visibility, change).await?)
            }
            AccountMessage::ChangeMe(visibility, context) => {
                answered(self.change_me(&visibility, &context).await?)
            }
            AccountMessage::Credentials(visibility, context) => {
                answered(self.replace_credentials(&visibility, &context).await?)
            }
            AccountMessage::Refresh(visibility) => answered(self.refresh(&visibility).await?),
            AccountMessage::Connect(connecting) => answered(self.connect(*connecting).await?),
            AccountMessage::Callback(came_back) => answered(self.callback(*came_back).await?),
            AccountMessage::IssueToken(visibility, hash, until) => {
                answered(self.issue_token(&visibility, &hash, until).await?)
            }
            AccountMessage::Receive(install, arrival) => {
                answered(self.receive_of_install(install, *arrival).await?)
            }
            AccountMessage::LookupValue(field) => answered(self.lookup_value(&field).await?),
            AccountMessage::ListEvents(visibility, page) => {
                answered(self.list_events(&visibility, &page).await?)
            }
            AccountMessage::GetEvent(visibility, id) => {
                answered(self.get_event(&visibility, id).await?)
            }
            AccountMessage::ListLog(visibility, page) => {
                answered(self.list_log(&visibility, &page).await?)
            }
            AccountMessage::Capabilities(visibility) => {
                answered(self.capabilities(&visibility).await?)
            }
            AccountMessage::Replay(visibility, id) => answered(self.replay(&visibility, id).await?),
            AccountMessage::ReplayAll(visibility, range) => {
                answered(self.replay_all(&visibility, &range).await?)
            }
            AccountMessage::Deliver => answered(self.release_deliveries().await?),
            AccountMessage::Reseal => answered(self.reseal().await?),
            AccountMessage::Delete(visibility) => answered(self.delete(&visibility).await?),
        }
    }

    /// Also when the config cannot be compiled (a new version that does not fit an override): then
    /// without the context, for nobody can tell what in it is secret.
    async fn view(&self, loaded: &LoadedAccount) -> Result<AccountView, Failure> {
        let published =
            resolved_config::published(&self.base.outside, &self.base.isolate, &loaded.account)
                .await?;
        let context = match resolved_config::compiled(
            &self.base.outside,
            &self.base.isolate,
            &loaded.account,
            &published,
        ) {
            // Secret by today's file, too: a field may have become a password since it was stored.
            Ok(compiled) => loaded.public(&compiled),
            Err(_) => Value::Object(Map::new()),
        };
        Ok(AccountView {
            account: Account {
                context,
                ..loaded.account.clone()
            },
            integration: published.integration.view(),
        })
    }
}
