//! The state of an unfinished set-up.

use serde::{Deserialize, Serialize};

use crate::account::seal::key_id;
use crate::account::status::Status;

/// A stored credential whose lifecycle actions have not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::flows) struct SetUp {
    /// The status before the set-up. `None` for a new account.
    pub(in crate::flows) before: Option<Status>,
    /// The sealed lookup value of an account that was active: webhooks find the account by it until the set-up ends.
    #[serde(default)]
    pub(in crate::flows) found_by: Option<String>,
}

impl SetUp {
    /// The id of the key that `found_by` is sealed with.
    pub(in crate::flows) fn sealing_key(&self) -> Option<String> {
        self.found_by.as_deref().map(|text| key_id(text).to_owned())
    }
}
