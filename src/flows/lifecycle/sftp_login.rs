//! The first log-in on a server of files: before anything is stored, the gateway logs in and opens the root. A server whose
//! key is not pinned gets no login; its key is shown for a person to compare.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use url::Url;

use crate::account::Account;
use crate::config::{Credential, SftpConfig};
use crate::error::{Code, Failure};
use crate::expression::{Placeholder, Template, TemplateScope};
use crate::files::{PresentedKey, head_of_server, presented_key};
use crate::flows::account::contents::Contents;
use crate::flows::base::sftp::{ask, small};
use crate::flows::base::within::within;
use crate::flows::call::files::{login, server_address};
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::lifecycle::account_edits::AccountEdits;
use crate::ports::{Body, Outside, SftpRequest, Storage, Visibility};
use crate::secret::Secret;
use crate::settings::SFTP_LOGIN_TIMEOUT;

/// The longest line that a customer is shown to copy. The lines of RSA keys are longer.
const SHOWN_LINE: usize = 400;

/// The key that a server presents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PresentedHostKey {
    /// Its public key line, as `host_keys` takes it.
    pub host_key: String,
    /// Its fingerprint, as `ssh-keygen -l` shows it.
    pub fingerprint: String,
    /// Whether this line is among those that are pinned.
    pub is_pinned: bool,
    /// The keys of the account's context that pinned lines are read from; empty where the file or the install has them.
    pub context_keys: Vec<String>,
}

/// Logs in with the values of a new account and opens its root. Other credentials are not checked.
pub(super) async fn check_login<O: Outside>(
    outside: &O,
    resolved: &ResolvedConfig,
    account: &Account,
    contents: &Contents,
) -> Result<(), Failure> {
    let (compiled, method) = (&resolved.compiled, &account.authentication_method);
    if compiled
        .config
        .credential(method)
        .and_then(Credential::sftp)
        .is_none()
    {
        return Ok(());
    }
    let shown = contents.split(compiled).0;
    let scope = compiled.scope(contents.context(), &shown);
    let login = login(resolved, method, &scope, outside.settings())?;
    if login.check_pinned().is_err() {
        let presented = presented(outside, login.address()).await?;
        return Err(not_pinned(&presented));
    }
    let head = login.head(Map::new(), SFTP_LOGIN_TIMEOUT);
    let redactor = contents.redactor(compiled);
    let checked = ask(outside, request("check", head)).await;
    checked
        .map(drop)
        .map_err(|error| redactor.failure(error.into()))
}

fn request<S>(operation: &'static str, head: Secret) -> SftpRequest<S> {
    SftpRequest {
        operation,
        head,
        body: Body::Empty,
        timeout: SFTP_LOGIN_TIMEOUT,
    }
}

/// The key of a server, without logging in.
async fn presented<O: Outside>(outside: &O, address: &Url) -> Result<PresentedKey, Failure> {
    let head = head_of_server(address, SFTP_LOGIN_TIMEOUT);
    let reply = ask(outside, request("host-key", head)).await?;
    let document = within(outside, SFTP_LOGIN_TIMEOUT, small(reply.body)).await;
    let read = document
        .flatten()
        .and_then(|document| presented_key(&document));
    read.ok_or_else(|| {
        let message = "The SFTP Worker answered with something that is not its own.";
        Failure::new(Code::UnexpectedAnswer, message)
    })
}

fn not_pinned(presented: &PresentedKey) -> Failure {
    let PresentedKey {
        host_key,
        fingerprint,
    } = presented;
    let line = if host_key.len() <= SHOWN_LINE {
        format!("this line as the host key: {host_key}")
    } else {
        "its public key line as the host key (ssh-keyscan shows it)".to_owned()
    };
    let message = format!(
        "No host key is set for this server, so nothing was sent to it. It presents a key with the fingerprint {fingerprint}. Compare that with the fingerprint that the server's operator names; where they are the same, set {line}"
    );
    let details = json!({ "host_key": host_key, "fingerprint": fingerprint });
    Failure::new(Code::ServerKeyMissing, message).with_details(details)
}

impl<O: Outside, S: Storage> AccountEdits<O, S> {
    /// The key that the account's server presents now. Nothing is stored, and no login is sent.
    pub(in crate::flows) async fn host_key(
        &self,
        visibility: &Visibility,
    ) -> Result<PresentedHostKey, Failure> {
        let loaded = self.record.visible(visibility).await?;
        let resolved = self.record.resolved_config(&loaded.account).await?;
        let (compiled, method) = (&resolved.compiled, &loaded.account.authentication_method);
        let own = compiled
            .config
            .credential(method)
            .and_then(Credential::sftp);
        let own = own.ok_or_else(|| {
            Failure::invalid("id", "is an account that is not connected by `sftp`")
        })?;
        let outside = self.base.outside();
        let scope = compiled.scope(&loaded.context, &loaded.account.context);
        let address = server_address(&resolved, method, &scope, outside.settings())?;
        let presented = presented(outside, &address).await?;
        Ok(PresentedHostKey {
            is_pinned: is_pinned(own, &scope, &presented.host_key),
            context_keys: context_keys(own),
            host_key: presented.host_key,
            fingerprint: presented.fingerprint,
        })
    }
}

/// Whether a pinned line has the same key: a comment does not count.
fn is_pinned(own: &SftpConfig, scope: &TemplateScope<'_>, line: &str) -> bool {
    let key = |line: &str| {
        let parts = line.split_ascii_whitespace().take(2);
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    let wanted = key(line);
    own.host_keys.iter().any(|template| {
        let text = template.text(scope).ok().flatten().unwrap_or_default();
        text.lines().any(|line| key(line) == wanted)
    })
}

fn context_keys(own: &SftpConfig) -> Vec<String> {
    let read = own.host_keys.iter().flat_map(Template::placeholders);
    let read = read.flat_map(Placeholder::paths);
    let mut keys: Vec<String> = read
        .filter_map(crate::expression::scope::context_key)
        .map(str::to_owned)
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// The failure of an import: nothing was stored.
pub(super) fn not_imported(failure: Failure) -> Failure {
    let message = format!("{} Nothing was stored.", failure.message);
    Failure { message, ..failure }
}

/// Whether the failure is about what a customer typed, or their server: they are shown its words.
pub(super) fn is_customers(failure: &Failure) -> bool {
    !failure.is_ours() && failure.code != Code::BadIntegration
}
