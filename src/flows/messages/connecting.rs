//! Messages of connecting: a customer's form on its way to the account's object, and the result.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::account::Account;
use crate::connect::outcome::ConnectFailure;
use crate::flows::base::records::ApplicationNames;
use crate::ids::AccountId;

/// A checked form: what to connect, and where the result is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connecting {
    /// The account as a new one. Of an existing account only the credential's format is used.
    pub account: Account,
    /// Whether the account must exist already.
    pub is_again: bool,
    pub integration: String,
    /// The values of the link token and the form, secrets included.
    pub context: Value,
    /// The values of the link token: set by the application, unless the customer changed them.
    #[serde(default, rename = "brought")]
    pub preset: Value,
    /// Whether a reconnected account keeps the other values of its context.
    pub keeps_context: bool,
    /// Scopes to request instead of the integration's.
    pub scopes: Option<Vec<String>>,
    pub link: String,
    /// The address to which the provider sends the customer back.
    pub callback: String,
    /// The URL of the client's metadata document.
    #[serde(default)]
    pub client_document: Option<String>,
    /// `state` of the authorization request.
    pub state: String,
    /// The SHA-256 of the browser's secret, in hex.
    pub browser: String,
    pub return_to: ReturnTo,
    /// The address of the form for another try, its link token included.
    pub again: String,
}

/// Where the result of connecting is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnTo {
    /// The redirect URI of the application. `None`: a page of the gateway.
    pub redirect_uri: Option<String>,
    /// Whether the connect page is a pop-up of the application.
    pub is_popup: bool,
    #[serde(default)]
    pub application: Option<ApplicationNames>,
}

/// What follows a customer's form.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectStep {
    /// A redirect to the provider.
    Redirect(Url),
    /// Connecting succeeded or failed.
    Ended(ConnectResult),
}

/// The request of a customer who comes back from the provider.
#[derive(Debug, Serialize, Deserialize)]
pub struct CallbackRequest {
    /// `state` as it was received.
    pub state: String,
    /// The SHA-256 of the browser's secret, in hex; of an empty text where the browser has none.
    pub browser: String,
    /// The integration in the callback URL.
    pub integration: String,
    /// The query parameters as they were received.
    pub parameters: Vec<(String, String)>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct ConnectResult {
    pub integration: String,
    /// The name of the integration.
    pub label: Option<String>,
    /// The logo of the integration.
    pub logo: Option<String>,
    pub account: AccountId,
    /// Whether the account existed before.
    pub is_again: bool,
    pub return_to: ReturnTo,
    /// The error. `None`: the account is active.
    pub failed: Option<ConnectFailed>,
    /// The address of the form for another try.
    pub again: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConnectFailed {
    pub why: ConnectFailure,
    /// A description for the developer.
    pub error: String,
    /// The provider's description, for the customer.
    pub provider: Option<String>,
    /// Whether the gateway itself is at fault.
    #[serde(default)]
    pub is_ours: bool,
}
