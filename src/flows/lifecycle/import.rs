//! Storing an account whose credentials the caller already has.

use serde_json::Value;

use crate::account::Account;
use crate::account::origin::Origin;
use crate::account::status::Status;
use crate::config::Credential;
use crate::error::{Code, Failure};
use crate::flows::account::contents::Contents;
use crate::flows::account::event::EventType;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::base::context_limits::check_context;
use crate::flows::config::redaction::Redactor;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::lifecycle::account_edits::AccountEdits;
use crate::flows::lifecycle::credential::token_values;
use crate::flows::lifecycle::first_token::first_token;
use crate::flows::lifecycle::sftp_login::{self, check_login};
use crate::flows::messages::account::AccountView;
use crate::flows::tokens::grant::Attempt;
use crate::oauth::TokenFailure;
use crate::ports::{Outside, Storage};

impl<O: Outside, S: Storage> AccountEdits<O, S> {
    /// Stores an account with the credentials in its context. It becomes active when the index has it.
    pub(in crate::flows) async fn import(
        &self,
        mut account: Account,
    ) -> Result<AccountView, Failure> {
        let _one_at_a_time = self.record.lock_changing().await;
        if self.record.settled().await?.is_some() {
            return Err(Failure::duplicate(
                "integrated account",
                &account.id.to_string(),
            ));
        }
        let resolved = self.record.resolved_config(&account).await?;
        let compiled = &resolved.compiled;
        compiled.check_credential(&account.authentication_method)?;
        compiled.refuse_padded(&account.context, &Value::Null)?;
        let mut contents = Contents::empty();
        contents.write(Origin::Operator, &account.context.take())?;
        contents.complete(|context| {
            compiled.complete_context(&account.authentication_method, context)
        })?;
        let checked = check_login(self.base.outside(), &resolved, &account, &contents);
        checked.await.map_err(sftp_login::not_imported)?;
        self.get_token(&resolved, &account, &mut contents).await?;
        let stored = Account {
            context: contents.split(compiled).0,
            status: Status::Connecting,
            ..account.clone()
        };
        let active = Account {
            status: Status::Active,
            ..stored.clone()
        };
        let new = LoadedAccount::new(stored.clone());
        let events = [EventType::Created, EventType::Active];
        let next = self
            .changes
            .next(&resolved, &new, active, &contents, &events)?;
        let loaded = self.changes.create(&resolved, &stored, next).await?;
        self.record.view(&loaded).await
    }

    /// Gets the account's token if the context has none. Where there is none to get, nothing is stored.
    async fn get_token(
        &self,
        resolved: &ResolvedConfig,
        account: &Account,
        contents: &mut Contents,
    ) -> Result<(), Failure> {
        let compiled = &resolved.compiled;
        let method = &account.authentication_method;
        let credential = compiled.config.credential(method);
        let credential = credential.filter(|_| contents.token().is_none());
        let Some(credential) = credential.filter(|own| gets_token(own)) else {
            return Ok(());
        };
        let reply = first_token(&self.calls, resolved, account, contents, None)
            .await
            .map_err(|attempt| not_imported(attempt, &contents.redactor(compiled)))?;
        let Some(reply) = reply else {
            return Ok(());
        };
        let values = token_values(credential, &reply);
        let provider = contents.provider(compiled);
        let before = contents.context().clone();
        contents.write(provider, &Value::Object(values))?;
        if compiled.moves_host(method, &before, contents.context()) {
            return Err(Failure::host_key(
                "context",
                "the answer with the token names another host than the imported values",
            ));
        }
        contents.put_token(&reply.token);
        check_context(contents.context())
    }
}

/// Whether an account of it gets its token from its own values: an import without a token gets one, and other values get
/// another.
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
