//! A new credential on its way into an account: a customer brings it by a link token, or the operator imports it or
//! replaces the one before.

use serde_json::Value;

use crate::account::Account;
use crate::account::origin::Origin;
use crate::error::Failure;
use crate::flows::account::changes;
use crate::flows::account::contents::Contents;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::lifecycle::change::with_credentials;
use crate::flows::messages::account::LifecycleActions;
use crate::flows::messages::connecting::Connecting;

/// How a credential gets here.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// By a link token with this hash.
    Link(&'a str),
    /// By an import, which is for a new account.
    Import(LifecycleActions),
    /// By `PATCH …/credentials`, for an account that is set up again.
    Replacement,
}

/// A credential that is not stored yet.
#[derive(Clone, Copy)]
pub(super) struct NewCredential<'a> {
    /// The account as a new one. Of an existing account only the credential's format is used.
    pub(super) account: &'a Account,
    pub(super) source: Source<'a>,
    /// The values of the operator.
    preset: &'a Value,
    /// All values, secrets included.
    context: &'a Value,
    /// Whether an existing account keeps the other values of its context.
    keeps_context: bool,
}

impl<'a> NewCredential<'a> {
    pub(super) fn of_link(connecting: &'a Connecting) -> Self {
        Self {
            account: &connecting.account,
            source: Source::Link(&connecting.link),
            preset: &connecting.preset,
            context: &connecting.context,
            keeps_context: connecting.keeps_context,
        }
    }

    pub(super) fn of_import(
        account: &'a Account,
        context: &'a Value,
        actions: LifecycleActions,
    ) -> Self {
        Self {
            account,
            source: Source::Import(actions),
            preset: context,
            context,
            keeps_context: false,
        }
    }

    pub(super) fn of_replacement(account: &'a Account, patch: &'a Value) -> Self {
        Self {
            account,
            source: Source::Replacement,
            preset: patch,
            context: patch,
            keeps_context: true,
        }
    }

    /// Whether a token came with it.
    pub(super) fn brings_token(&self) -> bool {
        let token = self.context.pointer("/oauth/token");
        token.is_some_and(Value::is_object)
    }

    /// The format of the credential.
    pub(super) fn method(&self) -> &'a str {
        &self.account.authentication_method
    }

    pub(super) fn runs_actions(&self) -> bool {
        !matches!(self.source, Source::Import(LifecycleActions::Skip))
    }

    /// Fails if the credential cannot be stored in this account.
    pub(super) fn check_account(&self, existing: Option<&LoadedAccount>) -> Result<(), Failure> {
        let Some(loaded) = existing else {
            return Ok(());
        };
        match self.source {
            Source::Import(_) => Err(Failure::duplicate(
                "integrated account",
                &self.account.id.to_string(),
            )),
            Source::Link(_) if self.is_of_another(loaded) => Err(Failure::not_found("link token")),
            Source::Replacement if loaded.account.authentication_method != self.method() => {
                let message = "The account was connected by another credential in that time.";
                Err(Failure::busy(message))
            }
            Source::Link(_) | Source::Replacement => Ok(()),
        }
    }

    /// Whether the account belongs to another environment or integration. A link token without an integration binds one
    /// account, and the customer may choose a second integration after the first.
    pub(super) fn is_of_another(&self, loaded: &LoadedAccount) -> bool {
        let (stored, new) = (&loaded.account, self.account);
        stored.environment_id != new.environment_id
            || stored.environment_integration_id != new.environment_integration_id
    }

    /// The stored context, if it is kept, with the new values. Stored secrets are dropped if the new values name another
    /// host. Values that the provider gave with a credential of another format no longer count as the provider's.
    pub(super) fn merged(
        &self,
        resolved: &ResolvedConfig,
        existing: Option<&LoadedAccount>,
    ) -> Result<Contents, Failure> {
        let (compiled, method) = (&resolved.compiled, self.method());
        if let Source::Replacement = self.source {
            let gone = || Failure::not_found("integrated account");
            return with_credentials(compiled, existing.ok_or_else(gone)?, self.context);
        }
        let mut contents = Contents::empty();
        if let Some(loaded) = existing.filter(|_| self.keeps_context) {
            contents = Contents::of(loaded);
            contents.drop_token();
            if loaded.account.authentication_method != method {
                contents.disprove_all();
            }
            let kept = contents.clone();
            self.add_to(&mut contents)?;
            let same_host =
                changes::refuse_host_keys(compiled, method, &loaded.context, contents.context());
            if same_host.is_ok() {
                return Ok(contents);
            }
            contents = kept;
            contents.drop_secrets(compiled);
        }
        self.add_to(&mut contents)?;
        Ok(contents)
    }

    fn add_to(&self, contents: &mut Contents) -> Result<(), Failure> {
        contents.give(Origin::Operator, self.preset)?;
        contents.give(Origin::Customer, self.context)
    }
}
