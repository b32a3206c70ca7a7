//! Calls of the resource `files`: what they ask of the server, and the account's login there.

use http::HeaderMap;
use url::Url;

use crate::config::files::FileOperation;
use crate::config::{Credential, SftpConfig};
use crate::error::Failure;
use crate::expression::TemplateScope;
use crate::files::{CallerInput, FilesError, ServerLogin, address, arguments, with_arguments};
use crate::flows::call::build::Prepared;
use crate::flows::call::current::Current;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::proxy::guard;
use crate::proxy::request::{Draft, Payload};
use crate::settings::Settings;

/// The server of an account with this credential.
fn server<'c>(compiled: &'c Compiled, method: &str) -> Result<&'c SftpConfig, FilesError> {
    let credential = compiled.config.credential(method);
    credential
        .and_then(Credential::sftp)
        .ok_or(FilesError::OtherCredential)
}

/// Where the server of an account is, if it may be asked.
pub(in crate::flows) fn server_address(
    resolved: &ResolvedConfig,
    method: &str,
    scope: &TemplateScope<'_>,
    settings: &Settings,
) -> Result<Url, Failure> {
    let compiled = &resolved.compiled;
    let address = address(server(compiled, method)?, scope, &compiled.pins(settings))?;
    guard::check(&address, settings.private_upstreams)?;
    Ok(address)
}

/// The login of an account, if its server may be asked.
pub(in crate::flows) fn login(
    resolved: &ResolvedConfig,
    method: &str,
    scope: &TemplateScope<'_>,
    settings: &Settings,
) -> Result<ServerLogin, Failure> {
    let compiled = &resolved.compiled;
    let pins = compiled.pins(settings);
    let login = ServerLogin::of(server(compiled, method)?, scope, &pins)?;
    guard::check(login.address(), settings.private_upstreams)?;
    Ok(login)
}

impl Prepared<'_> {
    /// The login for the account's current state.
    pub(in crate::flows) fn login(
        &self,
        current: &Current<'_>,
        settings: &Settings,
    ) -> Result<ServerLogin, Failure> {
        let method = &current.loaded().account.authentication_method;
        let scope = self.scope(current);
        let login = login(self.subject().resolved, method, &scope, settings)?;
        login.check_pinned()?;
        Ok(login)
    }

    /// The request without the values of the page: the server, with what is asked of it in the query.
    pub(in crate::flows) fn files_draft(
        &self,
        operation: FileOperation,
        method: &http::Method,
        current: &Current<'_>,
        input: &CallerInput<'_>,
        settings: &Settings,
    ) -> Result<Draft, Failure> {
        let own = &current.loaded().account.authentication_method;
        let scope = self.scope(current);
        let address = server_address(self.subject().resolved, own, &scope, settings)?;
        Ok(Draft {
            method: method.clone(),
            url: with_arguments(address, operation, &arguments(operation, input)?),
            headers: HeaderMap::new(),
            body: match operation {
                FileOperation::Write => Payload::Callers,
                _ => Payload::Nothing,
            },
        })
    }
}
