//! The `Account` object: a connected account, its secrets and its calls, in its region.
//!
//! It loads its state once. Its schema is made only when an account is stored, so that a made-up id
//! answers 404 and writes nothing. A proxied call writes nothing before its answer.

mod changes;
mod row;

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, Semaphore};

use crate::account::Account;
use crate::error::{Code, Failure};
use crate::flows::ask::{AccountAsk, AccountView, IntegrationView, answer_text, answered};
use crate::flows::effective::{self, Effective};
use crate::flows::isolate::Isolate;
use crate::ids::{AccountId, EnvironmentId};
use crate::json as words;
use crate::ports::{Outside, Storage};
use crate::settings::CALL_SLOTS;

/// The object, living as long as the platform keeps it.
pub struct AccountObject<O, S> {
    pub(crate) outside: O,
    pub(crate) isolate: Rc<Isolate>,
    storage: S,
    id: AccountId,
    state: RefCell<State>,
    /// One at a time settles what a restart left half done.
    settling: Mutex<()>,
    /// Calls that wait for the head of an answer.
    pub(crate) slots: Semaphore,
}

#[derive(Clone)]
enum State {
    /// Nothing was read yet.
    Unread,
    /// There is no such account (any more).
    Missing,
    /// As stored, with its secrets opened.
    Here(Rc<Loaded>),
}

/// An account as its object holds it in memory.
pub struct Loaded {
    /// The stored record.
    pub account: Account,
    /// Its whole context, the secret half included. Never leaves the object but inside a request to the provider.
    pub context: Value,
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
            slots: Semaphore::new(CALL_SLOTS),
        }
    }

    /// Answers one message of `flows::ask`.
    pub async fn answer(&self, message: &str) -> String {
        answer_text(&self.try_answer(message).await)
    }

    /// Finishes what a failure or a restart left undone, and rings again until it is.
    pub async fn alarm(&self) {
        if let Err(failure) = self.finish_pending().await {
            self.log("account_not_settled", failure.code.as_str());
            self.wake_later().await;
        }
    }

    /// Whether `loaded` is still what counts: an account may go while a call waits for its turn.
    pub fn is_current(&self, loaded: &Loaded) -> bool {
        matches!(&*self.state.borrow(), State::Here(current) if std::ptr::eq(Rc::as_ptr(current), loaded))
    }

    /// The account, if there is one that `environment_id` (absent: anybody) may see.
    pub async fn visible(
        &self,
        environment_id: Option<EnvironmentId>,
    ) -> Result<Rc<Loaded>, Failure> {
        let loaded = self.settled().await?;
        let visible = loaded
            .filter(|loaded| environment_id.is_none_or(|own| own == loaded.account.environment_id));
        visible.ok_or_else(|| Failure::not_found("integrated account"))
    }

    /// What the account's integration comes to, with the install's and its own changes.
    pub async fn effective(&self, account: &Account) -> Result<Effective, Failure> {
        effective::load(&self.outside, &self.isolate, account).await
    }

    async fn try_answer(&self, message: &str) -> Result<Value, Failure> {
        let ask: AccountAsk = serde_json::from_str(message)
            .map_err(|_| Failure::new(Code::Internal, "An account could not read its message."))?;
        match ask {
            AccountAsk::Import(account) => answered(self.import(*account).await?),
            AccountAsk::Get { environment_id } => {
                let loaded = self.visible(environment_id).await?;
                answered(self.view(&loaded).await?)
            }
            AccountAsk::Delete { environment_id } => {
                self.visible(environment_id).await?;
                answered(self.delete().await?)
            }
        }
    }

    /// Also when the config cannot be compiled (a new version that does not fit an override): then
    /// without the context, for nobody can tell what in it is secret.
    async fn view(&self, loaded: &Loaded) -> Result<AccountView, Failure> {
        let published = effective::published(&self.outside, &self.isolate, &loaded.account).await?;
        let context =
            match effective::compiled(&self.outside, &self.isolate, &loaded.account, &published) {
                // Secret by today's file, too: a field may have become a password since it was stored.
                Ok(compiled) => compiled.split_context(&loaded.account.context).0,
                Err(_) => Value::Object(Map::new()),
            };
        let integration = &published.integration;
        Ok(AccountView {
            account: Account {
                context,
                ..loaded.account.clone()
            },
            integration: IntegrationView {
                id: integration.id,
                name: integration.name.clone(),
                category: integration.category.clone(),
                is_beta: integration.is_beta,
            },
        })
    }

    fn log(&self, event: &str, reason: &str) {
        self.outside.log(&json!({ "level": "error", "event": event, "integrated_account_id": self.id, "reason": reason }));
    }
}

impl Loaded {
    fn new(account: Account, secrets: &Value) -> Rc<Self> {
        let mut context = account.context.clone();
        if secrets.is_object() {
            words::merge(&mut context, secrets);
        }
        Rc::new(Self { account, context })
    }
}
