//! The cursors of lists: a position in a list, encrypted for one method of one account, so that a caller can neither
//! read, forge nor transfer it.

use crate::account::seal::{self, SealError, SealKind};
use crate::error::{Code, Failure};
use crate::flows::base::sealed;
use crate::ids::AccountId;
use crate::json::typed;
use crate::pagination::Position;
use crate::ports::System;
use crate::proxy::Target;

/// The account and the list that a cursor is valid for.
pub(in crate::flows) struct CursorPlace {
    account: String,
    list: String,
}

impl CursorPlace {
    pub(in crate::flows) fn of(account: AccountId, target: &Target) -> Self {
        let list = match target {
            Target::Method {
                resource, method, ..
            } => [resource.as_str(), method].join("\0"),
            Target::Custom { .. } => String::new(),
        };
        Self {
            account: account.to_string(),
            list,
        }
    }

    pub(in crate::flows) fn seal(
        &self,
        system: &impl System,
        position: &Position,
    ) -> Result<String, Failure> {
        let unsealed = || Failure::new(Code::Internal, "A cursor could not be made.");
        let value = serde_json::to_value(position).map_err(|_| unsealed())?;
        sealed::seal(system, self.place(), &value)?.ok_or_else(unsealed)
    }

    /// Logs nothing: a bad cursor is the caller's error.
    pub(in crate::flows) fn open(
        &self,
        system: &impl System,
        cursor: &str,
    ) -> Result<Position, Failure> {
        let keys = system.settings().keyring()?;
        let value = keys
            .open(self.place(), cursor)
            .map_err(|error| match error {
                SealError::BadKeys(_) => error.into(),
                SealError::UnknownKey(_) | SealError::Broken(_) | SealError::NotSealed => {
                    bad_cursor()
                }
            })?;
        typed::read(&value).map_err(|_| bad_cursor())
    }

    fn place(&self) -> seal::SealPlace<'_> {
        seal::SealPlace {
            kind: SealKind::Cursor,
            id: &self.account,
            field: &self.list,
        }
    }
}

/// The caller's cursor belongs to another list or account, or is malformed.
pub(in crate::flows) fn bad_cursor() -> Failure {
    Failure::new(
        Code::BadCursor,
        "This next_cursor is not one for this list of this account. Start the list again without it.",
    )
}
