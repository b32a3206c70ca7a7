//! The `Account` object: a connected account, its secrets and its calls, in its region. It builds the components of the
//! folders below and dispatches messages and alarms to them.
//!
//! The object loads its state once. It creates its tables only when an account is stored, so an invented id gets 404 and
//! writes nothing. A proxied call without an `Idempotency-Key` writes nothing before its answer.

pub(in crate::flows) mod alarm;
pub mod dispatch;
pub(in crate::flows) mod reseal;
pub(in crate::flows) mod stores;

use std::rc::Rc;

use serde_json::Value;

use crate::error::{Code, Failure};
use crate::flows::account::base::Base;
use crate::flows::account::record::AccountRecord;
use crate::flows::account::schedule::Schedule;
use crate::flows::account::stored::Components;
use crate::flows::agents::mcp::McpServer;
use crate::flows::agents::tools;
use crate::flows::base::callers::Callers;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::call::account_log::AccountLog;
use crate::flows::config::isolate::Isolate;
use crate::flows::events::account_events::AccountEvents;
use crate::flows::ingress::receive::WebhookInbox;
use crate::flows::lifecycle::account_edits::AccountEdits;
use crate::flows::lifecycle::capabilities::capabilities;
use crate::flows::lifecycle::connect_account::ConnectFlow;
use crate::flows::lifecycle::delete::Deletion;
use crate::flows::lifecycle::set_up::SetUpRunner;
use crate::flows::messages::account::AccountMessage;
use crate::flows::messages::lease::LeaseMessage;
use crate::flows::messages::{answer_text, answered, message_bytes};
use crate::flows::object::stores::{Core, Stores};
use crate::flows::sync::Syncs;
use crate::ids::AccountId;
use crate::ports::{Outside, Storage};

/// The object, as long as the platform keeps it in memory. It passes each message or request to the struct that handles it.
pub struct AccountObject<O, S> {
    base: Rc<Base<O, S>>,
    components: Rc<Components>,
    schedule: Rc<Schedule<O, S>>,
    record: Rc<AccountRecord<O, S>>,
    calls: Rc<AccountCalls<O, S>>,
    connect: ConnectFlow<O, S>,
    set_up: Rc<SetUpRunner<O, S>>,
    edits: AccountEdits<O, S>,
    deletion: Deletion<O, S>,
    events: Rc<AccountEvents<O, S>>,
    syncs: Rc<Syncs<O, S>>,
    inbox: WebhookInbox<O, S>,
    messages: Callers,
    mcp: McpServer<O, S>,
}

impl<O: Outside, S: Storage> AccountObject<O, S> {
    /// Creates the object. It reads and writes nothing yet.
    pub fn new(outside: O, isolate: Rc<Isolate>, storage: S, id: AccountId) -> Self {
        let base = Rc::new(Base::new(outside, isolate, storage, id));
        let stores = Stores::new(&base);
        let components = Rc::new(stores.components());
        let Core {
            schedule,
            record,
            changes,
        } = stores.core(&base, &components);
        let tokens = stores.tokens(&base, &schedule, &record, &changes);
        let endpoint = Rc::clone(tokens.endpoint());
        let calls = Rc::new(AccountCalls::new(
            &base,
            &record,
            &changes,
            &schedule,
            tokens,
            &Rc::new(AccountLog::new(&base, &record, &stores.call_log, &schedule)),
            &stores.idempotency,
        ));
        let set_up = Rc::new(SetUpRunner::new(&base, &record, &changes, &calls));
        let events = Rc::new(stores.events(&base, &schedule, &record));
        let syncs = Rc::new(stores.sync_runner(&base, &record, &calls, &schedule));
        Self {
            components,
            connect: ConnectFlow::new(
                &base,
                &record,
                &schedule,
                &changes,
                &endpoint,
                &stores.logins,
                &set_up,
            ),
            edits: AccountEdits::new(&base, &record, &changes, &stores.own_changes, &calls),
            deletion: Deletion::new(&base, &record, &stores.outbox, &endpoint, &calls),
            inbox: stores.inbox(&base, &record, &changes, &events, &syncs),
            syncs,
            messages: Callers::default(),
            mcp: McpServer::new(&calls, &stores.mcp_tokens, &stores.confirmations),
            calls,
            set_up,
            events,
            schedule,
            record,
            base,
        }
    }

    /// Answers one message of `flows::messages`.
    pub async fn answer(&self, message: &str) -> String {
        let answer = async {
            let _inside = self
                .messages
                .enter(self.base.outside().settings().calls_waiting)?;
            let room = self.base.isolate().room();
            room.take(message_bytes(message))?;
            self.try_answer(message).await
        };
        answer_text(&answer.await)
    }

    pub fn id(&self) -> AccountId {
        self.base.id()
    }

    /// The account, as calls need it.
    pub fn calls(&self) -> &Rc<AccountCalls<O, S>> {
        &self.calls
    }

    async fn try_answer(&self, message: &str) -> Result<Value, Failure> {
        use AccountMessage as Message;

        let message: Message = serde_json::from_str(message)
            .map_err(|_| Failure::new(Code::Internal, "An account could not read its message."))?;
        // What can make the account active, or change what its file says.
        let may_bring_syncs = matches!(
            message,
            Message::Import(..)
                | Message::Callback(_)
                | Message::Connect(_)
                | Message::Change(..)
                | Message::Credentials(..)
        );
        let answer = self.answer_one(message).await?;
        if may_bring_syncs {
            self.syncs.adopt_now().await;
        }
        Ok(answer)
    }

    async fn answer_one(&self, message: AccountMessage) -> Result<Value, Failure> {
        use AccountMessage as Message;

        let (record, edits, connect) = (&self.record, &self.edits, &self.connect);
        match message {
            Message::Import(account, actions) => {
                answered(Box::pin(self.connect.import(*account, actions)).await?)
            }
            Message::Get(visibility) => {
                let loaded = record.visible(&visibility).await?;
                answered(record.view(&loaded).await?)
            }
            Message::SecretNames(visibility) => answered(record.secret_names(&visibility).await?),
            Message::Change(visibility, change) => {
                answered(edits.change(&visibility, change).await?)
            }
            Message::ChangeMe(visibility, context) => {
                answered(edits.change_me(&visibility, &context).await?)
            }
            Message::Credentials(visibility, context) => {
                let replaced = connect.replace_credentials(edits, &visibility, &context);
                answered(replaced.await?)
            }
            Message::Refresh(visibility) => {
                let refresh = self.calls.tokens().refresh();
                answered(refresh.refresh(&self.calls, &visibility).await?)
            }
            Message::HostKey(visibility) => answered(edits.host_key(&visibility).await?),
            Message::Connect(connecting) => answered(self.connect.connect(*connecting).await?),
            Message::Callback(callback) => answered(self.connect.callback(*callback).await?),
            Message::IssueToken(visibility, hash, until) => {
                answered(record.issue_token(&visibility, &hash, until).await?)
            }
            Message::Receive(install, arrival) => {
                answered(self.inbox.receive_of_install(install, *arrival).await?)
            }
            Message::LookupValue(field) => answered(record.lookup_value(&field).await?),
            Message::ListEvents(visibility, page) => {
                answered(self.events.list_events(&visibility, &page).await?)
            }
            Message::GetEvent(visibility, id) => {
                answered(self.events.get_event(&visibility, id).await?)
            }
            Message::ListLog(visibility, page) => {
                answered(self.calls.log().list_log(&visibility, &page).await?)
            }
            Message::Capabilities(visibility) => answered(capabilities(record, &visibility).await?),
            Message::Tools(visibility, filter) => {
                answered(tools::of_account(record, &visibility, filter).await?)
            }
            Message::Replay(visibility, id) => answered(self.inbox.replay(&visibility, id).await?),
            Message::ReplayAll(visibility, range) => {
                answered(self.inbox.replay_all(&visibility, &range).await?)
            }
            Message::Deliver => answered(self.events.release_deliveries().await?),
            Message::Reseal => answered(self.reseal().await?),
            Message::Delete(visibility) => answered(self.deletion.delete(&visibility).await?),
            Message::Sync(visibility, message) => {
                Box::pin(self.syncs.answer(&visibility, message)).await
            }
            Message::McpTokens(message) => self.mcp.manage(message).await,
            Message::LeasedCalls(message) => Box::pin(self.answer_lease(message)).await,
        }
    }

    async fn answer_lease(&self, message: LeaseMessage) -> Result<Value, Failure> {
        match message {
            LeaseMessage::Lease(visibility, purpose) => {
                answered(self.calls.lease(&visibility, purpose).await?)
            }
            LeaseMessage::RenewLease(visibility, refused) => {
                answered(self.calls.renew_lease(&visibility, refused).await?)
            }
            LeaseMessage::ConfirmRefusal(visibility, refused) => answered(
                self.calls
                    .confirm_refused_lease(&visibility, refused)
                    .await?,
            ),
            LeaseMessage::ReportCalls(report) => answered(self.calls.take_report(report).await?),
        }
    }
}
