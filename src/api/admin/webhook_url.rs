//! Where a provider sends to: the URL of an account's or an install's webhook, which cannot be made of the id alone.

use serde_json::Value;
use url::Url;

use crate::account::token::{self, Kind};
use crate::api::RequestContext;
use crate::ids::Id;

/// What it is called in every answer.
pub(in crate::api) const KEY: &str = "webhook_url";

/// The path of an account's URL.
const ACCOUNT: &str = "integrated-account-webhook";
/// The path of an install's URL.
const INSTALL: &str = "environment-integration-webhook";

/// The URLs that are given out at one request.
pub(super) struct WebhookUrls<'a, O> {
    context: &'a RequestContext<'a, O>,
    base: Url,
}

impl<'a, O: crate::ports::Outside> WebhookUrls<'a, O> {
    /// Under the name the world knows us by.
    pub(super) fn at(context: &'a RequestContext<'_, O>, request: &Url) -> Self {
        Self {
            context,
            base: context.public_url(request),
        }
    }

    /// Adds an account's to what is shown of it.
    pub(super) fn of_account(&self, id: impl Id, shown: Value) -> Value {
        self.added(ACCOUNT, Kind::AccountWebhook, id, shown)
    }

    /// Adds an install's to what is shown of it.
    pub(super) fn of_install(&self, id: impl Id, shown: Value) -> Value {
        self.added(INSTALL, Kind::InstallWebhook, id, shown)
    }

    /// Null while there is no key to sign it with.
    fn added(&self, path: &str, kind: Kind, id: impl Id, mut shown: Value) -> Value {
        let ring = self.context.outside.settings().keyring();
        let end = ring.and_then(|ring| token::address(ring, kind, id)).ok();
        let url = end.map(|end| format!("{}{path}/{end}", self.base));
        if let Value::Object(fields) = &mut shown {
            fields.insert(KEY.to_owned(), url.into());
        }
        shown
    }
}
