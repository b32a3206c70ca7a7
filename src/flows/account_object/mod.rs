//! The `Account` object: a connected account, its secrets and its calls, in its region.
//!
//! It loads its state once. Its schema is made only when an account is stored, so that a made-up id
//! answers 404 and writes nothing. A proxied call writes nothing before its answer.

pub(in crate::flows) mod account_tokens;
pub(in crate::flows) mod actions;
pub(in crate::flows) mod ahead;
pub(in crate::flows) mod alarm;
pub(in crate::flows) mod arrivals;
pub(in crate::flows) mod attempt;
pub(in crate::flows) mod before_sending;
pub(in crate::flows) mod capabilities;
pub(in crate::flows) mod changes;
pub(in crate::flows) mod connect;
pub(in crate::flows) mod contents;
pub(in crate::flows) mod credential;
pub(in crate::flows) mod deliver;
pub(in crate::flows) mod event_views;
pub(in crate::flows) mod events;
pub(in crate::flows) mod forbidden;
pub(in crate::flows) mod grant;
pub(in crate::flows) mod kept_answers;
pub(in crate::flows) mod log;
pub mod log_line;
pub(in crate::flows) mod log_views;
pub(in crate::flows) mod logins;
pub(in crate::flows) mod lookup;
pub(in crate::flows) mod me;
pub(in crate::flows) mod newest;
pub(in crate::flows) mod oauth_token;
pub(in crate::flows) mod outbox;
pub(in crate::flows) mod own_override;
pub(in crate::flows) mod receive;
pub(in crate::flows) mod redactor;
pub(in crate::flows) mod refresh;
pub(in crate::flows) mod refresh_action;
pub mod refused;
pub(in crate::flows) mod replay;
pub(in crate::flows) mod report;
pub(in crate::flows) mod reseal;
pub(in crate::flows) mod row;
pub(in crate::flows) mod set_up;
pub(in crate::flows) mod subscriptions;
pub(in crate::flows) mod suspicion;
pub(in crate::flows) mod unclear;
pub(in crate::flows) mod unread;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, Semaphore};

use crate::account::Account;
use crate::account::origin::{Origin, Origins};
use crate::account::seal::key_id;
use crate::error::{Code, Failure};
use crate::flows::account_object::ahead::Pauses;
use crate::flows::account_object::kept_answers::KeptOfKinds;
use crate::flows::account_object::log::Gathered;
use crate::flows::account_object::oauth_token::with_token;
use crate::flows::account_object::redactor::LastRedactor;
use crate::flows::account_object::refresh::Refreshing;
use crate::flows::account_object::refused::Refusals;
use crate::flows::account_object::row::{AccountRow, SetUp};
use crate::flows::base::callers::{CallerGuard, Callers};
use crate::flows::base::memory::AccountBodies;
use crate::flows::config::isolate::Isolate;
use crate::flows::config::resolved_config;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::flows::messages::account::{AccountMessage, AccountView};
use crate::flows::messages::{answer_text, answered, message_bytes};
use crate::ids::AccountId;
use crate::json as words;
use crate::ports::{Outside, Sees, Storage};
use crate::rate_limit::Pace;
use crate::settings::CALL_SLOTS;
use crate::time::Timestamp;

/// The object, living as long as the platform keeps it.
pub struct AccountObject<O, S> {
    pub(crate) outside: O,
    pub(crate) isolate: Rc<Isolate>,
    storage: S,
    id: AccountId,
    state: RefCell<State>,
    /// One at a time settles what a restart left half done.
    settling: Mutex<()>,
    /// One change at a time, so that none is lost to another.
    changing: Mutex<()>,
    /// One at a time runs the lifecycle actions.
    setting_up: Mutex<()>,
    /// The refresh that is under way, for all who wait for it.
    refreshing: RefCell<Option<Refreshing>>,
    /// After a refresh that failed.
    pauses: Pauses,
    /// What finds the account's secrets in a provider's words.
    last_redactor: LastRedactor,
    /// What is remembered of refusals of the credential.
    refusals: Refusals,
    /// A use is about to be noted.
    is_noting_use: Cell<bool>,
    /// The alarm as this object set it last; an earlier one is never put off.
    alarm: Cell<Option<Timestamp>>,
    /// Whether the tables of events are there.
    has_open_outbox: Cell<bool>,
    /// The number of the last event.
    last_number: Cell<Option<i64>>,
    /// Events stored since they were trimmed, and when they are again.
    stored: Cell<u32>,
    trim_at: Cell<Option<Timestamp>>,
    /// Deliveries are under way.
    is_delivering: Cell<bool>,
    /// After a directory that did not answer.
    outbox_pause: Cell<Option<Timestamp>>,
    /// Whether the table of kept answers is there.
    has_kept_answers: Cell<bool>,
    /// What kept answers take, and how many keys there are.
    kept_bytes: KeptOfKinds,
    kept_keys: KeptOfKinds,
    /// What is gathered of calls, and was not written yet.
    gathered: Gathered,
    /// When account tokens changed it, in the last minute.
    own_changes: RefCell<VecDeque<Timestamp>>,
    /// Who is inside: calls and webhooks, and messages.
    callers: Callers,
    messages: Callers,
    /// What the bodies of its calls hold.
    pub(crate) bodies: AccountBodies,
    /// Calls that wait for the head of an answer.
    pub(crate) slots: Semaphore,
    /// How fast its calls may go.
    pub(crate) pace: RefCell<Pace>,
}

#[derive(Clone)]
enum State {
    /// Nothing was read yet.
    Unread,
    /// There is no such account (any more).
    Missing,
    /// As stored, with its secrets opened.
    Here(Rc<LoadedAccount>),
}

/// An account as its object holds it in memory.
pub struct LoadedAccount {
    /// The stored record.
    pub account: Account,
    /// Its whole context, the secret half included. Never leaves the object but inside a request to the provider.
    pub context: Value,
    /// The secret half of it as it is stored, the OAuth token apart: what is in it stays secret.
    pub(in crate::flows) sealed: Value,
    /// Who set what of it.
    origins: Origins,
    /// The id of the key its secrets rest under.
    sealing_key: Option<String>,
    /// What is left to do before it is active.
    set_up: Option<SetUp>,
    /// When its OAuth token was stored.
    token_stored_at: Option<Timestamp>,
    /// When it was called last, to the hour.
    used_at: Option<Timestamp>,
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// The object over its storage; nothing is read or written yet.
    pub fn new(outside: O, isolate: Rc<Isolate>, storage: S, id: AccountId) -> Self {
        let state = RefCell::new(State::Unread);
        Self {
            outside,
            isolate,
            storage,
            id,
            state,
            settling: Mutex::new(()),
            changing: Mutex::new(()),
            setting_up: Mutex::new(()),
            refreshing: RefCell::new(None),
            pauses: Pauses::none(),
            last_redactor: LastRedactor::default(),
            refusals: Refusals::default(),
            is_noting_use: Cell::new(false),
            alarm: Cell::new(None),
            has_open_outbox: Cell::new(false),
            last_number: Cell::new(None),
            stored: Cell::new(0),
            trim_at: Cell::new(None),
            is_delivering: Cell::new(false),
            outbox_pause: Cell::new(None),
            has_kept_answers: Cell::new(false),
            kept_bytes: KeptOfKinds::default(),
            kept_keys: KeptOfKinds::default(),
            gathered: Gathered::default(),
            own_changes: RefCell::default(),
            callers: Callers::default(),
            messages: Callers::default(),
            bodies: AccountBodies::default(),
            slots: Semaphore::new(CALL_SLOTS),
            pace: RefCell::default(),
        }
    }

    /// Answers one message of `flows::ask`.
    pub async fn answer(self: &Rc<Self>, message: &str) -> String {
        let answer = async {
            let _inside = self.messages.enter(self.outside.settings().calls_waiting)?;
            let room = self.isolate.room();
            room.take(message_bytes(message))?;
            self.try_answer(message).await
        };
        answer_text(&answer.await)
    }

    /// One more caller is inside, until this is dropped; 503 where there are too many.
    pub(crate) fn enter(&self) -> Result<CallerGuard, Failure> {
        self.callers.enter(self.outside.settings().calls_waiting)
    }

    /// The account as the row has it now, held in memory. Between the write before and this is no `.await`.
    fn reload(&self) -> Result<Rc<LoadedAccount>, Failure> {
        let row = self.read_row()?;
        let gone = || Failure::not_found("integrated account");
        let loaded = row.and_then(LoadedAccount::of_row).ok_or_else(gone)?;
        self.state.replace(State::Here(Rc::clone(&loaded)));
        Ok(loaded)
    }

    fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// The account's id.
    pub fn id(&self) -> AccountId {
        self.id
    }

    /// Whether the account is still there: it may go while a call waits for its turn.
    pub fn is_here(&self) -> bool {
        matches!(&*self.state.borrow(), State::Here(_))
    }

    /// The account, if there is one that may be seen.
    pub async fn visible(&self, sees: &Sees) -> Result<Rc<LoadedAccount>, Failure> {
        let hidden = || Failure::not_found("integrated account");
        let loaded = self.settled().await?;
        let is_visible = match (sees, &loaded) {
            (Sees::Environment(own), Some(loaded)) => *own == loaded.account.environment_id,
            (Sees::AccountToken(hash), _) if !self.knows_token(hash)? => {
                return Err(unknown_token());
            }
            (Sees::All | Sees::AccountToken(_), Some(_)) => true,
            (_, None) => false,
        };
        loaded.filter(|_| is_visible).ok_or_else(hidden)
    }

    /// What the account's integration comes to, with the install's and its own changes.
    pub async fn resolved_config(&self, account: &Account) -> Result<ResolvedConfig, Failure> {
        resolved_config::load(&self.outside, &self.isolate, account).await
    }

    /// The same to look at and to change, also where an override does not let it be used.
    pub(in crate::flows) async fn resolved_config_to_change(
        &self,
        account: &Account,
    ) -> Result<ResolvedConfig, Failure> {
        resolved_config::load_to_change(&self.outside, &self.isolate, account).await
    }

    async fn try_answer(self: &Rc<Self>, message: &str) -> Result<Value, Failure> {
        let ask: AccountMessage = serde_json::from_str(message)
            .map_err(|_| Failure::new(Code::Internal, "An account could not read its message."))?;
        match ask {
            AccountMessage::Import(account) => answered(self.import(*account).await?),
            AccountMessage::Get(sees) => {
                let loaded = self.visible(&sees).await?;
                answered(self.view(&loaded).await?)
            }
            AccountMessage::SecretNames(sees) => answered(self.secret_names(&sees).await?),
            AccountMessage::Change(sees, change) => answered(self.change(&sees, change).await?),
            AccountMessage::ChangeMe(sees, context) => {
                answered(self.change_me(&sees, &context).await?)
            }
            AccountMessage::Credentials(sees, context) => {
                answered(self.replace_credentials(&sees, &context).await?)
            }
            AccountMessage::Refresh(sees) => answered(self.refresh(&sees).await?),
            AccountMessage::Connect(connecting) => answered(self.connect(*connecting).await?),
            AccountMessage::Callback(came_back) => answered(self.callback(*came_back).await?),
            AccountMessage::IssueToken(sees, hash, until) => {
                answered(self.issue_token(&sees, &hash, until).await?)
            }
            AccountMessage::Receive(install, arrival) => {
                answered(self.receive_of_install(install, *arrival).await?)
            }
            AccountMessage::LookupValue(field) => answered(self.lookup_value(&field).await?),
            AccountMessage::ListEvents(sees, page) => {
                answered(self.list_events(&sees, &page).await?)
            }
            AccountMessage::GetEvent(sees, id) => answered(self.get_event(&sees, id).await?),
            AccountMessage::ListLog(sees, page) => answered(self.list_log(&sees, &page).await?),
            AccountMessage::Capabilities(sees) => answered(self.capabilities(&sees).await?),
            AccountMessage::Replay(sees, id) => answered(self.replay(&sees, id).await?),
            AccountMessage::ReplayAll(sees, range) => {
                answered(self.replay_all(&sees, &range).await?)
            }
            AccountMessage::Deliver => answered(self.release_all().await?),
            AccountMessage::Reseal => answered(self.reseal().await?),
            AccountMessage::Delete(sees) => answered(self.delete(&sees).await?),
        }
    }

    /// Also when the config cannot be compiled (a new version that does not fit an override): then
    /// without the context, for nobody can tell what in it is secret.
    async fn view(&self, loaded: &LoadedAccount) -> Result<AccountView, Failure> {
        let published =
            resolved_config::published(&self.outside, &self.isolate, &loaded.account).await?;
        let context = match resolved_config::compiled(
            &self.outside,
            &self.isolate,
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

    fn log(&self, event: &str, reason: &str) {
        self.outside.log(&json!({ "level": "error", "event": event, "integrated_account_id": self.id, "reason": reason }));
    }
}

fn unknown_token() -> Failure {
    Failure::new(
        Code::Unauthenticated,
        "The token is unknown, revoked or expired.",
    )
}

impl LoadedAccount {
    /// An account of which nothing is stored yet.
    fn of_nothing(account: Account) -> Self {
        Self {
            account,
            context: Value::Object(Map::new()),
            sealed: Value::Null,
            origins: Origins::default(),
            sealing_key: None,
            set_up: None,
            token_stored_at: None,
            used_at: None,
        }
    }

    /// What of its context is shown: no secret by today's file, and none that it was once.
    pub(in crate::flows) fn public(&self, compiled: &Compiled) -> Value {
        compiled
            .split_context(&self.account.context, &self.sealed)
            .0
    }

    /// Whether what stands under this key can be a customer's word.
    pub(in crate::flows) fn is_typed(&self, key: &str) -> bool {
        let is_there = self.context.get(key).is_some();
        is_there && matches!(self.origins.of(key), None | Some(Origin::Customer))
    }

    /// `None` when the row holds no account.
    fn of_row(row: AccountRow) -> Option<Rc<Self>> {
        let account = row.account?;
        let mut context = account.context.clone();
        if row.secrets.is_object() {
            words::merge(&mut context, &row.secrets);
        }
        if let Some(token) = &row.token {
            with_token(&mut context, &token.value);
        }
        let sealed = row.sealed.as_deref();
        let sealed = sealed.or(row.token.as_ref().map(|token| token.sealed.as_str()));
        let of_held = row.set_up.as_ref().and_then(SetUp::sealing_key);
        Some(Rc::new(Self {
            sealing_key: sealed.map(|text| key_id(text).to_owned()).or(of_held),
            sealed: row.secrets,
            origins: row.origins,
            set_up: row.set_up,
            token_stored_at: row.token.as_ref().map(|token| token.stored_at),
            used_at: row.token.as_ref().map(|token| token.used_at),
            account,
            context,
        }))
    }
}
