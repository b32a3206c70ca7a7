//! The `Account` object: a connected account, its secrets and its calls, in its region.
//!
//! It loads its state once. Its schema is made only when an account is stored, so that a made-up id
//! answers 404 and writes nothing. A proxied call writes nothing before its answer.

mod actions;
mod arrivals;
mod changes;
mod row;
mod tokens;

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, Semaphore};

use crate::account::Account;
use crate::account::seal::key_id;
use crate::error::{Code, Failure};
use crate::flows::ask::{AccountAsk, AccountView, IntegrationView, answer_text, answered};
use crate::flows::effective::{self, Effective};
use crate::flows::isolate::Isolate;
use crate::ids::AccountId;
use crate::json as words;
use crate::ports::{Outside, Sees, Storage};
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
    /// One change at a time, so that none is lost to another.
    changing: Mutex<()>,
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
    /// The id of the key its secrets rest under.
    sealing_key: Option<String>,
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

    /// Whether the account is still there: it may go while a call waits for its turn.
    pub fn is_here(&self) -> bool {
        matches!(&*self.state.borrow(), State::Here(_))
    }

    /// The account, if there is one that may be seen.
    pub async fn visible(&self, sees: &Sees) -> Result<Rc<Loaded>, Failure> {
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
    pub async fn effective(&self, account: &Account) -> Result<Effective, Failure> {
        effective::load(&self.outside, &self.isolate, account).await
    }

    async fn try_answer(&self, message: &str) -> Result<Value, Failure> {
        let ask: AccountAsk = serde_json::from_str(message)
            .map_err(|_| Failure::new(Code::Internal, "An account could not read its message."))?;
        match ask {
            AccountAsk::Import(account) => answered(self.import(*account).await?),
            AccountAsk::Get(sees) => {
                let loaded = self.visible(&sees).await?;
                answered(self.view(&loaded).await?)
            }
            AccountAsk::Change(sees, change) => answered(self.change(&sees, change).await?),
            AccountAsk::Credentials(sees, context) => {
                answered(self.replace_credentials(&sees, &context).await?)
            }
            AccountAsk::Refresh(sees) => answered(self.refresh(&sees).await?),
            AccountAsk::IssueToken(sees, hash, until) => {
                answered(self.issue_token(&sees, &hash, until).await?)
            }
            AccountAsk::Reseal => answered(self.reseal().await?),
            AccountAsk::Delete(sees) => answered(self.delete(&sees).await?),
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

fn unknown_token() -> Failure {
    Failure::new(
        Code::Unauthenticated,
        "The token is unknown, revoked or expired.",
    )
}

impl Loaded {
    fn new(account: Account, secrets: &Value, sealed: Option<&str>) -> Rc<Self> {
        let mut context = account.context.clone();
        if secrets.is_object() {
            words::merge(&mut context, secrets);
        }
        Rc::new(Self {
            account,
            context,
            sealing_key: sealed.map(|text| key_id(text).to_owned()),
        })
    }
}
