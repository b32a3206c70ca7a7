//! Messages of connecting: a customer's form on its way to the account's object, and how it ended.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::account::Account;
use crate::connect::outcome::ConnectFailure;
use crate::flows::base::records::ApplicationNames;
use crate::ids::AccountId;

/// A customer's form, checked: what to connect, and who waits for the outcome.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connecting {
    /// The account as a new one would be; of one that is there only the credential's format counts.
    pub account: Account,
    /// Whether it must be there already.
    pub is_again: bool,
    /// The integration's slug.
    pub integration: String,
    /// What the link token and the form bring, secrets included.
    pub context: Value,
    /// What of it the link token brings: the application's word, as far as the customer left it as it is.
    #[serde(default)]
    pub brought: Value,
    /// Whether what an account had in its context stays.
    pub keeps_context: bool,
    /// Scopes to ask for, instead of the integration's.
    pub scopes: Option<Vec<String>>,
    /// The hash of the link token.
    pub link: String,
    /// Where the provider sends the customer back to.
    pub callback: String,
    /// `state` of the authorization request.
    pub state: String,
    /// SHA-256 of the browser's secret, hex.
    pub browser: String,
    /// Where the outcome is reported.
    pub return_to: ReturnTo,
    /// Where the customer may try again: the form's address, its link token included.
    pub again: String,
}

/// Where the outcome of connecting is reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnTo {
    /// The application's address; nothing: a page of ours.
    pub redirect_uri: Option<String>,
    /// Whether our page is a window that the application has opened.
    pub is_popup: bool,
    /// How the application shows itself.
    #[serde(default)]
    pub application: Option<ApplicationNames>,
}

/// How far a customer's form led.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connected {
    /// To the provider, at this address.
    Redirect(Url),
    /// To the end.
    Ended(Ended),
}

/// A customer who comes back from the provider.
#[derive(Debug, Serialize, Deserialize)]
pub struct CallbackRequest {
    /// `state` as it came.
    pub state: String,
    /// SHA-256 of the browser's secret, hex; of nothing where the browser has none.
    pub browser: String,
    /// The integration of the address.
    pub integration: String,
    /// The parameters as they came.
    pub parameters: Vec<(String, String)>,
}

/// How connecting ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ended {
    /// The integration's slug.
    pub integration: String,
    /// What it is called.
    pub label: Option<String>,
    /// Its picture.
    pub logo: Option<String>,
    /// The account.
    pub account: AccountId,
    /// Whether it was there before.
    pub is_again: bool,
    /// Where that is reported.
    pub return_to: ReturnTo,
    /// What went wrong; nothing: the account is active.
    pub failed: Option<Failed>,
    /// Where the customer may try again.
    pub again: String,
}

/// Why connecting failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failed {
    /// Which of the error types.
    pub why: ConnectFailure,
    /// In words, for the developer.
    pub error: String,
    /// The provider's own words, for the customer.
    pub provider: Option<String>,
    /// Whether the gateway itself is at fault.
    #[serde(default)]
    pub is_ours: bool,
}
