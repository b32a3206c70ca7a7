//! Credentials that the caller already has: importing an account, and setting one up again. They take the way of a customer's
//! form: a token is got if none came, the credential is stored, the lifecycle actions run.

use std::rc::Rc;

use serde_json::Value;

use crate::account::Account;
use crate::account::origin::Origin;
use crate::account::status::Status;
use crate::config::{Config, Credential};
use crate::error::{Code, Failure};
use crate::flows::account::contents::Contents;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::flows::lifecycle::account_edits::AccountEdits;
use crate::flows::lifecycle::connect_account::{ConnectContext, ConnectFlow};
use crate::flows::lifecycle::first_token::first_token;
use crate::flows::lifecycle::new_credential::NewCredential;
use crate::flows::lifecycle::sftp_login::{self, check_login};
use crate::flows::lifecycle::stage::has_stages;
use crate::flows::messages::account::{AccountView, LifecycleActions};
use crate::flows::tokens::grant::Attempt;
use crate::oauth::{TokenFailure, TokenReply};
use crate::ports::{Outside, Storage, Visibility};

impl<O: Outside, S: Storage> ConnectFlow<O, S> {
    /// Stores an account with the credentials in its context and runs its lifecycle actions.
    pub(in crate::flows) async fn import(
        &self,
        mut account: Account,
        actions: LifecycleActions,
    ) -> Result<AccountView, Failure> {
        let resolved = self.resolved_for_import(&account).await?;
        let (compiled, method) = (&resolved.compiled, &account.authentication_method);
        let imported = completed(compiled, method, &account.context)?;
        account.context.take();
        let new = NewCredential::of_import(&account, &imported, actions);
        let contents = new.merged(&resolved, None)?;
        let context = ConnectContext { resolved, contents };
        Box::pin(self.store_and_set_up(new, context)).await
    }

    /// `PATCH …/credentials`. An account whose set-up failed, or whose credential is refused, is set up as a new one is.
    pub(in crate::flows) async fn replace_credentials(
        &self,
        edits: &AccountEdits<O, S>,
        visibility: &Visibility,
        patch: &Value,
    ) -> Result<AccountView, Failure> {
        let loaded = self.record.visible(visibility).await?;
        let resolved = self.record.resolved_config(&loaded.account).await?;
        if !needs_set_up(loaded.account.status, &resolved.compiled.config) {
            return edits.replace_credentials(visibility, patch).await;
        }
        if !resolved.install.is_enabled {
            return Err(Failure::install_disabled());
        }
        let new = NewCredential::of_replacement(&loaded.account, patch);
        let contents = new.merged(&resolved, Some(&loaded))?;
        let context = ConnectContext { resolved, contents };
        Box::pin(self.store_and_set_up(new, context)).await
    }

    /// A refused log-in or token stores nothing. The status of the returned account says how its actions ended.
    async fn store_and_set_up(
        &self,
        new: NewCredential<'_>,
        context: ConnectContext,
    ) -> Result<AccountView, Failure> {
        let ConnectContext { resolved, contents } = &context;
        let compiled = Rc::clone(&resolved.compiled);
        if new.runs_actions() {
            let checked = check_login(self.base.outside(), resolved, new.account, contents);
            checked.await.map_err(sftp_login::not_imported)?;
        }
        let reply = self.token_of_import(resolved, new, contents).await?;
        let granted = compiled.config.credential(new.method()).zip(reply);
        self.store(new, context, granted, &[]).await?;
        // What refused the old values has not seen the new ones.
        self.set_up.calls().tokens().refresh().pauses().end();
        if new.runs_actions()
            && let Err(failed) = self.set_up.run_with_stored_token().await
        {
            self.base.log("set_up_failed", &failed.error);
        }
        let loaded = self.record.visible(&Visibility::All).await?;
        self.record.view(&loaded).await
    }

    async fn resolved_for_import(&self, account: &Account) -> Result<ResolvedConfig, Failure> {
        // An id that was stored once is not used again.
        if self.record.settled().await?.is_some() || self.record.was_stored()? {
            let id = account.id.to_string();
            return Err(Failure::duplicate("integrated account", &id));
        }
        let resolved = self.record.resolved_config(account).await?;
        let method = &account.authentication_method;
        resolved.compiled.check_credential(method)?;
        Ok(resolved)
    }

    /// The account's token, if none came and the credential gives one without a customer.
    async fn token_of_import(
        &self,
        resolved: &ResolvedConfig,
        new: NewCredential<'_>,
        contents: &Contents,
    ) -> Result<Option<TokenReply>, Failure> {
        let compiled = &resolved.compiled;
        let credential = compiled.config.credential(new.method());
        let is_due = |own: &Credential| new.runs_actions() || gets_token(own);
        if new.brings_token() || !credential.is_some_and(is_due) {
            return Ok(None);
        }
        let (calls, account) = (self.set_up.calls(), new.account);
        let reply = first_token(calls, resolved, account, contents, None).await;
        reply.map_err(|attempt| not_imported(attempt, &contents.redactor(compiled)))
    }
}

/// The imported values and the defaults of the form.
fn completed(compiled: &Compiled, method: &str, imported: &Value) -> Result<Value, Failure> {
    compiled.refuse_padded(imported, &Value::Null)?;
    let mut contents = Contents::empty();
    contents.write(Origin::Operator, imported)?;
    contents.complete(|context| compiled.complete_context(method, context))?;
    Ok(contents.context().clone())
}

/// Whether new credentials have to prove themselves before the account is callable.
fn needs_set_up(status: Status, config: &Config) -> bool {
    match status {
        Status::PostInstallError | Status::ValidationError => true,
        Status::NeedsReauth => has_stages(config),
        // The set-up of an account that is connecting goes on with them.
        Status::Active | Status::Connecting => false,
    }
}

/// Whether only the values of the account give a token, also without lifecycle actions: other values give another token.
pub(super) fn gets_token(credential: &Credential) -> bool {
    matches!(
        credential,
        Credential::CustomToken(_) | Credential::Jwt(_) | Credential::JwtBearer(_)
    )
}

/// Why an account without a token was not imported.
fn not_imported(attempt: Attempt, redactor: &Redactor) -> Failure {
    match attempt {
        Attempt::Ours(failure) => redactor.failure(failure),
        Attempt::Failed(TokenFailure::Transient { retry_after }) => {
            let message = "The provider cannot give the account's token now; nothing was stored.";
            Failure::new(Code::TokenEndpoint, message).with_retry_after(retry_after.unwrap_or(5))
        }
        Attempt::Failed(failed) => {
            let why = redactor.token_failure(failed);
            let message = format!("The account has no token, and {why}. Nothing was stored.");
            Failure::new(Code::ConnectionError, message)
        }
    }
}
