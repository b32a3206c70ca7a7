//! The URL that a provider sends webhooks to. It ends with a signature, so it cannot be made of the id alone.

use super::call::AdminCall;
use crate::account::token::{self, TokenKind};
use crate::ids::{AccountId, Id, InstallId};
use crate::ports::Outside;

/// That of an account; nothing while there is no key to sign it with.
pub(super) fn of_account(call: &AdminCall<'_, impl Outside>, id: AccountId) -> Option<String> {
    url(
        call,
        "integrated-account-webhook",
        TokenKind::AccountWebhook,
        id,
    )
}

/// That of an install; nothing while there is no key to sign it with.
pub(super) fn of_install(call: &AdminCall<'_, impl Outside>, id: InstallId) -> Option<String> {
    let path = "environment-integration-webhook";
    url(call, path, TokenKind::InstallWebhook, id)
}

fn url(
    call: &AdminCall<'_, impl Outside>,
    path: &str,
    kind: TokenKind,
    id: impl Id,
) -> Option<String> {
    let ring = call.outside().settings().keyring().ok()?;
    let end = token::address(ring, kind, id).ok()?;
    let base = call.context.public_url(&call.url);
    Some(format!("{base}{path}/{end}"))
}
