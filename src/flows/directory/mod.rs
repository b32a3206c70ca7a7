//! The `Directory` object: the source of record for what must be consistent. It checks every write, then publishes to
//! KV, and its alarm repeats the publishing until it succeeds.
//!
//! There is one named root (environments, integrations) and one directory per environment (installs, tokens, the index
//! of accounts). A call to a provider does not use it, except for a miss in KV. The folder uses `base`, `messages` and
//! `config`.

pub(in crate::flows) mod accounts;
pub(in crate::flows) mod api_tokens;
pub(in crate::flows) mod environments;
pub(in crate::flows) mod failed_events;
pub(crate) mod installs;
pub(in crate::flows) mod integration_uses;
pub(crate) mod integrations;
pub(in crate::flows) mod link_tokens;
pub mod list_accounts;
pub(in crate::flows) mod lookup;
pub(in crate::flows) mod oauth_clients;
pub(in crate::flows) mod publishing;
pub(in crate::flows) mod sealing;
pub(in crate::flows) mod table;
pub mod validate_install;
pub mod validate_integration;
pub(in crate::flows) mod waiting;
pub mod webhook_secrets;
pub(in crate::flows) mod webhooks;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{Code, Failure};
use crate::flows::base::alarm::Alarm;
use crate::flows::base::byte_cache::ByteCache;
use crate::flows::base::callers::Callers;
use crate::flows::base::records::EnvironmentRecord;
use crate::flows::base::sql;
use crate::flows::config::isolate::Isolate;
use crate::flows::directory::webhooks::PATIENCE;
use crate::flows::messages::environment::{ClientMessage, EnvironmentMessage, LinkState};
use crate::flows::messages::send_to_root;
use crate::flows::messages::{RootMessage, answer_text, answered, message_bytes};
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::time::Timestamp;

/// When the alarm retries unfinished work.
const LATER: Duration = Duration::from_mins(1);
/// What the claims to register clients may take.
const CLAIM_BYTES: usize = 256 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryName {
    /// Environments and integrations.
    Root,
    /// One environment.
    Environment(EnvironmentId),
}

/// The object, as long as the platform keeps it in memory.
pub struct Directory<O, S> {
    outside: O,
    storage: S,
    name: DirectoryName,
    is_open: Cell<bool>,
    /// Set while it is being erased: nothing is written to it.
    is_closing: Cell<bool>,
    closings: Cell<u32>,
    alarm: Alarm,
    publishing: tokio::sync::Mutex<()>,
    isolate: Rc<Isolate>,
    messages: Callers,
    /// The number of valid link tokens, once they were counted.
    live_links: Cell<Option<i64>>,
    /// Clients that are being registered: until when, and by whose claim.
    client_claims: RefCell<ByteCache<String, (Timestamp, String)>>,
}

impl<O: Outside, S: Storage> Directory<O, S> {
    /// Creates the object. It reads and writes nothing yet.
    pub fn new(outside: O, isolate: Rc<Isolate>, storage: S, name: DirectoryName) -> Self {
        Self {
            outside,
            storage,
            name,
            is_open: Cell::new(false),
            is_closing: Cell::new(false),
            closings: Cell::new(0),
            alarm: Alarm::default(),
            publishing: tokio::sync::Mutex::new(()),
            isolate,
            messages: Callers::default(),
            live_links: Cell::new(None),
            client_claims: RefCell::new(ByteCache::new(CLAIM_BYTES)),
        }
    }

    /// Answers one message of `flows::messages`.
    pub async fn answer(&self, message: &str) -> String {
        answer_text(&self.try_answer(message).await)
    }

    async fn try_answer(&self, message: &str) -> Result<Value, Failure> {
        let _inside = self.messages.enter(self.outside.settings().calls_waiting)?;
        let room = self.isolate.room();
        room.take(message_bytes(message))?;
        match self.name {
            DirectoryName::Root => self.answer_root(message).await,
            DirectoryName::Environment(id) => self.answer_environment(id, message).await,
        }
    }

    /// Finishes the work that a failure or a restart left, and sets the alarm again until it is done.
    pub async fn alarm(&self) {
        self.alarm.forget();
        match self.exists() {
            Ok(false) => return,
            // Also creates the tables of a newer version.
            Ok(true) => self
                .open()
                .unwrap_or_else(|fault| self.log("alarm_failed", &fault.to_string())),
            Err(fault) => self.log("alarm_failed", &fault.to_string()),
        }
        self.wake_by(LATER).await;
        let is_done =
            self.finish_closing().await && self.publish_all().await && self.rotate().await;
        self.wake_waiting().await;
        self.delete_expired_links();
        let is_idle = is_done
            && self.is_published().unwrap_or(false)
            && self.has_woken_all().unwrap_or(false);
        if is_idle {
            self.set_idle_alarm().await;
        }
    }

    /// Sets the alarm to the expiry of the next link token, or removes it. Called when no work is left.
    async fn set_idle_alarm(&self) {
        let set = match self.next_link_expiry() {
            Ok(next) => self.alarm.set_to(&self.storage, next).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = set {
            self.alarm.forget();
            self.log("alarm_not_set", &fault.to_string());
        }
    }

    async fn answer_root(&self, message: &str) -> Result<Value, Failure> {
        let request: RootMessage = read(message)?;
        self.open()?;
        match request {
            RootMessage::CreateEnvironment(record) => answered(self.create_environment(&record)?),
            RootMessage::ListEnvironments(page) => answered(self.list_environments(&page)?),
            RootMessage::FindEnvironment(id) => answered(self.find_environment(id)?),
            RootMessage::ChangeEnvironment(change) => answered(self.change_environment(change)?),
            RootMessage::DeleteEnvironment(id) => answered(self.delete_environment(id).await?),
            RootMessage::SaveIntegration(saving, file) => {
                answered(self.save_integration(saving, file).await?)
            }
            RootMessage::ChangeIntegration(key, version, patch) => {
                answered(self.change_integration(&key, version, &patch).await?)
            }
            RootMessage::DeleteIntegration(key) => answered(self.delete_integration(&key).await?),
            RootMessage::UseIntegration(integration, environment) => {
                answered(self.use_integration(integration, environment)?)
            }
            RootMessage::DropIntegration(integration, environment) => {
                answered(self.drop_integration(integration, environment)?)
            }
            RootMessage::Rotate => answered(self.start_rotation().await?),
            RootMessage::CountSealed => answered(self.count_all_sealed().await?),
            RootMessage::FindIntegration(key) => answered(self.find_integration(&key)?),
            RootMessage::ListIntegrations(page) => answered(self.list_integrations(&page)?),
            RootMessage::ListCategories(page) => answered(self.list_categories(&page)?),
        }
    }

    async fn answer_environment(&self, id: EnvironmentId, message: &str) -> Result<Value, Failure> {
        let request: EnvironmentMessage = read(message)?;
        if self.is_closing.get()
            && !matches!(
                request,
                EnvironmentMessage::Close | EnvironmentMessage::FindToken(_)
            )
        {
            return Err(Failure::not_found("environment"));
        }
        if !self.open_environment(id, &request).await? {
            return answer_without_environment(&request);
        }
        self.dispatch_environment(request).await
    }

    async fn dispatch_environment(&self, request: EnvironmentMessage) -> Result<Value, Failure> {
        use EnvironmentMessage as Message;

        match request {
            Message::CreateToken(record) => answered(self.create_token(record).await?),
            Message::ListTokens(page) => answered(self.list_tokens(&page)?),
            Message::FindToken(hash) => answered(self.find_token(&hash)?),
            Message::DeleteToken(id) => answered(self.delete_token(id).await?),
            Message::CreateInstall(record, secrets) => {
                answered(self.create_install(record, &secrets).await?)
            }
            Message::ChangeInstall(id, change) => answered(self.change_install(id, change).await?),
            Message::DeleteInstall(id) => answered(self.delete_install(id).await?),
            Message::HasInstallOf(integration) => answered(self.has_install_of(integration)?),
            Message::FindInstall(id) => answered(self.find_install(id)?),
            Message::ListInstalls(page) => answered(self.list_installs(&page)?),
            Message::CreateLink(record, context) => {
                answered(self.create_link(record, &context).await?)
            }
            Message::ListLinks(page) => answered(self.list_links(&page)?),
            Message::DeleteLink(id) => answered(self.delete_link(id)?),
            Message::OpenLink(hash, browser) => {
                answered(self.open_link(&hash, browser.as_deref())?)
            }
            Message::BindLink(hash, used) => answered(self.bind_link(&hash, used)?),
            Message::IndexAccount(entry, link, lookup) => {
                answered(self.index_account(&entry, link.as_deref(), &lookup)?)
            }
            Message::FindAccounts(install, field, values) => {
                answered(self.find_accounts(install, &field, &values).await?)
            }
            Message::ForgetAccount(id) => answered(self.forget_account(id)?),
            Message::ListAccounts(page) => answered(self.list_accounts(&page)?),
            Message::CreateWebhook(record, secrets) => {
                answered(self.create_webhook(record, &secrets)?)
            }
            Message::ListWebhooks(page) => answered(self.list_webhooks(&page)?),
            Message::FindWebhook(id) => answered(self.find_webhook(id)?),
            Message::ChangeWebhook(id, change) => answered(self.change_webhook(id, change).await?),
            Message::RotateWebhookSecret(id, secret) => {
                answered(self.rotate_webhook_secret(id, secret)?)
            }
            Message::DeleteWebhook(id) => answered(self.delete_webhook(id).await?),
            Message::Webhooks => answered(self.webhooks()?),
            Message::NoteFailing(id, now) => answered(self.note_failing(id, now, PATIENCE)?),
            Message::NoteGone(id, now) => answered(self.note_failing(id, now, Duration::ZERO)?),
            Message::NoteWorking(id) => answered(self.note_working(id)?),
            Message::NoteWaiting(id, account) => answered(self.note_waiting(id, account)?),
            Message::NoteFailed(events) => answered(self.note_failed(&events)?),
            Message::ForgetFailed(ids) => answered(self.forget_failed(&ids)?),
            Message::ListFailed(page) => answered(self.list_failed(&page)?),
            Message::FailedAccounts(range) => answered(self.failed_accounts(&range)?),
            Message::Reseal(after) => answered(self.reseal_environment(after).await?),
            Message::CountSealed => answered(self.count_sealed_here()?),
            Message::Close => answered(self.close().await?),
            Message::Clients(message) => self.answer_client(message),
        }
    }

    fn answer_client(&self, message: ClientMessage) -> Result<Value, Failure> {
        match message {
            ClientMessage::ClaimClient(key) => answered(self.claim_client(&key)?),
            ClientMessage::StoreClient(install, own, client) => {
                answered(self.store_client(install, &own, &client)?)
            }
            ClientMessage::ReleaseClient(own) => {
                self.release_client(&own);
                answered(())
            }
            ClientMessage::ForgetClient(key, id) => answered(self.forget_client(&key, &id)?),
        }
    }

    /// Creates the schema if it does not exist.
    fn open(&self) -> Result<(), StorageFault> {
        if !self.is_open.get() {
            let schema = match self.name {
                DirectoryName::Root => crate::flows::directory::table::ROOT_SCHEMA,
                DirectoryName::Environment(_) => crate::flows::directory::table::ENVIRONMENT_SCHEMA,
            };
            self.migrate()?;
            sql::run_all(&self.storage, schema)?;
            self.is_open.set(true);
        }
        Ok(())
    }

    /// Migrates the tables of older versions.
    fn migrate(&self) -> Result<(), StorageFault> {
        let statement = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?";
        for migration in crate::flows::directory::table::MIGRATIONS {
            let sql: Option<String> =
                sql::one(&self.storage, statement, &[migration.table.into()])?;
            if sql.is_some_and(|sql| !sql.contains(migration.column)) {
                sql::run_all(&self.storage, migration.statements)?;
            }
        }
        Ok(())
    }

    /// Opens the directory only if the root knows the environment: a made-up id writes nothing. Reads that anyone can
    /// send do not reach the root.
    async fn open_environment(
        &self,
        id: EnvironmentId,
        request: &EnvironmentMessage,
    ) -> Result<bool, Failure> {
        if self.is_open.get() || self.exists()? {
            self.open()?;
            return Ok(true);
        }
        if matches!(
            request,
            EnvironmentMessage::FindToken(_)
                | EnvironmentMessage::OpenLink(..)
                | EnvironmentMessage::ForgetAccount(_)
                | EnvironmentMessage::Close
        ) {
            self.closings
                .set(self.closings.get() + u32::from(matches!(request, EnvironmentMessage::Close)));
            return Ok(false);
        }
        let closings = self.closings.get();
        let known: Option<EnvironmentRecord> =
            send_to_root(&self.outside, &RootMessage::FindEnvironment(id)).await?;
        // The answer of the root is outdated if the environment was closed while it was asked.
        let is_known = known.is_some() && closings == self.closings.get();
        if is_known {
            self.open()?;
        }
        Ok(is_known)
    }

    fn exists(&self) -> Result<bool, StorageFault> {
        sql::has_table(&self.storage, "publication")
    }

    fn log(&self, event: &str, reason: &str) {
        self.outside.log(&json!({ "level": "error", "event": event, "directory": format!("{:?}", self.name), "reason": reason }));
    }
}

/// The answer for an environment that does not exist. The outbox of an account may outlive its environment: then it has
/// no subscriptions.
fn answer_without_environment(request: &EnvironmentMessage) -> Result<Value, Failure> {
    match request {
        EnvironmentMessage::FindToken(_)
        | EnvironmentMessage::ForgetAccount(_)
        | EnvironmentMessage::NoteFailing(..)
        | EnvironmentMessage::NoteGone(..)
        | EnvironmentMessage::NoteWorking(_)
        | EnvironmentMessage::NoteFailed(_)
        | EnvironmentMessage::ForgetFailed(_)
        | EnvironmentMessage::Close => Ok(Value::Null),
        EnvironmentMessage::OpenLink(..) => answered(LinkState::Unknown),
        EnvironmentMessage::Webhooks => Ok(Value::Array(Vec::new())),
        EnvironmentMessage::NoteWaiting(..) => Ok(Value::Bool(false)),
        _ => Err(Failure::not_found("environment")),
    }
}

fn read<T: serde::de::DeserializeOwned>(message: &str) -> Result<T, Failure> {
    serde_json::from_str(message).map_err(|_| {
        Failure::new(
            Code::Internal,
            "A message between the gateway's objects could not be read.",
        )
    })
}
